package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo terminal and what was shown on it.
type terminal struct {
	master, slave *os.File
	mu            sync.Mutex
	shown         bytes.Buffer // guarded by mu
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	term := &terminal{master: master, slave: slave}
	go term.read() // ends when the master is closed
	return term
}

func (p *terminal) read() {
	buf := make([]byte, 1024)
	for {
		n, err := p.master.Read(buf)
		p.mu.Lock()
		p.shown.Write(buf[:n])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *terminal) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown.String()
}

func (p *terminal) echoes(t *testing.T) bool {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s.Lflag&unix.ECHO != 0
}

func TestPrompt(t *testing.T) {
	for name, typed := range map[string]string{"typed": "very-secret\n", "interrupted": "very\x03"} {
		t.Run(name, func(t *testing.T) {
			c, term := newCommand(t, "ok"), newTerminal(t)
			c.leave("umount")
			cmd := c.cmd("-f", "-o", "user=bob", "//host/share", c.mnt)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = term.slave, term.slave, term.slave
			cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			until(t, "it asks without echo", func() bool {
				return strings.Contains(term.text(), "Password for bob at //host/share: ") && !term.echoes(t)
			})
			if _, err := term.master.WriteString(typed); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			want := map[string]int{"typed": exitOK, "interrupted": exitSystem}[name]
			if code := cmd.ProcessState.ExitCode(); code != want {
				t.Errorf("exit code %d, want %d: %s", code, want, term.text())
			}
			if strings.Contains(term.text(), "very") {
				t.Errorf("the password was shown: %s", term.text())
			}
			if !term.echoes(t) {
				t.Error("the terminal was left without echo")
			}
			if b, _ := os.ReadFile(filepath.Join(c.dir, "password")); name == "typed" && string(b) != "very-secret" {
				t.Errorf("the mount got %q", b)
			}
		})
	}
}
