package replay

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// beginHeld starts a call that the handler does not answer yet.
func (r *rig) beginHeld(dir, name string) (*held, <-chan error) {
	r.t.Helper()
	held := r.hold("MKNOD")
	done := make(chan error, 1)
	go func() { done <- r.do(Call{Op: Mknod, Dir: dir, Name: name}) }()
	wait(r.t, "MKNOD by the worker", held.arrived)
	return held, done
}

// TestKilledInMidCall: the call under way is lost once the handler has answered, and
// only then; the process is reaped, another takes over, and its threads are known.
func TestKilledInMidCall(t *testing.T) {
	r := newRig(t, 0, Config{})
	held, done := r.beginHeld("", "a")
	pid := r.h.Status().Pid
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first thread's end", func() bool { return processState(pid) == 'Z' })
	select {
	case err := <-done:
		t.Fatalf("Do returned %v while the call was still under way", err)
	default:
	}
	held.release()
	if err := inTime(t, "Do", func() error { return <-done }); !errors.Is(err, ErrHelperLost) {
		t.Errorf("Do: %v, want ErrHelperLost", err)
	}
	r.mustDo(Call{Op: Mknod, Name: "b"})
	if exists(pid) {
		t.Error("the dead process was not reaped")
	}
	st := r.awaitRestart(1)
	if st.Pid == pid {
		t.Errorf("status %+v after the death of %d", st, pid)
	}
	if got, want := len(*r.h.reg.threads.Load()), st.Workers; got != want {
		t.Errorf("%d threads are known, want the %d of the new process", got, want)
	}
}

// TestKilledAndUnanswered: a handler that does not answer is told by OnLost.
func TestKilledAndUnanswered(t *testing.T) {
	var held atomic.Pointer[held]
	r := newRig(t, 0, Config{StallAfter: time.Minute, OnLost: func() {
		if h := held.Load(); h != nil {
			h.release()
		}
	}})
	h, done := r.beginHeld("", "a")
	held.Store(h)
	if err := unix.Kill(r.h.Status().Pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := inTime(t, "Do", func() error { return <-done }); !errors.Is(err, ErrHelperLost) {
		t.Errorf("Do: %v, want ErrHelperLost", err)
	}
	held.Store(nil)
	r.mustDo(Call{Op: Mknod, Name: "b"})
}

// TestNeverAnswered: the dead process is not forgotten before it can be, calls wait, as
// long as their callers want, and then another takes over.
func TestNeverAnswered(t *testing.T) {
	r := newRig(t, 0, Config{StallAfter: time.Minute})
	held, done := r.beginHeld("", "a")
	pid := r.h.Status().Pid
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := inTime(t, "Do", func() error { return <-done }); !errors.Is(err, ErrHelperLost) {
		t.Errorf("Do: %v, want ErrHelperLost", err)
	}
	if !strings.Contains(r.log.String(), "cannot be ended") {
		t.Error("nothing was logged of it")
	}
	if !exists(pid) || len(*r.h.reg.threads.Load()) != r.h.Status().Workers {
		t.Error("the threads of a process that still lives were forgotten")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := r.h.Do(ctx, Call{Op: Mknod, Name: "b"}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Do: %v, want a deadline exceeded", err)
	}
	held.release()
	r.mustDo(Call{Op: Mknod, Name: "b"})
	if exists(pid) {
		t.Error("the dead process was not reaped")
	}
}

// awaitRestart waits until the helper has been restarted n times and is there.
func (r *rig) awaitRestart(n int) Status {
	r.t.Helper()
	eventually(r.t, "the restart", func() bool { st := r.h.Status(); return st.Running && st.Restarts == n })
	return r.h.Status()
}

// TestKilledIdle: calls wait for the restart; none fails that had not been sent.
func TestKilledIdle(t *testing.T) {
	r := newRig(t, 0, Config{RestartDelay: 100 * time.Millisecond})
	for i := range 3 {
		if err := unix.Kill(r.awaitRestart(i).Pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the loss is noticed", func() bool { return !r.h.Status().Running })
		r.mustDo(Call{Op: Mknod, Name: "f" + strconv.Itoa(i)})
	}
}

// TestWaitForRestartIsBounded: by the caller's context.
func TestWaitForRestartIsBounded(t *testing.T) {
	r := newRig(t, 0, Config{RestartDelay: time.Minute})
	if err := unix.Kill(r.h.Status().Pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loss is noticed", func() bool { return !r.h.Status().Running })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	c := Call{Op: Mknod, Name: "a"}
	if err := r.h.Do(ctx, c, &c); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnfinished) {
		t.Errorf("Do: %v, want a deadline exceeded before the call", err)
	}
}

// TestUnfinished: a caller that gives up leaves the call under way, and its expectation.
func TestUnfinished(t *testing.T) {
	r := newRig(t, 0, Config{Workers: 1})
	held := r.hold("MKNOD")
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan error, 1)
	c := Call{Op: Mknod, Name: "a"}
	go func() { done <- r.h.Do(ctx, c, &c) }()
	wait(t, "MKNOD", held.arrived)
	why := errors.New("given up")
	cancel(why)
	if err := inTime(t, "Do", func() error { return <-done }); !errors.Is(err, ErrUnfinished) || !errors.Is(err, why) {
		t.Errorf("Do: %v, want ErrUnfinished and its cause", err)
	}
	expected := func() (n int) {
		for tid := range *r.h.reg.threads.Load() {
			if e, _ := r.h.Worker(tid); e == &c {
				n++
			}
		}
		return n
	}
	if expected() != 1 {
		t.Error("the expectation is gone before the call is")
	}
	held.release()
	eventually(t, "the end of the expectation", func() bool { return expected() == 0 })
	r.mustDo(Call{Op: Mknod, Name: "b"})
}

// TestStalled: a call that hangs is logged once, and another worker takes its place.
func TestStalled(t *testing.T) {
	r := newRig(t, 0, Config{Workers: 1, CloseWriters: 1, StallAfter: 200 * time.Millisecond})
	r.fs.add("c", dirMode)
	r.fs.add("d", dirMode)
	held, done := r.beginHeld("c", "a")            // holds the lock of c
	r.mustDo(Call{Op: Mkdir, Dir: "d", Name: "b"}) // waits for the spare worker
	if st := r.h.Status(); st.Stalled != 1 {
		t.Errorf("status %+v, want one stalled worker", st)
	}
	r.mustDo(Call{Op: Modify, Name: "d", Mtime: someTime}) // and once more
	held.release()
	if err := inTime(t, "Do", func() error { return <-done }); err != nil {
		t.Error(err)
	}
	told := 0
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, "replay stalled") && strings.Contains(line, "call=mknod") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times of one stalled call", told)
	}
	if st := r.h.Status(); st.Stalled != 0 {
		t.Errorf("status %+v after the call's end", st)
	}
}

