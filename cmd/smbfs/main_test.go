package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// The test program, started with testMode in its environment, is smbfs with a mount of the test's making. So every test of the
// command's life runs its real main, daemon included.
const (
	testMode = "SMBFS_TEST_MODE" // what fakeMount does
	testDir  = "SMBFS_TEST_DIR"  // where it leaves and looks for files
	testFuse = "SMBFS_TEST_FUSE" // in place of /dev/fuse
)

func TestMain(m *testing.M) {
	mode, ok := os.LookupEnv(testMode)
	if !ok {
		os.Exit(m.Run())
	}
	mountFn = fakeMount
	if mode == "hang" || mode == "deaf" {
		connectTimeout, abandonTimeout, readyTimeout = 200*time.Millisecond, 200*time.Millisecond, 5*time.Second
	}
	if mode == "frozen" {
		readyTimeout = 300 * time.Millisecond
	}
	if f := os.Getenv(testFuse); f != "" {
		fuseDevice = f
	}
	main()
}

// fakeMount stands in for mount. It leaves its process id and its Config's password length in testDir.
func fakeMount(ctx context.Context, cfg Config, log *slog.Logger) (Mounted, error) {
	dir := os.Getenv(testDir)
	leave := func(name, text string) { _ = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600) }
	leave("password", string(cfg.Password))
	leave("pid", strconv.Itoa(os.Getpid()))
	switch os.Getenv(testMode) {
	case "logon":
		return nil, &smbclient.Error{Op: "session setup", Status: wire.StatusLogonFailure}
	case "panic":
		panic("made to crash")
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "deaf":
		select {}
	case "frozen":
		_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
		select {} // the stop may take another thread first
	case "slow":
		waitFile(filepath.Join(dir, "go"))
	}
	log.Info("fake mount", "cfg", cfg)
	return &fakeMounted{dir: dir, busy: os.Getenv(testMode) == "busy", end: make(chan struct{})}, nil
}

func waitFile(name string) {
	for {
		if _, err := os.Stat(name); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

type fakeMounted struct {
	dir  string
	busy bool
	end  chan struct{}
}

// Wait ends with Unmount, or when somebody else "unmounts" by making the file "umount".
func (f *fakeMounted) Wait() {
	go func() {
		waitFile(filepath.Join(f.dir, "umount"))
		close(f.end)
	}()
	<-f.end
}

func (f *fakeMounted) Unmount() error {
	_ = os.WriteFile(filepath.Join(f.dir, "unmounting"), nil, 0o600)
	if f.busy {
		return unix.EBUSY
	}
	return os.WriteFile(filepath.Join(f.dir, "umount"), nil, 0o600)
}

// Condition hangs while there is a file "stuck" and none "unstuck".
func (f *fakeMounted) Condition() string {
	if _, err := os.Stat(filepath.Join(f.dir, "stuck")); err == nil {
		waitFile(filepath.Join(f.dir, "unstuck"))
	}
	return "as it should be"
}

// command is a run of smbfs.
type command struct {
	t   *testing.T
	dir string // testDir
	mnt string // an empty directory to mount on
	env []string
}

func newCommand(t *testing.T, mode string) *command {
	dir := t.TempDir()
	mnt := filepath.Join(dir, "mnt")
	if err := os.Mkdir(mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	return &command{t: t, dir: dir, mnt: mnt, env: []string{testMode + "=" + mode, testDir + "=" + dir}}
}

func (c *command) cmd(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = "smbfs"
	cmd.Env = append(os.Environ(), c.env...)
	return cmd
}

// run runs smbfs to its end and gives the exit code and what it wrote to standard error.
func (c *command) run(args ...string) (code int, stderr string) {
	c.t.Helper()
	return finish(c.t, c.cmd(args...))
}

func finish(t *testing.T, cmd *exec.Cmd) (code int, stderr string) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stderr = &out
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// daemonPID waits for the daemon's mount to begin, and sees to it that the daemon does not outlive the test.
func (c *command) daemonPID() int {
	c.t.Helper()
	var pid int
	until(c.t, "the daemon has begun to mount", func() bool {
		b, err := os.ReadFile(filepath.Join(c.dir, "pid"))
		pid, _ = strconv.Atoi(string(b))
		return err == nil && pid > 0
	})
	c.t.Cleanup(func() {
		if alive(pid) {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	})
	return pid
}

func (c *command) leave(name string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), nil, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *command) has(name string) bool {
	_, err := os.Stat(filepath.Join(c.dir, name))
	return err == nil
}

// alive says whether a process runs; one that only waits to be reaped does not.
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return rest != "" && rest[0] != 'Z' && rest[0] != 'X'
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func oneErrorLine(t *testing.T, stderr string, parts ...string) {
	t.Helper()
	if strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "smbfs: ") {
		t.Errorf("not one line that begins with \"smbfs: \":\n%s", stderr)
	}
	for _, p := range parts {
		if !strings.Contains(stderr, p) {
			t.Errorf("%q is missing in: %s", p, stderr)
		}
	}
}
