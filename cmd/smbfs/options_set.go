package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"smbfs/health"
	"smbfs/notify"
)

func setUser(s *settings, g given) error {
	if g.value == "" {
		if g.name == "user" && !g.hasValue {
			return nil // fstab's "user": anybody may mount
		}
		return errors.New("the name is empty; for no name use guest")
	}
	if strings.Contains(g.value, "%") {
		// mount.cifs once took user%password here. Not to repeat a password in an error later, it is refused here.
		return errors.New("a name with % in it goes into a credentials file, and a password into password= or a credentials file")
	}
	s.setUserName(g.value)
	return nil
}

// setUserName takes NAME, DOMAIN\NAME or DOMAIN/NAME.
func (s *settings) setUserName(v string) {
	if i := strings.IndexAny(v, `\/`); i >= 0 {
		s.Domain, v = v[:i], v[i+1:]
	}
	s.Username = v
}

func setPassword(s *settings, g given) error {
	s.Password, s.passwordSet = Secret(g.value), true
	return nil
}

func setDomain(s *settings, g given) error {
	s.Domain = g.value
	return nil
}

func setCredentials(s *settings, g given) error {
	if g.value == "" {
		return errors.New("no file named")
	}
	s.credentials = g.value
	return nil
}

// setSigning notes that signing was asked for, or asked to be left out.
func (s *settings) setSigning(on bool) { s.RequireSigning, s.signingSet = on, true }

func setGuest(s *settings, _ given) error {
	s.guest = true
	return nil
}

func setPortOption(s *settings, g given) error {
	s.portSet = true
	return s.setPort(g.value)
}

func setIP(s *settings, g given) error {
	if _, err := netip.ParseAddr(g.value); err != nil {
		return fmt.Errorf("%q is not an IP address", g.value)
	}
	s.Addr = g.value
	return nil
}

func setVers(s *settings, g given) error {
	exact := map[string]uint16{"2.1": dialect210, "3.0": dialect300, "3.0.2": dialect302, "3.02": dialect302, "3.1.1": dialect311, "3.11": dialect311}
	if d, ok := exact[g.value]; ok {
		s.MinDialect, s.MaxDialect = d, d
		return nil
	}
	switch g.value {
	case "default":
		s.MinDialect, s.MaxDialect = dialect210, dialect311
	case "3":
		s.MinDialect, s.MaxDialect = dialect300, dialect311
	case "1.0", "2.0":
		return fmt.Errorf("dialect %s is not spoken, it is obsolete and insecure; use 2.1 or newer, or leave vers out", g.value)
	default:
		return fmt.Errorf("%q is not a dialect; use 2.1, 3.0, 3.0.2, 3.1.1, 3 or default", g.value)
	}
	return nil
}

func setSec(s *settings, g given) error {
	s.guest = false
	switch g.value {
	case "ntlmssp":
	case "ntlmsspi":
		s.setSigning(true)
	case "none":
		s.guest = true
	case "krb5", "krb5i", "krb5p":
		return fmt.Errorf("%s: Kerberos is not supported yet; use ntlmssp with a user name and a password", g.value)
	case "ntlm", "ntlmi", "ntlmv2", "ntlmv2i", "lanman":
		return fmt.Errorf("%s is SMB1's; use ntlmssp, which speaks NTLMv2", g.value)
	default:
		return fmt.Errorf("%q is not known; use ntlmssp, ntlmsspi or none", g.value)
	}
	return nil
}

func setUID(s *settings, g given) error {
	id, err := lookupID(g.value, func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", fmt.Errorf("there is no user %q", name)
		}
		return u.Uid, nil
	})
	s.UID = id
	return err
}

func setGID(s *settings, g given) error {
	id, err := lookupID(g.value, func(name string) (string, error) {
		gr, err := user.LookupGroup(name)
		if err != nil {
			return "", fmt.Errorf("there is no group %q", name)
		}
		return gr.Gid, nil
	})
	s.GID = id
	return err
}

// lookupID takes a number as it is and asks find for a name's. 4294967295 means "no id" to the kernel and is refused.
func lookupID(v string, find func(string) (string, error)) (uint32, error) {
	if n, err := strconv.ParseUint(v, 10, 32); err == nil && n != 1<<32-1 {
		return uint32(n), nil
	}
	if v == "" || strings.Trim(v, "0123456789") == "" {
		return 0, fmt.Errorf("%q is not an id", v)
	}
	text, err := find(v)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err
}

