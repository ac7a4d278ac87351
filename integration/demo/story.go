package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"smbfs/integration/testenv"
)

// step is a change and what a watcher has to see of it.
type step struct {
	title string
	do    func(dir place) error
	want  []want
}

// want is an event that has to come: one of the bits, for this path.
type want struct {
	mask uint32
	path string
}

// place is a folder in which changes are made.
type place string

func (p place) at(name string) string { return filepath.Join(string(p), name) }

func (p place) write(name, text string, flags int) error {
	f, err := os.OpenFile(p.at(name), os.O_WRONLY|flags, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (p place) rename(from, to string) error { return os.Rename(p.at(from), p.at(to)) }

const (
	created = unix.IN_CREATE
	changed = unix.IN_MODIFY
	closed  = unix.IN_CLOSE_WRITE
	attrib  = unix.IN_ATTRIB
	left    = unix.IN_MOVED_FROM
	came    = unix.IN_MOVED_TO
	deleted = unix.IN_DELETE
)

// story is what happens on the server.
var story = []step{
	{"touch notes.txt",
		func(d place) error { return d.write("notes.txt", "", os.O_CREATE|os.O_EXCL) },
		[]want{{created, "notes.txt"}, {closed, "notes.txt"}}},
	{"echo ... > notes.txt",
		func(d place) error { return d.write("notes.txt", "first line\n", os.O_TRUNC) },
		[]want{{changed, "notes.txt"}, {closed, "notes.txt"}}},
	{"echo ... >> notes.txt",
		func(d place) error { return d.write("notes.txt", "second line\n", os.O_APPEND) },
		[]want{{changed, "notes.txt"}, {closed, "notes.txt"}}},
	{"mv notes.txt todo.txt",
		func(d place) error { return d.rename("notes.txt", "todo.txt") },
		[]want{{left, "notes.txt"}, {came, "todo.txt"}}},
	{"mkdir photos",
		func(d place) error { return os.Mkdir(d.at("photos"), 0o755) },
		[]want{{created, "photos"}}},
	{"cp camera/1.jpg photos/1.jpg",
		func(d place) error { return d.write("photos/1.jpg", "a picture", os.O_CREATE) },
		[]want{{created, "photos/1.jpg"}, {closed, "photos/1.jpg"}}},
	{"mv todo.txt photos/todo.txt",
		func(d place) error { return d.rename("todo.txt", "photos/todo.txt") },
		[]want{{left, "todo.txt"}, {came, "photos/todo.txt"}}},
	{"chmod 600 photos/1.jpg",
		func(d place) error { return os.Chmod(d.at("photos/1.jpg"), 0o600) },
		[]want{{attrib, "photos/1.jpg"}}},
	{"replace photos/1.jpg (new file, mv)",
		func(d place) error {
			if err := d.write("photos/.1.jpg.new", "a better picture", os.O_CREATE); err != nil {
				return err
			}
			return d.rename("photos/.1.jpg.new", "photos/1.jpg")
		},
		[]want{{came | created, "photos/1.jpg"}}},
	{"rm photos/todo.txt",
		func(d place) error { return os.Remove(d.at("photos/todo.txt")) },
		[]want{{deleted, "photos/todo.txt"}}},
	{"mkdir -p a/b/c",
		func(d place) error { return os.MkdirAll(d.at("a/b/c"), 0o755) },
		[]want{{created, "a"}, {created, "a/b"}, {created, "a/b/c"}}},
	{"echo ... > a/b/c/deep.txt",
		func(d place) error { return d.write("a/b/c/deep.txt", "deep\n", os.O_CREATE) },
		[]want{{created, "a/b/c/deep.txt"}, {closed, "a/b/c/deep.txt"}}},
	{"mv a/b moved",
		func(d place) error { return d.rename("a/b", "moved") },
		[]want{{left, "a/b"}, {came, "moved"}}},
	{"rm -r a moved photos",
		func(d place) error {
			for _, name := range []string{"a", "moved", "photos"} {
				if err := os.RemoveAll(d.at(name)); err != nil {
					return err
				}
			}
			return nil
		},
		[]want{{deleted, "a"}, {deleted, "moved/c/deep.txt"}, {deleted, "moved/c"}, {deleted, "moved"}, {deleted, "photos/1.jpg"}, {deleted, "photos"}}},
}

// How long to wait: for an event that has to come, and then for what else belongs to the change.
const (
	patience = 10 * time.Second
	quiet    = 150 * time.Millisecond
)

// tell plays the story. Its error says how many events did not come.
func tell(ctx context.Context, p *printer, dir string, w *testenv.Watcher) error {
	missing := 0
	for _, s := range story {
		first, start := w.Len(), time.Now()
		if err := s.do(place(dir)); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		if err := watch(ctx, w, first, s.want); err != nil {
			return err
		}
		missing += p.step(s, start, w.Events()[first:])
		if p.err != nil {
			return p.err
		}
	}
	p.summary(len(story), missing)
	if missing > 0 {
		return fmt.Errorf("%d expected events did not come", missing)
	}
	return nil
}

// watch waits until all that is wanted has come and nothing more does, or patience ends. Its error is the watcher's or the context's.
func watch(ctx context.Context, w *testenv.Watcher, first int, wants []want) error {
	seen := make(chan error, 1)
	go func() { // ends after patience at the latest
		err := w.WaitFor(patience, func(e []testenv.Event) bool { return len(missing(e[first:], wants)) == 0 })
		if err == nil || err == testenv.ErrNotSeen {
			_ = w.WaitQuiet(quiet, patience)
			err = w.Err()
		}
		seen <- err
	}()
	select {
	case err := <-seen:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// missing gives the wants that no event satisfies.
func missing(events []testenv.Event, wants []want) []want {
	var out []want
	for _, w := range wants {
		found := false
		for _, e := range events {
			found = found || (e.Mask&w.mask != 0 && e.Path() == w.path)
		}
		if !found {
			out = append(out, w)
		}
	}
	return out
}
