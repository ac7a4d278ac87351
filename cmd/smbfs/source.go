package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

var errSourceForm = errors.New("give the share as //host[:port]/share[/path]")

// setSource fills in host, port, share and path from //host[:port]/share[/path] or the same with backslashes. An IPv6 address with a
// port is written in brackets. It never repeats what stands before an '@', which may be a password.
func (c *Config) setSource(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("the share's address has a control character in it; %w", errSourceForm)
	}
	unc := strings.ReplaceAll(s, `\`, "/")
	rest, ok := strings.CutPrefix(unc, "//")
	if !ok {
		return fmt.Errorf("%s is not the address of a share; %w", redactUserinfo(s), errSourceForm)
	}
	hostport, path, _ := strings.Cut(rest, "/")
	if strings.Contains(hostport, "@") {
		return fmt.Errorf("the address takes no user name or password (use -o username=NAME,credentials=FILE); %w", errSourceForm)
	}
	if err := c.setHostPort(hostport); err != nil {
		return err
	}
	share, path, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	if share == "" {
		return fmt.Errorf("%s names no share; %w", s, errSourceForm)
	}
	c.Share = share
	if err := c.setPath(path); err != nil {
		return err
	}
	c.Source = "//" + hostport + "/" + share
	if c.Path != "" {
		c.Source += "/" + c.Path
	}
	return nil
}

func redactUserinfo(s string) string {
	if strings.Contains(s, "@") {
		return "what is given"
	}
	return strconv.Quote(s)
}

func (c *Config) setHostPort(hp string) error {
	host, port := hp, ""
	switch {
	case strings.HasPrefix(hp, "["):
		inner, after, ok := strings.Cut(hp[1:], "]")
		if !ok || (after != "" && !strings.HasPrefix(after, ":")) {
			return fmt.Errorf("the host %q has unbalanced brackets; write an IPv6 address as [address]:port", hp)
		}
		if a, err := netip.ParseAddr(inner); err != nil || !a.Is6() {
			return fmt.Errorf("%q is not an IPv6 address", inner)
		}
		host, port = inner, strings.TrimPrefix(after, ":")
		if after == ":" {
			return fmt.Errorf("the port after %q is empty", hp)
		}
	case strings.Count(hp, ":") > 1:
		if _, err := netip.ParseAddr(hp); err != nil {
			return fmt.Errorf("%q is not an IPv6 address; with a port write it as [address]:port", hp)
		}
	case strings.Contains(hp, ":"):
		host, port, _ = strings.Cut(hp, ":")
		if port == "" {
			return fmt.Errorf("the port after %q is empty", hp)
		}
	}
	if host == "" {
		return fmt.Errorf("the address names no host; %w", errSourceForm)
	}
	c.Host = host
	if port == "" {
		return nil
	}
	return c.setPort(port)
}

func (c *Config) setPort(s string) error {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return fmt.Errorf("port %q is not a number from 1 to 65535", s)
	}
	c.Port = uint16(n)
	return nil
}

func (c *Config) setPath(p string) error {
	var parts []string
	for part := range strings.SplitSeq(p, "/") {
		switch part {
		case "", ".":
		case "..":
			return fmt.Errorf("the path inside the share must not contain \"..\"")
		default:
			parts = append(parts, part)
		}
	}
	c.Path = strings.Join(parts, "/")
	return nil
}
