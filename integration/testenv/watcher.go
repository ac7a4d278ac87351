package testenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Watcher is a recursive watcher. Like others of its kind it marks every
// directory it finds and every directory that appears, lists a new directory
// once, and reports what it finds there as CREATE, once.
type Watcher struct {
	*Recorder
	root string
	fd   int
	stop *os.File // closing the write end ends the reader
	done chan struct{}
	kind marker

	// Owned by the reader (by the starting goroutine before it runs).
	found map[string]bool // names told from a listing, whose own CREATE may yet come
}

// marker is what inotify and fanotify do differently.
type marker interface {
	// mark marks one directory, which is known under its path relative to the root.
	mark(dir string) error
	// read reads and decodes what is there; each event has a single mask bit.
	read(buf []byte) ([]Event, error)
	// forget drops a directory that is gone; renamed moves everything at and below it.
	forget(dir string)
	renamed(from, to string)
}

// WatchOptions shape a watcher.
type WatchOptions struct {
	OnEvent func(Event) // called by the reader for each event before it is recorded
	Flat    bool        // the root only
}

// start marks the tree and starts the reader.
func (w *Watcher) start(o WatchOptions) (*Watcher, error) {
	w.Recorder = newRecorder(o.OnEvent)
	w.found = map[string]bool{}
	w.done = make(chan struct{})
	r, wr, err := os.Pipe()
	if err == nil {
		w.stop = wr
		if o.Flat {
			err = w.kind.mark(".")
		} else {
			_, err = w.markTree(".")
		}
		if err == nil {
			go w.run(r, !o.Flat)
			return w, nil
		}
		r.Close()
		wr.Close()
	}
	unix.Close(w.fd)
	return nil, err
}

// Close ends the reader and waits for it. It may be called more than once.
func (w *Watcher) Close() {
	w.stop.Close()
	<-w.done
}

// Root is the watched directory.
func (w *Watcher) Root() string { return w.root }

func (w *Watcher) run(stop *os.File, recursive bool) {
	defer close(w.done)
	defer unix.Close(w.fd)
	defer stop.Close()
	buf := make([]byte, 1<<20)
	for {
		p := []unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}, {Fd: int32(stop.Fd()), Events: unix.POLLIN}}
		if _, err := unix.Poll(p, -1); err != nil && err != unix.EINTR {
			w.fail(fmt.Errorf("watcher: poll: %w", err))
			return
		}
		if p[1].Revents != 0 {
			return
		}
		if p[0].Revents == 0 {
			continue
		}
		events, err := w.kind.read(buf)
		for _, e := range events {
			w.handle(e, recursive)
		}
		if err != nil {
			w.fail(fmt.Errorf("watcher: %w", err))
			return
		}
	}
}

// handle records an event and follows the tree: new directories are marked,
// moved ones renamed, removed ones forgotten.
func (w *Watcher) handle(e Event, recursive bool) {
	name := e.Path()
	switch e.Mask {
	case unix.IN_CREATE:
		if w.found[name] { // told already, from the listing
			delete(w.found, name)
			return
		}
	case unix.IN_DELETE, unix.IN_MOVED_FROM:
		delete(w.found, name)
	}
	follow := recursive && e.IsDir
	if !follow || e.Mask != unix.IN_CREATE {
		w.add(e)
	}
	if !follow {
		return
	}
	switch e.Mask {
	case unix.IN_CREATE:
		// Before the event is recorded: who waits for it may go on in the directory at once.
		below, err := w.markTree(name)
		w.add(e)
		w.followed(below, err, name)
	case unix.IN_MOVED_TO:
		if from, ok := w.movedFrom(e.Cookie); ok {
			w.kind.renamed(from, name)
		} else {
			below, err := w.markTree(name)
			w.followed(below, err, name)
		}
	case unix.IN_DELETE:
		w.kind.forget(name)
	}
}

// followed records what is below a new directory, and why it could not be followed; that it is gone again is no reason.
func (w *Watcher) followed(below []Event, err error, dir string) {
	for _, e := range below {
		w.found[e.Path()] = true
		w.add(e)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.fail(fmt.Errorf("watcher: mark %s: %w", dir, err))
	}
}

// movedFrom is where the directory of a MOVED_TO came from, if it was in the tree.
func (w *Watcher) movedFrom(cookie uint32) (string, bool) {
	events := w.Events()
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Cookie == cookie && events[i].Mask == unix.IN_MOVED_FROM {
			return events[i].Path(), true
		}
	}
	return "", false
}

// markTree marks a directory and all below it, and returns what is there as events.
func (w *Watcher) markTree(dir string) ([]Event, error) {
	if err := w.kind.mark(dir); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(w.root, dir)) // sorted by name
	if err != nil {
		return nil, err
	}
	var found []Event
	for _, entry := range entries {
		found = append(found, Event{Time: time.Now(), Mask: unix.IN_CREATE, Dir: dir, Name: entry.Name(), IsDir: entry.IsDir()})
		if !entry.IsDir() {
			continue
		}
		below, err := w.markTree(filepath.Join(dir, entry.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return found, err
		}
		found = append(found, below...)
	}
	return found, nil
}

// below says whether name is dir or below it.
func below(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, dir+"/")
}