// TestCloseWriteOfLeasedFile: a local lease is not waited for.
func TestCloseWriteOfLeasedFile(t *testing.T) {
	r := newRig(t, 0, Config{})
	r.fs.add("f", fileMode)
	r.background("replay-test-actor", "lease", r.path("f"))
	if err := r.do(Call{Op: CloseWrite, Name: "f"}); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("Do: %v, want EAGAIN", err)
	}
}

// TestCloseWriteHasADeadline: and does not hold up the other workers.
func TestCloseWriteHasADeadline(t *testing.T) {
	r := newRig(t, 0, Config{Workers: 1, CloseWriters: 1, CloseWriteTimeout: 20 * time.Millisecond})
	r.fs.add("f", fileMode)
	held := r.hold("OPEN")
	if err := r.do(Call{Op: CloseWrite, Name: "f"}); !errors.Is(err, ErrUnfinished) {
		t.Errorf("Do: %v, want ErrUnfinished", err)
	}
	r.mustDo(Call{Op: Mknod, Name: "b"})
	wait(t, "OPEN", held.arrived)
	held.release()
}

// TestCloseInMidCall: Close ends an unanswered call by force, and leaves no process.
func TestCloseInMidCall(t *testing.T) {
	r := newRig(t, 0, Config{})
	held, done := r.beginHeld("", "a")
	closed := make(chan error, 1)
	go func() { closed <- r.h.Close() }()
	eventually(t, "Close begins", r.h.isClosing)
	if err := r.do(Call{Op: Mknod, Name: "b"}); !errors.Is(err, ErrClosed) {
		t.Errorf("Do while closing: %v, want ErrClosed", err)
	}
	eventually(t, "the helper ends", func() bool { return processState(r.h.Status().Pid) == 'Z' })
	held.release()
	if err := inTime(t, "Close", func() error { return <-closed }); err != nil {
		t.Error(err)
	}
	if err := inTime(t, "Do", func() error { return <-done }); !errors.Is(err, ErrHelperLost) {
		t.Errorf("Do: %v, want ErrHelperLost", err)
	}
}

// TestStartFails: when nobody answers the introductions, and when there is no such mount.
func TestStartFails(t *testing.T) {
	r := newRig(t, 0, Config{})
	dev, err := DeviceOf(r.mnt)
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"a helper that the handlers do not ask": {Mountpoint: r.mnt, Device: dev},
		"another device":                        {Mountpoint: r.mnt, Device: dev + 1},
		"no such folder":                        {Mountpoint: r.mnt + "x", Device: dev},
	} {
		h := New(cfg)
		err := inTime(t, name, func() error { return h.Start(context.Background()) })
		if !errors.Is(err, ErrNotMounted) {
			t.Errorf("%s: %v, want ErrNotMounted", name, err)
		}
		if err := inTime(t, "Close", h.Close); err != nil {
			t.Error(err)
		}
	}
	h := New(Config{Mountpoint: r.mnt, Device: dev})
	for range 2 {
		if err := inTime(t, "Close", h.Close); err != nil {
			t.Errorf("Close of what was never started: %v", err)
		}
		if err := h.Start(context.Background()); !errors.Is(err, ErrClosed) {
			t.Errorf("Start after Close: %v, want ErrClosed", err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := New(Config{Mountpoint: r.mnt, Device: dev}).Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Start with a context that has ended: %v", err)
	}
}

// TestDaemonKilled: with a call unanswered. The kernel aborts the mount, and the helper
// ends by itself.
func TestDaemonKilled(t *testing.T) {
	dir := t.TempDir()
	mnt := filepath.Join(dir, "mnt")
	if err := os.Mkdir(mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: dir, mnt: mnt}
	t.Cleanup(func() { exec.Command("fusermount3", "-u", "-z", mnt).Run() })
	line, _, kill := r.background("replay-test-daemon", mnt)
	pid, err := strconv.Atoi(line)
	if err != nil || !exists(pid) {
		t.Fatalf("helper %q: %v", line, err)
	}
	kill()
	// Whoever adopts it may be slow to reap it: its last thread's end is enough.
	eventually(t, "the helper's end", func() bool {
		threads, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
		return err != nil || len(threads) <= 1 && processState(pid) == 'Z'
	})
	mustRun(t, "fusermount3", "-u", mnt)
}

// processState is the letter of proc_pid_stat(5), 0 for none.
func processState(pid int) byte {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, rest, ok := strings.Cut(string(b), ") ")
	if !ok || rest == "" {
		return 0
	}
	return rest[0]
}
