package smbclient

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"smbfs/smbclient/auth"
)

// smbd is a private server, started for one test, with its share on a temporary folder.
type smbd struct {
	t    testing.TB
	addr string
	root string // the share's folder
	user string
	log  bytes.Buffer
}

const (
	smbdPassword = "secret"
	smbdShare    = "share"
)

const smbdConf = `[global]
 server role = standalone server
 netbios name = TESTSMB
 workgroup = TESTGRP
 interfaces = 127.0.0.1/8
 bind interfaces only = yes
 smb ports = %[1]d
 disable netbios = yes
 private dir = %[2]s/private
 lock directory = %[2]s/lock
 state directory = %[2]s/state
 cache directory = %[2]s/cache
 pid directory = %[2]s/pid
 ncalrpc dir = %[2]s/ncalrpc
 log file = %[2]s/log/smbd.log
 log level = 0
 load printers = no
 printcap name = /dev/null
 disable spoolss = yes
 map to guest = never
 server min protocol = SMB2_10
%[3]s
[share]
 path = %[2]s/share
 read only = no
 create mask = 0644
 directory mask = 0755
%[4]s
[crypt]
 path = %[2]s/share
 read only = no
 smb encrypt = required
`

// startSmbd starts a server with further lines in [global] and [share].
func startSmbd(t testing.TB, global, share string) *smbd {
	t.Helper()
	for _, program := range []string{"smbd", "smbpasswd"} {
		if _, err := lookPath(program); err != nil {
			t.Fatalf("%s is missing: apt-get install samba smbclient", program)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &smbd{t: t, root: filepath.Join(dir, "share"), user: me.Username}
	for _, sub := range []string{"private", "lock", "state", "cache", "pid", "log", "ncalrpc", "share"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	port := freePort(t)
	s.addr = fmt.Sprintf("127.0.0.1:%d", port)
	conf := filepath.Join(dir, "smb.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, smbdConf, port, dir, global, share), 0o600); err != nil {
		t.Fatal(err)
	}
	s.addUser(conf)
	s.start(conf)
	return s
}

// lookPath also looks where a user's path may not lead.
func lookPath(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + program)
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *smbd) addUser(conf string) {
	path, _ := lookPath("smbpasswd")
	cmd := exec.Command(path, "-c", conf, "-a", "-s", s.user)
	cmd.Stdin = strings.NewReader(smbdPassword + "\n" + smbdPassword + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("smbpasswd: %v\n%s", err, out)
	}
}

// start runs the server in a process group of its own and waits until it accepts connections.
func (s *smbd) start(conf string) {
	path, _ := lookPath("smbd")
	cmd := exec.Command(path, "--foreground", "--no-process-group", "--debug-stdout", "--configfile="+conf)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	s.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-exited
	})
	for deadline := time.Now().Add(20 * time.Second); ; {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-exited:
			s.t.Fatalf("smbd ended: %s", s.log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("smbd does not listen: %v\n%s", err, s.log.String())
		}
	}
}

// config is for a connection as the server's only user.
func (s *smbd) config() Config {
	return Config{Address: s.addr, Credentials: auth.Credentials{User: s.user, Password: auth.NewSecret(smbdPassword)}}
}

// testContext ends before the test's own time is over.
func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// connect opens a session that ends with the test.
func (s *smbd) connect(cfg Config) *Session {
	s.t.Helper()
	session, err := Connect(testContext(s.t), cfg)
	if err != nil {
		s.t.Fatalf("connect: %v", err)
	}
	s.t.Cleanup(session.Close)
	return session
}

// tree connects to the share.
func (s *smbd) tree(cfg Config) *TreeConnect {
	s.t.Helper()
	tree, err := s.connect(cfg).TreeConnect(testContext(s.t), smbdShare)
	if err != nil {
		s.t.Fatalf("tree connect: %v", err)
	}
	return tree
}
