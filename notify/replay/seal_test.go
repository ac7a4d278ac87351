package replay

import (
	"context"
	"errors"
	"reflect"
	"syscall"
	"testing"
	"time"
)

// TestOthersAreNotWorkers: while a worker is in the very call, another process that
// makes the same one, or looks up a nonce of its own, is an ordinary caller.
func TestOthersAreNotWorkers(t *testing.T) {
	r := newRig(t, 0, Config{})
	r.fs.add("a", dirMode)
	r.fs.add("b", dirMode)
	held := r.hold("MKNOD")
	done := make(chan error, 1)
	go func() { done <- r.do(Call{Op: Mknod, Dir: "a", Name: "x"}) }()
	wait(t, "MKNOD by the worker", held.arrived)
	if got := r.actor("mknod", r.path("b/x")); got != "ok" {
		t.Errorf("mknod by another process: %s", got)
	}
	if got := r.actor("introduce", r.mnt); got != "ENOENT" {
		t.Errorf("lookup of a made-up nonce: %s", got)
	}
	if got := r.actor("mknod", r.path("b/y")); got != "ok" {
		t.Errorf("mknod after a made-up nonce: %s", got)
	}
	held.release()
	if err := inTime(t, "Do", func() error { return <-done }); err != nil {
		t.Error(err)
	}
	want := []seen{{"MKNOD", "a/x", true, true}, {"MKNOD", "b/x", false, false}, {"MKNOD", "b/y", false, false}}
	if got := r.fs.calls(); !reflect.DeepEqual(got, want) {
		t.Errorf("the handlers saw %+v, want %+v", got, want)
	}
}

// TestUnexpectedCallIsVisible: a worker that makes another call than the one it is
// expected to make is seen as that, and what the handler then answers comes back.
func TestUnexpectedCallIsVisible(t *testing.T) {
	r := newRig(t, 0, Config{})
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := r.h.Do(ctx, Call{Op: Mkdir, Name: "made"}, &Call{Op: Mkdir, Name: "other"})
	var e *Error
	if !errors.As(err, &e) || e.Step != StepCall || !errors.Is(err, syscall.EPERM) {
		t.Errorf("error %v, want EPERM of the call", err)
	}
	if want, got := []seen{{"MKDIR", "made", true, false}}, r.fs.calls(); !reflect.DeepEqual(got, want) {
		t.Errorf("the handler saw %+v, want %+v", got, want)
	}
	if r.fs.exists("made") {
		t.Error("it was made all the same")
	}
}

// TestExpectationEndsWithTheCall: afterwards the thread is a worker that expects nothing.
func TestExpectationEndsWithTheCall(t *testing.T) {
	r := newRig(t, 0, Config{Workers: 1, CloseWriters: 1})
	r.mustDo(Call{Op: Mkdir, Name: "d"})
	threads := *r.h.reg.threads.Load()
	if len(threads) != 3 {
		t.Fatalf("%d threads are known, want one for each kind and a spare one", len(threads))
	}
	for tid := range threads {
		if expect, worker := r.h.Worker(tid); !worker || expect != nil {
			t.Errorf("thread %d: expects %v, worker %v", tid, expect, worker)
		}
	}
	if expect, worker := r.h.Worker(uint32(syscall.Getpid())); worker || expect != nil {
		t.Error("the daemon itself is taken for a worker")
	}
	if r.h.Introduce(0, noncePrefix) || r.h.Introduce(1, "ordinary") {
		t.Error("a name that is no nonce introduced somebody")
	}
}

// TestNonceWorksOnce: who overhears a nonce gains nothing by it.
func TestNonceWorksOnce(t *testing.T) {
	h := New(Config{})
	w := &worker{process: &process{helper: h}}
	nonce, in := h.reg.await(w)
	if h.Introduce(7, nonce+"x") || h.Introduce(0, nonce) || !h.Introduce(8, nonce) || h.Introduce(9, nonce) {
		t.Error("the nonce was to be taken from thread 8, once")
	}
	if tid, seen := h.reg.settle(nonce, in); tid != 8 || !seen {
		t.Errorf("settled as %d, %v", tid, seen)
	}
	late, in := h.reg.await(w)
	h.reg.settle(late, in)
	if h.Introduce(10, late) {
		t.Error("a nonce was taken after the wait for it had ended")
	}
	h.reg.forget(w.process)
	if _, worker := h.Worker(8); worker {
		t.Error("thread 8 is known after its process was forgotten")
	}
}

// TestNamesAreChecked: nothing of this reaches the helper.
func TestNamesAreChecked(t *testing.T) {
	h := New(Config{})
	long := make([]byte, nameMax+1)
	for i := range long {
		long[i] = 'x'
	}
	for _, c := range []Call{
		{Op: Unlink}, {Op: Unlink, Name: "."}, {Op: Unlink, Name: ".."}, {Op: Unlink, Name: "a/b"},
		{Op: Unlink, Name: "/"}, {Op: Unlink, Name: "a\x00"}, {Op: Unlink, Name: string(long)},
		{Op: Unlink, Dir: "..", Name: "a"}, {Op: Unlink, Dir: "a/../b", Name: "a"}, {Op: Unlink, Dir: "/a", Name: "a"},
		{Op: Unlink, Dir: "a/", Name: "a"}, {Op: Unlink, Dir: "a//b", Name: "a"}, {Op: Unlink, Dir: "a/.", Name: "a"},
		{Op: Rename, Name: "a"}, {Op: Rename, Name: "a", NewName: ".."}, {Op: Rename, Name: "a", NewDir: "..", NewName: "b"},
		{Op: Link, Name: "a", NewName: "b/c"}, {Op: Rename, Name: "a", NewDir: "/", NewName: "b"},
		{Op: Symlink, Name: "a"}, {Op: Symlink, Name: "a", Target: "b\x00c"},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		if err := h.Do(ctx, c, nil); !errors.Is(err, ErrName) {
			t.Errorf("%+v: %v, want ErrName", c, err)
		}
		// The helper looks for itself.
		if res := (&runner{mountpoint: "/"}).run(&message{Call: c}); res.errno != syscall.EINVAL {
			t.Errorf("%+v: the helper says %v, want EINVAL", c, res.errno)
		}
		cancel()
	}
	for _, op := range []Op{opIntroduce, opEnd, 200} {
		if err := h.Do(context.Background(), Call{Op: op, Name: "a"}, nil); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%v: %v, want EINVAL", op, err)
		}
	}
}
