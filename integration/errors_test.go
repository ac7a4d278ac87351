package integration

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// failure is a mount that cannot work, and a word that its one line must have.
type failure struct {
	name string
	opt  testenv.MountOptions
	says string // in lower case; alternatives are separated by |
}

const wrongPassword = "not-the-password-at-all"

func failures(t *testing.T) []failure {
	s := plainSamba(t)
	old := testenv.MustSamba(t, testenv.Options{Global: []string{"server max protocol = SMB3_00"}})
	unreadable := filepath.Join(t.TempDir(), "credentials")
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	busy := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	port := func(addr string) string { _, p, _ := net.SplitHostPort(addr); return "port=" + p }
	return []failure{
		{"wrong password", testenv.MountOptions{Samba: s, Env: []string{"PASSWD=" + wrongPassword}}, "password|logon|authentic|denied"},
		{"unknown share", testenv.MountOptions{Samba: s, Source: "//127.0.0.1/nosuchshare"}, "nosuchshare"},
		{"unknown folder", testenv.MountOptions{Samba: s, Path: "/no/such/folder"}, "folder"},
		{"closed port", testenv.MountOptions{Samba: s, Options: []string{port(closedPort(t))}}, "refused|connect"},
		{"unreachable host", testenv.MountOptions{Samba: s, Source: "//192.0.2.1/share"}, "192.0.2.1"},
		{"unknown host", testenv.MountOptions{Samba: s, Source: "//no-such-host.invalid/share"}, "no-such-host.invalid"},
		{"silent server", testenv.MountOptions{Samba: s, Options: []string{port(silentServer(t))}}, "127.0.0.1"},
		{"refused dialect", testenv.MountOptions{Samba: old, Options: []string{"vers=3.1.1"}}, "dialect|vers"},
		{"mount point missing", testenv.MountOptions{Samba: s, Point: filepath.Join(t.TempDir(), "missing")}, "missing"},
		{"mount point is a file", testenv.MountOptions{Samba: s, Point: file}, "directory"},
		{"mount point busy", testenv.MountOptions{Samba: s, Point: busy.Mountpoint}, "mount"},
		{"unreadable credentials", testenv.MountOptions{Samba: s, Options: []string{"credentials=" + unreadable}}, "credentials"},
		{"unknown option", testenv.MountOptions{Samba: s, Options: []string{"nosuchoption"}}, "nosuchoption"},
	}
}

// TestErrorsAreOneLine: what cannot be mounted says why in one line, quickly,
// with and without -f.
func TestErrorsAreOneLine(t *testing.T) {
	t.Parallel()
	for _, f := range failures(t) {
		for _, mode := range []string{"foreground", "daemon"} {
			t.Run(f.name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				o := f.opt
				o.Daemon = mode == "daemon"
				checkFailure(t, o, f.says)
			})
		}
	}
}

func checkFailure(t *testing.T, o testenv.MountOptions, says string) {
	t.Helper()
	if o.Point == "" {
		o.Point = t.TempDir()
	}
	before := testenv.IsMounted(o.Point)
	cmd, point, err := testenv.Command(o)
	must(t, err)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	start := time.Now()
	must(t, cmd.Start())
	// The bound is far above the ten seconds that are promised, so that a slow
	// answer is told from none; it only ends a command that hangs.
	timer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	timer.Stop()
	took := time.Since(start)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Errorf("ended with %v, want a non-zero exit", err)
	}
	if took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if testenv.IsMounted(point) && !before {
		t.Error("something is mounted")
	}
	text := strings.TrimSuffix(out.String(), "\n")
	if text == "" || strings.Contains(text, "\n") {
		t.Errorf("want one line, got:\n%s", out.String())
	}
	if strings.Contains(text, wrongPassword) || o.Samba != nil && strings.Contains(text, o.Samba.Password) {
		t.Error("the line has the password")
	}
	for word := range strings.SplitSeq(says, "|") {
		if strings.Contains(strings.ToLower(text), word) {
			return
		}
	}
	t.Errorf("the line does not say %q: %s", says, text)
}

// closedPort is an address nobody listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// silentServer accepts connections and never says a word.
func silentServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}