func octal(field func(*settings) *uint32) func(*settings, given) error {
	return func(s *settings, g given) error {
		n, err := strconv.ParseUint(g.value, 8, 32)
		if err != nil || n > 0o777 {
			return fmt.Errorf("%q is not an octal mode from 0 to 0777", g.value)
		}
		*field(s) = uint32(n)
		return nil
	}
}

// size takes bytes. Like the kernel's client it wants whole pages, of which 4096 bytes is the smallest; the upper bound is what MS-SMB2
// servers are known to offer, and more than any negotiates today.
func size(field func(*settings) *uint32) func(*settings, given) error {
	const least, most = 4096, 16 << 20
	return func(s *settings, g given) error {
		n, err := strconv.ParseUint(g.value, 10, 32)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%q is not a number of bytes from %d to %d", g.value, least, most)
		}
		*field(s) = uint32(n) / least * least
		return nil
	}
}

func setActimeo(s *settings, g given) error {
	n, err := strconv.ParseUint(g.value, 10, 31)
	if err != nil {
		return fmt.Errorf("%q is not a number of seconds", g.value)
	}
	s.AttrTimeout = time.Duration(n) * time.Second
	return nil
}

// duration takes Go's notation or a bare number of milliseconds, more than nothing and at most an hour.
func duration(field func(*settings) *time.Duration) func(*settings, given) error {
	return func(s *settings, g given) error {
		d, err := time.ParseDuration(g.value)
		if n, numErr := strconv.ParseUint(g.value, 10, 31); numErr == nil {
			d, err = time.Duration(n)*time.Millisecond, nil
		}
		if err != nil || d <= 0 || d > time.Hour {
			return fmt.Errorf("%q is not a time such as 500ms or 2s, more than 0 and at most 1h", g.value)
		}
		*field(s) = d
		return nil
	}
}

func setRetrans(s *settings, g given) error {
	n, err := strconv.Atoi(g.value)
	if err != nil || n < 0 || n > 1000 {
		return fmt.Errorf("%q is not a number from 0 to 1000", g.value)
	}
	s.Retrans = n
	return nil
}

func setOffline(s *settings, g given) error {
	switch g.value {
	case "wait", "cached":
		s.OfflineCached = g.value == "cached"
		return nil
	}
	return fmt.Errorf("%q is not known; use wait or cached", g.value)
}

// setEchoInterval has the bounds of the kernel's client.
func setEchoInterval(s *settings, g given) error {
	n, err := strconv.Atoi(g.value)
	if err != nil || n < 1 || n > 600 {
		return fmt.Errorf("%q is not a number of seconds from 1 to 600", g.value)
	}
	s.EchoInterval = time.Duration(n) * time.Second
	return nil
}

func setNotify(s *settings, g given) error {
	mode, err := notify.ParseMode(g.value)
	if err != nil {
		return err
	}
	s.Notify = string(mode)
	return nil
}

func setNotifyMax(s *settings, g given) error {
	n, err := strconv.Atoi(g.value)
	if err != nil || n < 1 || n > 1_000_000 {
		return fmt.Errorf("%q is not a number from 1 to 1000000", g.value)
	}
	s.NotifyMax = n
	return nil
}

func setMetrics(s *settings, g given) error {
	if err := health.CheckMetricsAddress(g.value); err != nil {
		return err
	}
	s.Metrics = g.value
	return nil
}

func setLogFile(s *settings, g given) error {
	path, err := filepath.Abs(g.value)
	if err != nil || g.value == "" {
		return errors.New("no file named")
	}
	s.LogFile = path
	return nil
}

// addFlag hands a generic mount flag of that name on.
func addFlag(s *settings, g given) error {
	if !slices.Contains(s.MountFlags, g.name) {
		s.MountFlags = append(s.MountFlags, g.name)
	}
	return nil
}

func dropFlag(name string) func(*settings, given) error {
	return func(s *settings, _ given) error {
		s.MountFlags = slices.DeleteFunc(s.MountFlags, func(f string) bool { return f == name })
		return nil
	}
}

// only accepts the listed values and does nothing with them.
func only(values ...string) func(*settings, given) error {
	return func(_ *settings, g given) error {
		if !slices.Contains(values, g.value) {
			return fmt.Errorf("%q is not supported; only %s", g.value, strings.Join(values, " and "))
		}
		return nil
	}
}
