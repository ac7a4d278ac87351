package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// A follower is a recursive inotify watcher that keeps a model. Unlike testenv's watcher it knows
// directories as objects, not by path, so that directories may swap their names between two reads.
//
// Its one goroutine reads until stop closes the pipe; mu is held while events are applied.
type follower struct {
	dir  string
	fd   int
	stop *os.File
	done chan struct{}

	mu    sync.Mutex
	model *model               // guarded by mu
	marks map[int32]*modelNode // guarded by mu
	last  time.Time            // guarded by mu; of the last event
	told  []testenv.Event      // guarded by mu; since the last quiet point
	err   error                // guarded by mu
}

// follow marks a directory and everything below it. What is there now is the model's start.
func follow(t *testing.T, dir string) *follower {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	must(t, err)
	r, w, err := os.Pipe()
	must(t, err)
	f := &follower{dir: dir, fd: fd, stop: w, done: make(chan struct{}), model: newModel(), marks: map[int32]*modelNode{}}
	f.enter(f.model.root)
	if f.err != nil {
		t.Fatal(f.err)
	}
	go f.run(r)
	t.Cleanup(func() { f.stop.Close(); <-f.done })
	return f
}

func (f *follower) run(stop *os.File) {
	defer close(f.done)
	defer stop.Close()
	defer unix.Close(f.fd)
	buf := make([]byte, 1<<20)
	for {
		p := []unix.PollFd{{Fd: int32(f.fd), Events: unix.POLLIN}, {Fd: int32(stop.Fd()), Events: unix.POLLIN}}
		if _, err := unix.Poll(p, -1); err != nil && err != unix.EINTR {
			f.fail(err)
			return
		}
		if p[1].Revents != 0 {
			return
		}
		n, err := unix.Read(f.fd, buf)
		if err == unix.EAGAIN || err == unix.EINTR {
			continue
		}
		if err != nil {
			f.fail(err)
			return
		}
		f.decode(buf[:n])
	}
}

func (f *follower) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = errors.Join(f.err, err)
}

// decode applies struct inotify_event, see inotify(7).
func (f *follower) decode(b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = time.Now()
	for len(b) >= unix.SizeofInotifyEvent {
		wd := int32(binary.NativeEndian.Uint32(b))
		mask := binary.NativeEndian.Uint32(b[4:])
		cookie := binary.NativeEndian.Uint32(b[8:])
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:size], []byte{0})
		b = b[size:]
		if mask&unix.IN_Q_OVERFLOW != 0 {
			f.err = errors.Join(f.err, errors.New("the watcher's queue overflowed"))
		}
		d := f.marks[wd]
		if mask&unix.IN_IGNORED != 0 {
			delete(f.marks, wd)
			if d != nil {
				d.marked = false
			}
			continue
		}
		if d == nil || len(name) == 0 || d.gone {
			continue
		}
		f.event(d, mask&^unix.IN_ISDIR, string(name), mask&unix.IN_ISDIR != 0, cookie)
	}
}

// event applies one event and looks at what it is about, as programs do.
//
// Preconditions: f.mu is held.
func (f *follower) event(d *modelNode, mask uint32, name string, isDir bool, cookie uint32) {
	f.told = append(f.told, testenv.Event{Time: time.Now(), Mask: mask, Dir: d.path(), Name: name, Cookie: cookie, IsDir: isDir})
	n := f.model.apply(d, mask, name, isDir, cookie)
	switch {
	case n == nil:
	case n.dir && !n.marked:
		f.enter(n)
	case !n.dir:
		f.look(n)
	}
}

func (f *follower) look(n *modelNode) {
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(f.dir, n.path()), &st); err != nil || st.Mode&unix.S_IFMT == unix.S_IFDIR {
		n.missed = true
		return
	}
	n.size = st.Size
}

const followMask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_CLOSE_WRITE |
	unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ONLYDIR

// enter marks a directory and lists it. Its name may lead to another directory by now: if that one is known,
// its own events tell where it is; if not, the newer name has it.
//
// Preconditions: f.mu is held, or the reader does not run yet.
func (f *follower) enter(n *modelNode) {
	at := filepath.Join(f.dir, n.path())
	wd, err := unix.InotifyAddWatch(f.fd, at, followMask)
	if err != nil {
		if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR) {
			f.err = errors.Join(f.err, fmt.Errorf("mark %s: %w", at, err))
		}
		return
	}
	old := f.marks[int32(wd)]
	if old != nil && old != n && !old.gone && !old.young {
		return
	}
	f.marks[int32(wd)], n.marked = n, true
	if old != nil && old != n && !old.gone {
		old.marked = false
		f.enter(old)
	}
	entries, err := os.ReadDir(at)
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ESTALE) { // gone, in one way or the other
		f.err = errors.Join(f.err, fmt.Errorf("list %s: %w", at, err))
	}
	for _, e := range entries {
		k := n.kids[e.Name()]
		if k == nil {
			k = newNode(e.Name(), e.IsDir())
			k.attach(n, e.Name())
			k.listed = true
		}
		switch {
		case k.dir && !k.marked:
			f.enter(k)
		case !k.dir:
			f.look(k)
		}
	}
}

// state is what events have said so far, compared with what is there.
func (f *follower) state(real map[string]found) (diff string, wrong []string, quiet time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.model.differs(real), f.model.wrong, time.Since(f.last), f.err
}

// doubts are the deletions that only a local program's doing explains.
func (f *follower) doubts() []doubt {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.model.doubts
}

// settle starts a new round; a directory that could not be marked in its first moments is marked now.
func (f *follower) settle(real map[string]found) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told, f.model.doubts = nil, nil
	f.model.root.each(func(n *modelNode) {
		if n.dir && !n.marked {
			f.enter(n)
		}
	})
	f.model.settle(real)
}

func (f *follower) events() []testenv.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.told
}

// names are what has been told, in the order of their paths' parts.
func (f *follower) names() (dirs, files []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	dirs = []string{"."}
	f.model.root.each(func(n *modelNode) {
		if n.dir {
			dirs = append(dirs, n.path())
		} else {
			files = append(files, n.path())
		}
	})
	return dirs, files
}
