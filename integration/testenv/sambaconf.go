package testenv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// smb.conf of the private server. Everything it writes is below the state
// folder; it prints nothing, browses nothing and answers on its own address only.
const confTemplate = `[global]
 server role = standalone server
 netbios name = TESTSMB
 workgroup = TESTGRP
 interfaces = 127.0.0.1/8 %[8]s
 bind interfaces only = yes
 smb ports = %[2]d
 disable netbios = yes
 private dir = %[1]s/private
 lock directory = %[1]s/lock
 state directory = %[1]s/state
 cache directory = %[1]s/cache
 pid directory = %[1]s/pid
 ncalrpc dir = %[1]s/ncalrpc
 log file = %[1]s/log/smbd.log
 log level = 0
 max log size = 0
 load printers = no
 printcap name = /dev/null
 disable spoolss = yes
 map to guest = never
 server min protocol = SMB2_10
%[3]s
[%[4]s]
 path = %[5]s
 read only = no
 force user = %[6]s
 create mask = 0644
 directory mask = 0755
%[7]s
`

func (s *Samba) conf() string { return filepath.Join(s.state, "smb.conf") }

// configure writes smb.conf and makes the account. Lines of the options come
// last in their section, so they win over the defaults.
func (s *Samba) configure() error {
	for _, d := range []string{"private", "lock", "state", "cache", "pid", "log", "ncalrpc"} {
		if err := os.MkdirAll(filepath.Join(s.state, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(s.state, "private"), 0o700); err != nil {
		return err
	}
	// The folder itself must be reachable for the account that "force user" names.
	if err := os.Chmod(s.state, 0o755); err != nil {
		return err
	}
	me, err := user.Current()
	if err != nil {
		return err
	}
	text := fmt.Sprintf(confTemplate, s.state, s.Port, indent(s.opts.Global), s.Share, s.Dir, me.Username, indent(s.opts.Share), s.Host)
	if err := os.WriteFile(s.conf(), []byte(text), 0o644); err != nil {
		return err
	}
	return s.addUser()
}

func indent(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(" " + l + "\n")
	}
	return b.String()
}

// Status is what smbstatus says of the sessions: user, machine, dialect,
// encryption and signing, one line each.
func (s *Samba) Status() (string, error) {
	out, err := exec.Command("timeout", "20", "smbstatus", "--configfile="+s.conf(), "--brief").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("smbstatus: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// CloseShare takes the share away from all who use it, as an administrator does. They may connect to it again at once.
func (s *Samba) CloseShare() error {
	out, err := exec.Command("timeout", "20", "smbcontrol", "--configfile="+s.conf(), "smbd", "close-share", s.Share).CombinedOutput()
	if err != nil {
		return fmt.Errorf("smbcontrol: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (s *Samba) addUser() error {
	if _, err := os.Stat(filepath.Join(s.state, "private", "passdb.tdb")); err == nil {
		return nil
	}
	cmd := exec.Command("smbpasswd", "-c", s.conf(), "-a", "-s", s.User)
	cmd.Stdin = strings.NewReader(s.Password + "\n" + s.Password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return ErrNoSamba
		}
		return fmt.Errorf("smbpasswd: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// probeSMB2 sends one NEGOTIATE and takes any SMB2 answer, a refusal included,
// as a sign of life: what the server thinks of the dialect is not our question.
func probeSMB2(addr string) error {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write(negotiateProbe()); err != nil {
		return err
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(c, head); err != nil {
		return err
	}
	if string(head[4:]) != "\xfeSMB" {
		return fmt.Errorf("not SMB2: % x", head)
	}
	return nil
}

// MS-SMB2 2.2.1.2 (sync header) and 2.2.3 (NEGOTIATE request) for dialect 2.1,
// behind the four-byte length of direct TCP (2.1).
func negotiateProbe() []byte {
	const header, body = 64, 36 + 2
	b := make([]byte, 4+header+body)
	binary.BigEndian.PutUint32(b, header+body)
	h := b[4:]
	copy(h, "\xfeSMB")
	binary.LittleEndian.PutUint16(h[4:], header)
	binary.LittleEndian.PutUint16(h[14:], 1) // CreditRequest
	n := h[header:]
	binary.LittleEndian.PutUint16(n, 36)         // StructureSize
	binary.LittleEndian.PutUint16(n[2:], 1)      // DialectCount
	binary.LittleEndian.PutUint16(n[4:], 1)      // SecurityMode: signing enabled
	copy(n[12:28], "testenv-probe-id")           // ClientGuid
	binary.LittleEndian.PutUint16(n[36:], 0x210) // dialect 2.1
	return b
}
