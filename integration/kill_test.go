package integration

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// within runs what may hang in a goroutine of its own, and fails the test if it
// does not end in time.
func within(t *testing.T, d time.Duration, what string, work func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-time.After(d):
		t.Fatalf("%s hangs", what)
		return nil
	}
}

// TestDaemonKilled: SIGKILL while watched and in use. Nothing hangs, the helper
// ends, fusermount3 -u works, and a new mount on the same point works and tells.
func TestDaemonKilled(t *testing.T) {
	s := plainSamba(t)
	point := t.TempDir()
	dir := folder(t, s)
	must(t, os.WriteFile(s.Path(dir, "f"), []byte("hello"), 0o644))
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Point: point})
	shown(t, m.Path(dir), s.Path(dir))
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Path(dir), testenv.WatchOptions{})
	arm(t, w, s.Path(dir))
	helpers := m.HelperPIDs()
	if len(helpers) == 0 {
		t.Fatal("the daemon has no replay helper")
	}
	// Everything below is in use when the daemon is killed.
	readers, stop := useAllTheTime(t, m.Path(dir), s.Path(dir))
	created := newTally(unix.IN_CREATE, w.Len())
	if err := w.WaitFor(stepTimeout, created.reached(20)); err != nil {
		t.Fatalf("no events before the kill: %v", err)
	}
	must(t, m.Kill())
	stop()
	for _, wait := range readers {
		if err := within(t, 15*time.Second, "a process using the mount", wait); err == nil {
			t.Error("work through a dead mount succeeded")
		}
	}
	for _, pid := range helpers {
		if !testenv.WaitUntil(10*time.Second, func() bool { return !testenv.Alive(pid) }) {
			t.Errorf("helper %d outlives the daemon", pid)
		}
	}
	dead := func() bool {
		err := within(t, 10*time.Second, "stat", func() error { _, err := os.Stat(m.Path(dir, "f")); return err })
		return errors.Is(err, syscall.ENOTCONN)
	}
	if !testenv.WaitUntil(10*time.Second, dead) { // a helper that notifies the kernel ends a moment later
		t.Error("the mount outlives its daemon")
	}
	var out []byte
	var err error
	unmounted := func() bool { // whoever looks through /proc for watchers holds what others have open, for a moment
		out, err = exec.Command("timeout", "10", "fusermount3", "-u", point).CombinedOutput()
		return err == nil
	}
	if !testenv.WaitUntil(10*time.Second, unmounted) {
		t.Fatalf("fusermount3 -u: %v: %s", err, out)
	}
	again := testenv.MustMount(t, testenv.MountOptions{Samba: s, Point: point})
	wantContent(t, again.Path(dir, "f"), "hello")
	arm(t, testenv.MustWatch(t, testenv.WatchInotify, again.Path(dir), testenv.WatchOptions{}), s.Path(dir))
}

// useAllTheTime reads, writes and lists through the mount, and makes files on the
// server, until each of them fails; the functions wait for that. stop ends what is
// done on the server.
func useAllTheTime(t *testing.T, mount, server string) (waits []func() error, stop func()) {
	t.Helper()
	quit := make(chan struct{})
	changed := make(chan struct{})
	go func() {
		defer close(changed)
		for i := 0; ; i++ {
			select {
			case <-quit:
				return
			case <-time.After(time.Millisecond):
				_ = os.WriteFile(filepath.Join(server, fmt.Sprint("s", i)), nil, 0o644)
			}
		}
	}()
	stop = sync.OnceFunc(func() { close(quit); <-changed })
	t.Cleanup(stop)
	work := []func() error{
		func() error { _, err := os.ReadFile(filepath.Join(mount, "f")); return err },
		func() error { return os.WriteFile(filepath.Join(mount, "own"), []byte("x"), 0o644) },
		func() error { _, err := os.ReadDir(mount); return err },
	}
	for _, do := range work {
		failed := make(chan error, 1)
		go func() {
			for {
				if err := do(); err != nil {
					failed <- err
					return
				}
			}
		}()
		waits = append(waits, func() error { return <-failed })
	}
	return waits, stop
}

// TestHelperKilled: the replay helper is killed again and again while files are
// made. It comes back, and every file is told exactly once.
func TestHelperKilled(t *testing.T) {
	t.Parallel()
	const kills, filesEach = 5, 200
	s := plainSamba(t)
	dir := folder(t, s)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	shown(t, m.Path(dir), s.Path(dir))
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Path(dir), testenv.WatchOptions{})
	arm(t, w, s.Path(dir))
	created := newTally(unix.IN_CREATE, w.Len())
	names := map[string]bool{}
	for k := range kills {
		helpers := m.HelperPIDs()
		if len(helpers) == 0 {
			t.Fatal("the daemon has no replay helper")
		}
		for i := range filesEach {
			name := fmt.Sprintf("f-%d-%d", k, i)
			names[name] = true
			must(t, os.WriteFile(s.Path(dir, name), nil, 0o644))
			if i == filesEach/2 {
				for _, pid := range helpers {
					must(t, syscall.Kill(pid, syscall.SIGKILL))
				}
			}
		}
		if err := w.WaitFor(time.Minute, created.reached(len(names))); err != nil {
			t.Errorf("after %d kills: %v", k+1, err)
			break
		}
		for _, pid := range helpers {
			if testenv.Alive(pid) {
				t.Errorf("helper %d was killed and still runs", pid)
			}
		}
	}
	must(t, w.WaitQuiet(afterglow, time.Minute))
	created.reached(len(names))(w.Events())
	created.wantOnce(t, names)
}

// TestUnmountIsClean: after fusermount3 -u and after SIGTERM neither daemon nor
// helper is left, and the mount point is an ordinary directory again.
func TestUnmountIsClean(t *testing.T) {
	t.Parallel()
	for _, daemon := range []bool{false, true} {
		for name, end := range map[string]func(*testenv.Mounted) error{
			"fusermount3": (*testenv.Mounted).Unmount,
			"SIGTERM":     func(m *testenv.Mounted) error { return syscall.Kill(m.PID, syscall.SIGTERM) },
		} {
			t.Run(fmt.Sprintf("%s/daemon=%v", name, daemon), func(t *testing.T) {
				t.Parallel()
				s := plainSamba(t)
				m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Daemon: daemon, Point: t.TempDir()})
				if _, err := os.ReadDir(m.Mountpoint); err != nil {
					t.Fatal(err)
				}
				processes := append(m.HelperPIDs(), m.PID)
				must(t, end(m))
				for _, pid := range processes {
					if !testenv.WaitUntil(15*time.Second, func() bool { return !testenv.Alive(pid) }) {
						t.Errorf("process %d is left", pid)
					}
				}
				if testenv.IsMounted(m.Mountpoint) {
					t.Fatal("still mounted")
				}
				if _, err := os.Stat(filepath.Join(m.Mountpoint, "anything")); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the mount point: %v", err)
				}
				if !daemon {
					if err := m.Process().Err(); err != nil {
						t.Errorf("smbfs ended with %v: %s", err, m.Log())
					}
				}
			})
		}
	}
}

// TestStacks: a failure that is a hang shows what every goroutine of the daemon was doing.
func TestStacks(t *testing.T) {
	t.Parallel()
	m := testenv.MustMount(t, testenv.MountOptions{Samba: plainSamba(t)})
	if s := m.Stacks(); !strings.Contains(s, "notify.(*Engine).tellAll(") {
		t.Errorf("no stack of the engine in:\n%s", s)
	}
}
