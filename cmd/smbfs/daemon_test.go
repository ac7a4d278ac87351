package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestDaemonReadyAndUnmountedByOthers(t *testing.T) {
	c := newCommand(t, "ok")
	c.env = append(c.env, "PASSWD=from-the-environment")
	if code, stderr := c.run("//host/share", c.mnt); code != 0 || stderr != "" {
		t.Fatalf("exit code %d, %q", code, stderr)
	}
	pid := c.daemonPID()
	if !alive(pid) {
		t.Fatal("there is no daemon")
	}
	if b, _ := os.ReadFile(filepath.Join(c.dir, "password")); string(b) != "from-the-environment" {
		t.Errorf("the daemon has the password %q", b)
	}
	checkDaemon(t, pid)
	c.leave("umount")
	until(t, "the daemon ends after fusermount3 -u", func() bool { return !alive(pid) })
	if c.has("unmounting") {
		t.Error("it unmounted what was unmounted already")
	}
}

// checkDaemon looks at a daemon from outside: a session of its own, no terminal, no secret.
func checkDaemon(t *testing.T, pid int) {
	t.Helper()
	proc := "/proc/" + strconv.Itoa(pid)
	for _, file := range []string{"/cmdline", "/environ"} {
		b, err := os.ReadFile(proc + file)
		if err != nil || bytes.Contains(b, []byte("from-the-environment")) || bytes.Contains(b, []byte("PASSWD")) {
			t.Errorf("%s of the daemon, %v: %q", file, err, b)
		}
	}
	if sid, err := unix.Getsid(pid); err != nil || sid != pid {
		t.Errorf("session %d of %d, %v", sid, pid, err)
	}
	if cwd, err := os.Readlink(proc + "/cwd"); err != nil || cwd != "/" {
		t.Errorf("working directory %q, %v", cwd, err)
	}
	for fd := range 3 {
		if to, err := os.Readlink(proc + "/fd/" + strconv.Itoa(fd)); err != nil || to != os.DevNull {
			t.Errorf("descriptor %d is %q, %v", fd, to, err)
		}
	}
}

func TestDaemonSignals(t *testing.T) {
	c := newCommand(t, "ok")
	if code, stderr := c.run("-o", "password=x", "//host/share", c.mnt); code != 0 {
		t.Fatal(code, stderr)
	}
	pid := c.daemonPID()
	for _, s := range []unix.Signal{unix.SIGHUP, unix.SIGTERM} {
		if err := unix.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the daemon ends after SIGTERM", func() bool { return !alive(pid) })
	if !c.has("unmounting") {
		t.Error("it ended without unmounting: SIGHUP ended it")
	}
}

func TestForegroundExitCodes(t *testing.T) {
	for name, tc := range map[string]struct {
		mode    string
		signals int
		umount  bool
		code    int
	}{
		"unmounted by others": {mode: "ok", umount: true, code: 0},
		"SIGTERM":             {mode: "ok", signals: 1, code: 0},
		"SIGTERM while busy":  {mode: "busy", signals: 1, umount: true, code: 0},
		"a second SIGTERM":    {mode: "busy", signals: 2, code: exitSystem},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCommand(t, tc.mode)
			cmd := c.cmd("-f", "-o", "password=x,logfile="+filepath.Join(c.dir, "log"), "//host/share", c.mnt)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			logged := func(what string) func() bool {
				return func() bool {
					b, _ := os.ReadFile(filepath.Join(c.dir, "log"))
					return strings.Contains(string(b), what)
				}
			}
			until(t, "it is mounted", logged("msg=mounted"))
			for i := range tc.signals {
				_ = cmd.Process.Signal(unix.SIGTERM)
				if tc.mode == "busy" && i == 0 {
					until(t, "it says that the mount is in use", logged("in use"))
				}
			}
			if tc.umount {
				c.leave("umount")
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
		})
	}
}

func TestDaemonFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		mode string
		code int
		says []string
	}{
		"wrong password":     {"logon", exitMount, []string{`wrong user name or password for user "bob"`, "STATUS_LOGON_FAILURE"}},
		"no answer":          {"hang", exitMount, []string{"host:445 does not answer"}},
		"mount never ends":   {"deaf", exitMount, []string{"host:445 does not answer"}},
		"the daemon stopped": {"frozen", exitMount, []string{"host:445 does not answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{{}, {"-f"}} {
				if tc.mode == "frozen" && len(args) > 0 {
					continue // nobody watches over the foreground
				}
				c := newCommand(t, tc.mode)
				code, stderr := c.run(append(args, "-o", "user=bob,pass=very-secret", "//host/share", c.mnt)...)
				if code != tc.code {
					t.Errorf("%v: exit code %d, want %d", args, code, tc.code)
				}
				oneErrorLine(t, stderr, tc.says...)
				if strings.Contains(stderr, "very-secret") {
					t.Errorf("%v: the password is shown: %s", args, stderr)
				}
				pid := c.daemonPID()
				until(t, "the daemon is gone", func() bool { return !alive(pid) })
			}
		})
	}
}

func TestDaemonCrashIsTold(t *testing.T) {
	c := newCommand(t, "panic")
	code, stderr := c.run("-o", "password=x", "//host/share", c.mnt)
	if code != exitMount || !strings.Contains(stderr, "made to crash") || !strings.Contains(stderr, "the daemon ended before the mount was ready") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// A command killed before the mount is ready leaves no mount that nobody knows of.
func TestDaemonWithoutItsCommand(t *testing.T) {
	c := newCommand(t, "slow")
	cmd := c.cmd("-o", "password=x", "//host/share", c.mnt)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := c.daemonPID()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	c.leave("go")
	until(t, "the daemon gives up", func() bool { return !alive(pid) })
	if !c.has("unmounting") {
		t.Error("the daemon left its mount behind")
	}
}

func TestInterruptedCommandEndsItsDaemon(t *testing.T) {
	c := newCommand(t, "slow")
	cmd := c.cmd("-o", "password=x", "//host/share", c.mnt)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := c.daemonPID()
	_ = cmd.Process.Signal(unix.SIGINT)
	begin := time.Now()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitMount {
		t.Errorf("exit code %d", code)
	}
	oneErrorLine(t, stderr.String(), "interrupted")
	until(t, "the daemon is gone", func() bool { return !alive(pid) })
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestDaemonArgumentByHand(t *testing.T) {
	c := newCommand(t, "ok")
	code, stderr := c.run(daemonArg, "//host/share", c.mnt)
	if code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	oneErrorLine(t, stderr, "for smbfs itself")
}

func TestDaemonLogsToItsFile(t *testing.T) {
	c := newCommand(t, "ok")
	log := filepath.Join(c.dir, "log")
	if code, stderr := c.run("-v", "-o", "password=very-secret,logfile="+log, "//host/share", c.mnt); code != 0 {
		t.Fatal(code, stderr)
	}
	pid := c.daemonPID()
	c.leave("umount")
	until(t, "the daemon ends", func() bool { return !alive(pid) })
	b, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(b), "fake mount") || !strings.Contains(string(b), "unmounted") || strings.Contains(string(b), "very-secret") {
		t.Errorf("the log, %v:\n%s", err, b)
	}
	if st, err := os.Stat(log); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the log's mode: %v, %v", st.Mode(), err)
	}
}
