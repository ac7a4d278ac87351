package marks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// far is a node id whose two halves differ: they are stored in the order of neither end.
const far = 0x1_2345_6789

func TestInotifyOfThisProcess(t *testing.T) {
	mnt, device := mount(t)
	s := newScanner(t, device, Options{})
	wantMarked(t, s)

	h := newHolds()
	t.Cleanup(func() { h.do("close", "") })
	d, f := filepath.Join(mnt, "d123456789"), filepath.Join(mnt, "f77")
	for _, path := range []string{d, f, mnt} {
		if err := h.do("watch", path); err != nil {
			t.Fatal(err)
		}
	}
	added, _ := wantMarked(t, s, 1, 0x77, far)
	wantNodes(t, "added", added, 1, 0x77, far)

	if err := h.do("unwatch", d); err != nil {
		t.Fatal(err)
	}
	_, removed := wantMarked(t, s, 1, 0x77)
	wantNodes(t, "removed", removed, far)

	h.do("close", "")
	_, removed = wantMarked(t, s)
	wantNodes(t, "removed", removed, 1, 0x77)
}

func TestMarksOfOtherProcesses(t *testing.T) {
	mnt, device := mount(t)
	s := newScanner(t, device, Options{})
	wantMarked(t, s)
	a, b := startHolder(t), startHolder(t)
	a.do("watch", mnt+"/d10")
	b.do("watch", mnt+"/d10")
	b.do("watch", mnt+"/d11")
	added, _ := wantMarked(t, s, 0x10, 0x11)
	wantNodes(t, "added", added, 0x10, 0x11)
	if n := s.Marked(0x10); n != 2 {
		t.Errorf("the shared directory has %d marks, want 2", n)
	}

	// A mark that another process has too is not removed.
	a.end()
	b.do("unwatch", mnt+"/d11")
	_, removed := wantMarked(t, s, 0x10)
	wantNodes(t, "removed", removed, 0x11)
	b.end()
	_, removed = wantMarked(t, s)
	wantNodes(t, "removed", removed, 0x10)
}

func TestRootFanotify(t *testing.T) {
	mnt, device := mount(t)
	s := newScanner(t, device, Options{})
	c := startHolder(t)
	c.do("fanotify", mnt+"/d21")
	c.do("fanotify", mnt+"/f22")
	c.do("ignore", mnt+"/d23") // watches nothing
	wantMarked(t, s, 0x21, 0x22)
	if r := scan(t, s); r.Whole {
		t.Error("marks on inodes count as one on the whole mount")
	}
	c.end()
	wantMarked(t, s)

	for _, verb := range []string{"fanotify-mount", "fanotify-filesystem"} {
		c := startHolder(t)
		c.do(verb, mnt+"/d24")
		wantWhole(t, s, true)
		c.do("close", "")
		wantWhole(t, s, false)
	}
}

func wantWhole(t *testing.T, s *Scanner, want bool) {
	t.Helper()
	for end := time.Now().Add(limit); scan(t, s).Whole != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("whole mount marked: %v, want %v", !want, want)
		}
	}
}

func TestOtherDevice(t *testing.T) {
	mnt, _ := mount(t)
	other, device := mount(t)
	s := newScanner(t, device, Options{})
	c := startHolder(t)
	c.do("watch", mnt+"/d31")
	c.do("watch", other+"/d32")
	c.do("watch", os.TempDir())
	wantMarked(t, s, 0x32)
}

// What may not be read is not there: as nobody, one's own marks are seen.
func TestUnreadable(t *testing.T) {
	mnt, device := mount(t)
	root, nobody := startHolder(t), startHolder(t)
	root.do("watch", mnt+"/d41")
	nobody.do("nobody", "")
	nobody.do("watch", mnt+"/d42")
	want := fmt.Sprintf("%d %d", device, 0x42)
	if os.Geteuid() != 0 {
		want = fmt.Sprintf("%d %d %d", device, 0x41, 0x42)
	}
	nobody.do("scan", want)
}

// A process ends between the listing of /proc and its examination.
func TestEndsDuringScan(t *testing.T) {
	mnt, device := mount(t)
	s := newScanner(t, device, Options{})
	c, kept := startHolder(t), startHolder(t)
	c.do("watch", mnt+"/d51")
	kept.do("watch", mnt+"/d52")
	wantMarked(t, s, 0x51, 0x52)
	c.do("watch", mnt+"/d53")
	now := time.Now()
	if err := s.list(now); err != nil {
		t.Fatal(err)
	}
	c.end()
	if err := s.examine(context.Background(), now); err != nil {
		t.Fatalf("examine: %v", err)
	}
	wantMarked(t, s, 0x52)
}

func TestProcessesComeAndGo(t *testing.T) {
	mnt, device := mount(t)
	s := newScanner(t, device, Options{})
	stop, scanned := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				scanned <- nil
				return
			default:
			}
			if _, err := s.scanNow(); err != nil {
				scanned <- err
				return
			}
		}
	}()
	for i := range 40 {
		c := startHolder(t)
		c.do("watch", fmt.Sprintf("%s/d%x", mnt, 0x60+i%4))
		c.end()
	}
	close(stop)
	if err := <-scanned; err != nil {
		t.Fatal(err)
	}
	wantMarked(t, s)
}

func TestCancelled(t *testing.T) {
	mnt, device := mount(t)
	s := newScanner(t, device, Options{})
	c := startHolder(t)
	c.do("watch", mnt+"/d71")
	cause := errors.New("the mount goes away")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if _, err := s.Scan(ctx); !errors.Is(err, cause) {
		t.Errorf("scan: %v, want the cause", err)
	}
	wantMarked(t, s, 0x71) // what was left out is still due
}

// A process that does not run is not examined again.
func TestIdleIsLeftAlone(t *testing.T) {
	mnt, device := mount(t)
	s := newScanner(t, device, Options{})
	c := startHolder(t)
	c.do("watch", mnt+"/d81")
	wantMarked(t, s, 0x81)
	var readAt time.Time
	group := func() *group {
		for _, g := range s.procs[c.cmd.Process.Pid].groups {
			return g
		}
		t.Fatal("the group is not known")
		return nil
	}
	// The holder comes to rest: its runtime may do something after the answer.
	for end := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		scan(t, s)
		if g := group(); !g.due && g.readAt.Equal(readAt) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it is examined by every scan")
		}
		readAt = group().readAt
	}
	c.do("watch", mnt+"/d82")
	wantMarked(t, s, 0x81, 0x82)
}

// FUSE names threads; the process is meant.
func TestHintOfThread(t *testing.T) {
	_, device := mount(t)
	s := newScanner(t, device, Options{})
	tid, done := make(chan int), make(chan struct{})
	defer close(done)
	for range 2 { // one of them is not the first thread
		go func() {
			runtime.LockOSThread()
			tid <- unix.Gettid()
			<-done
		}()
	}
	thread := <-tid
	if other := <-tid; thread == os.Getpid() {
		thread = other
	}
	s.Hint(uint32(thread))
	scan(t, s)
	if p := s.procs[os.Getpid()]; p.hintedUntil.IsZero() {
		t.Errorf("the thread %d is not known as one of %d", thread, p.pid)
	}
	if n := s.proc.leader(1 << 30); n != 0 {
		t.Errorf("a thread that is not there belongs to %d", n)
	}
}

func TestNoProc(t *testing.T) {
	if _, err := New(1, Options{Proc: filepath.Join(t.TempDir(), "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("New: %v", err)
	}
}
