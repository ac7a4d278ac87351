package replay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// limit is how long anything may take before the test fails.
const limit = 20 * time.Second

// rig is a mounted memFS with its helper.
type rig struct {
	t     *testing.T
	fs    *memFS
	dir   string // temporary, holds the mount point
	mnt   string
	local string // a directory on the local disk
	h     *Helper
	log   *logBuffer
}

// logBuffer keeps what is logged, for tests that look at it.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serveMount mounts fs. As root it mounts by itself, else through fusermount3. It does
// not use go-fuse's WaitMount, which opens a file on the mount.
func serveMount(fs *memFS, mnt string) (*fuse.Server, error) {
	root := os.Geteuid() == 0
	srv, err := fuse.NewServer(fs, mnt, &fuse.MountOptions{
		FsName: "replaytest", Name: "smbfs", DirectMountStrict: root, MaxBackground: 64,
	})
	if err != nil {
		return nil, fmt.Errorf("mount (needs /dev/fuse, and fusermount3 from the package fuse3 unless root): %w", err)
	}
	go srv.Serve()
	return srv, nil
}

func startHelper(fs *memFS, mnt string, cfg Config) (*Helper, error) {
	dev, err := DeviceOf(mnt)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	// The handlers need the Helper while Start still runs: as in package fs.
	h := New(withMount(cfg, mnt, dev))
	fs.setHelper(h)
	return h, h.Start(ctx)
}

func withMount(cfg Config, mnt string, dev uint64) Config {
	cfg.Mountpoint, cfg.Device = mnt, dev
	return cfg
}

func newRig(t *testing.T, timeout time.Duration, cfg Config) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "replay test ") // with a space: mountinfo escapes it
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, fs: newMemFS(timeout), dir: dir, mnt: filepath.Join(dir, "mnt point"),
		local: filepath.Join(dir, "local"), log: &logBuffer{}}
	for _, d := range []string{r.mnt, r.local} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(io.MultiWriter(r.log, testWriter{t}), nil))
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) // after the unmount, which the next line sees to
	srv, err := serveMount(r.fs, r.mnt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.unmount(srv) })
	r.h, err = startHelper(r.fs, r.mnt, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// close ends the helper and sees that nothing is left of it.
func (r *rig) close() {
	pid := r.h.Status().Pid
	within := inTime(r.t, "Close", func() error { return r.h.Close() })
	if within != nil && !errors.Is(within, ErrClosed) {
		r.t.Errorf("Close: %v", within)
	}
	if exists(pid) {
		r.t.Errorf("the helper, pid %d, is left behind", pid)
	}
}

// unmount takes the mount away; a wedged one is aborted.
func (r *rig) unmount(srv *fuse.Server) {
	done := make(chan error, 1)
	go func() { done <- srv.Unmount() }()
	select {
	case err := <-done:
		if err == nil {
			return
		}
		r.t.Logf("unmount: %v", err)
	case <-time.After(limit):
		r.t.Error("the unmount hangs")
	}
	if _, err := DeviceOf(r.mnt); err != nil {
		return // a test took it away itself
	}
	// MNT_FORCE aborts the connection.
	r.t.Errorf("the mount is wedged; forcing it: %v", unix.Unmount(r.mnt, unix.MNT_FORCE))
	exec.Command("fusermount3", "-u", "-z", r.mnt).Run()
}

func exists(pid int) bool { return unix.Kill(pid, 0) != unix.ESRCH }

// inTime fails the test, rather than hang it, if f does not return.
func inTime(t testing.TB, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		t.Errorf("%s hangs", what)
		return errors.New("hangs")
	}
}

// eventually waits for a condition that no channel tells of.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

func wait(t testing.TB, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(limit):
		t.Fatalf("%s: not within %v", what, limit)
	}
}

// hold makes the next call of op by a worker wait, at most until the test's end.
func (r *rig) hold(op string) *held {
	h := r.fs.holdNext(op)
	r.t.Cleanup(h.release)
	return h
}

// do makes a call that expects itself.
func do(h *Helper, c Call) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return h.Do(ctx, c, &c)
}

func (r *rig) do(c Call) error { return do(r.h, c) }

func (r *rig) mustDo(c Call) {
	r.t.Helper()
	if err := r.do(c); err != nil {
		r.t.Fatalf("%+v: %v", c, err)
	}
}

// path is a path on the mount, for other processes.
func (r *rig) path(p string) string { return filepath.Join(r.mnt, p) }

func self(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(selfPath, args...)
	cmd.Args[0] = name
	cmd.Stderr = os.Stderr
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// actor has another process make a call; it gives "ok" or the errno's name.
func (r *rig) actor(args ...string) string {
	r.t.Helper()
	var out []byte
	err := inTime(r.t, strings.Join(args, " "), func() (err error) {
		out, err = self("replay-test-actor", args...).Output()
		return err
	})
	if err != nil {
		r.t.Fatalf("actor %q: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// background starts a program that goes on until the test ends, or the returned
// function is called, and waits for its first line.
func (r *rig) background(name string, args ...string) (first string, lines <-chan string, stop func()) {
	r.t.Helper()
	cmd := self(name, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ch := make(chan string, 1000)
	go func() {
		defer close(ch)
		for s := bufio.NewScanner(out); s.Scan(); {
			ch <- s.Text()
		}
	}()
	stop = sync.OnceFunc(func() {
		in.Close()
		cmd.Process.Kill()
		for range ch {
		}
		cmd.Wait()
	})
	r.t.Cleanup(stop)
	select {
	case first = <-ch:
	case <-time.After(limit):
	}
	if first == "" {
		r.t.Fatalf("%s %q said nothing", name, args)
	}
	return first, ch, stop
}

// watcher is a process with inotify watches, and the local directory among them.
type watcher struct {
	r     *rig
	lines <-chan string
	marks int
}

// watch watches paths of the mount, "" being its root.
func (r *rig) watch(paths ...string) *watcher {
	r.t.Helper()
	args := []string{"mark=" + r.local}
	for _, p := range paths {
		label := p
		if p == "" {
			label = "/"
		}
		args = append(args, label+"="+r.path(p))
	}
	_, lines, _ := r.background("replay-test-watcher", args...)
	return &watcher{r: r, lines: lines}
}

// events gives all events since the last time, cookies as "#1", "#2" in order. The
// queue is in order, so a directory made on the local disk marks its end.
func (w *watcher) events() []string {
	w.r.t.Helper()
	w.marks++
	mark := "mark" + strconv.Itoa(os.Getpid()) + "-" + strconv.Itoa(w.marks)
	if err := os.Mkdir(filepath.Join(w.r.local, mark), 0o755); err != nil {
		w.r.t.Fatal(err)
	}
	cookies := map[string]string{"0": ""}
	events := []string{}
	timeout := time.After(limit)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				w.r.t.Fatal("the watcher ended")
			}
			f := strings.Split(line, "\t")
			if f[0] == "mark" {
				if f[3] == mark {
					return events
				}
				continue
			}
			if _, ok := cookies[f[2]]; !ok {
				cookies[f[2]] = fmt.Sprintf(" #%d", len(cookies))
			}
			events = append(events, strings.TrimSpace(f[0]+" "+f[1]+" "+f[3])+cookies[f[2]])
		case <-timeout:
			w.r.t.Fatalf("no mark among the events %q", events)
		}
	}
}
