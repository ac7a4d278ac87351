package testenv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// Options say how a private Samba server is to be set up. The zero value gives
// a fresh empty folder under the share name "share", readable and writable by
// the current user.
type Options struct {
	Global   []string // further lines for [global], such as "smb encrypt = required"
	Share    []string // further lines for the share's section
	Dir      string   // the folder to share; empty: a new one, removed by Stop
	User     string   // a system account; empty: the current user's
	Password string   // empty: a fixed one
	Name     string   // the share's name; empty: "share"
	Host     string   // an address of this machine's to listen on; empty: 127.0.0.1
}

// Samba is a running private smbd. Its fields do not change while it runs.
type Samba struct {
	Host     string // a loopback address if Options named none
	Port     int
	Dir      string // the shared folder, as the server itself sees it
	User     string
	Password string
	Share    string

	state   string // configuration and state folders, ours alone
	ownsDir bool
	opts    Options
	proc    *Process
}

// startTimeout bounds the wait for a fresh smbd's first answer. A start takes
// well under a second; the bound is for a machine that is busy with other tests.
const startTimeout = 30 * time.Second

// ErrNoSamba says that the machine has no smbd.
var ErrNoSamba = errors.New("smbd not found: install it with `apt-get install samba`")

// StartSamba starts a private smbd on a free loopback port and returns when it
// answers SMB2. Several may run at once. The caller ends it with Stop.
func StartSamba(o Options) (*Samba, error) {
	s, err := newSamba(o)
	if err != nil {
		return nil, err
	}
	// The port is free when it is chosen, and taken a moment later at times,
	// because other tests do the same: try another one.
	for range 3 {
		if s.Port, err = FreePort(); err != nil {
			break
		}
		if err = s.configure(); err != nil {
			break
		}
		if err = s.launch(); err == nil {
			return s, nil
		}
	}
	err = fmt.Errorf("start smbd: %w", err)
	s.Stop()
	return nil, err
}

func newSamba(o Options) (*Samba, error) {
	if _, err := smbdPath(); err != nil {
		return nil, err
	}
	me, err := user.Current()
	if err != nil {
		return nil, fmt.Errorf("start smbd: %w", err)
	}
	s := &Samba{Host: o.Host, Dir: o.Dir, User: o.User, Password: o.Password, Share: o.Name, opts: o}
	if s.Host == "" {
		s.Host = "127.0.0.1"
	}
	if s.User == "" {
		s.User = me.Username
	}
	if s.Password == "" {
		s.Password = "secret-of-the-tests"
	}
	if s.Share == "" {
		s.Share = "share"
	}
	// Not below a test's own folder: Samba makes sockets here, and a socket's
	// path may have 107 bytes.
	if s.state, err = os.MkdirTemp("", "smbd"); err != nil {
		return nil, fmt.Errorf("start smbd: %w", err)
	}
	if s.Dir == "" {
		s.ownsDir = true
		s.Dir = filepath.Join(s.state, "share")
		if err := os.Mkdir(s.Dir, 0o755); err != nil {
			return nil, fmt.Errorf("start smbd: %w", err)
		}
	}
	return s, nil
}

// Source is the name to mount: //host/share.
func (s *Samba) Source() string { return "//" + s.Host + "/" + s.Share }

// Addr is the server's address for a dialer.
func (s *Samba) Addr() string { return fmt.Sprintf("%s:%d", s.Host, s.Port) }

// PID is smbd's own process id; its children are in the same process group.
func (s *Samba) PID() int { return s.proc.PID() }

// Path is the place of a share's name on the server's own file system.
func (s *Samba) Path(name ...string) string {
	return filepath.Join(append([]string{s.Dir}, name...)...)
}

// Log is what smbd and its children have written so far.
func (s *Samba) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.state, "log", "smbd.log"))
	out := string(b)
	if s.proc != nil {
		out = s.proc.Log() + out
	}
	return out
}

// Stop ends the server and removes everything that StartSamba made.
func (s *Samba) Stop() {
	if s.proc != nil {
		s.proc.Terminate(5 * time.Second)
	}
	if s.state != "" {
		os.RemoveAll(s.state)
	}
}

// Kill ends the server and all its children with SIGKILL, and waits for them.
// Its folders stay: Restart brings it back.
func (s *Samba) Kill() {
	s.proc.KillGroup()
}

// Restart starts the server again on the same port with the same folders,
// ending it first if it runs.
func (s *Samba) Restart() error {
	s.proc.Terminate(5 * time.Second)
	if err := s.launch(); err != nil {
		return fmt.Errorf("restart smbd: %w", err)
	}
	return nil
}

// Move starts the server again with the same folders on another port.
func (s *Samba) Move() error {
	s.proc.Terminate(5 * time.Second)
	var err error
	if s.Port, err = FreePort(); err == nil {
		err = s.configure()
	}
	if err == nil {
		err = s.launch()
	}
	if err != nil {
		return fmt.Errorf("move smbd: %w", err)
	}
	return nil
}

func (s *Samba) launch() error {
	smbd, err := smbdPath()
	if err != nil {
		return err
	}
	cmd := exec.Command(smbd, "--foreground", "--no-process-group", "--debug-stdout",
		"--configfile="+s.conf())
	if s.proc, err = startProcess(cmd); err != nil {
		return err
	}
	deadline := time.Now().Add(startTimeout)
	for {
		if err = probeSMB2(s.Addr()); err == nil {
			return nil
		}
		select {
		case <-s.proc.Done():
			return fmt.Errorf("smbd ended: %s", strings.TrimSpace(s.proc.Log()))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.proc.KillGroup()
			return fmt.Errorf("smbd does not answer: %w\n%s", err, s.Log())
		}
	}
}

func smbdPath() (string, error) {
	for _, p := range []string{"/usr/sbin/smbd", "/usr/local/samba/sbin/smbd"} {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	if p, err := exec.LookPath("smbd"); err == nil {
		return p, nil
	}
	return "", ErrNoSamba
}

// FreePort gives a loopback port that nobody listens on. It is none of those that Linux gives to whoever connects (from 32768 on): while a
// server that is to come back on its port is away, the end of somebody's connection could be there.
func FreePort() (port int, err error) {
	for range 100 {
		port = 10000 + rand.IntN(32768-10000)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}
