package integration

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// looker looks through the mount at every event, in the watcher's own reader: no
// time passes between the event and the look.
type looker struct {
	mu     sync.Mutex
	expect func(e testenv.Event) error // guarded by mu; what a look must show now
	errs   []error                     // guarded by mu
	looks  int                         // guarded by mu
}

func (l *looker) onEvent(e testenv.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.expect == nil {
		return
	}
	l.looks++
	if err := l.expect(e); err != nil {
		l.errs = append(l.errs, fmt.Errorf("at %s: %w", e, err))
	}
}

func (l *looker) set(expect func(testenv.Event) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expect = expect
}

// report fails the test with what was wrong, and if nothing was looked at.
func (l *looker) report(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, err := range l.errs {
		if i == 10 {
			t.Errorf("and %d more", len(l.errs)-i)
			break
		}
		t.Error(err)
	}
	if l.looks == 0 {
		t.Error("no event was looked at")
	}
}

// shows says whether stat and read show this content.
func shows(file, want string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.Size() != int64(len(want)) {
		return fmt.Errorf("stat says %d bytes, want %d", info.Size(), len(want))
	}
	got, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("read shows %s, want %s", brief(string(got)), brief(want))
	}
	return nil
}

func gone(name string) error {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("stat of %s says %v, want that it does not exist", filepath.Base(name), err)
	}
	return nil
}

// look is a change on the server that takes effect at once, and what a look at
// any event after it must show.
type look struct {
	name   string
	change func(server string, round int) error
	shows  func(mount string, round int) error
	until  func(e testenv.Event) bool
	gap    string // a name that may be missing at its DELETE: told as DELETE and CREATE
}

func is(mask uint32, name string) func(testenv.Event) bool {
	return func(e testenv.Event) bool { return e.Mask == mask && e.Path() == name }
}

// text has the same length for every round: size does not tell them apart.
func text(round int) string { return fmt.Sprintf("content of round %06d", round) }

func writeInPlace(name, s string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(s); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// A file is made elsewhere and moved in, so that there is no state in between.
func moveIn(server, name, s string) error {
	tmp := filepath.Join(filepath.Dir(server), "outside-"+filepath.Base(server))
	if err := os.WriteFile(tmp, []byte(s), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(server, name))
}

var looks = []look{
	{name: "new file with content",
		change: func(s string, r int) error { return moveIn(s, fmt.Sprint("n", r), text(r)) },
		shows:  func(m string, r int) error { return shows(filepath.Join(m, fmt.Sprint("n", r)), text(r)) },
		until:  func(e testenv.Event) bool { return e.Mask == unix.IN_CLOSE_WRITE }},
	{name: "same size, other content",
		change: func(s string, r int) error { return writeInPlace(filepath.Join(s, "f"), text(r)) },
		shows:  func(m string, r int) error { return shows(filepath.Join(m, "f"), text(r)) },
		until:  is(unix.IN_CLOSE_WRITE, "f")},
	{name: "truncate",
		change: func(s string, r int) error { return os.Truncate(filepath.Join(s, "f"), 4) },
		shows:  func(m string, r int) error { return shows(filepath.Join(m, "f"), text(r)[:4]) },
		until:  is(unix.IN_CLOSE_WRITE, "f")},
	{name: "replace",
		gap:    "f",
		change: func(s string, r int) error { return moveIn(s, "f", text(r)) },
		shows:  func(m string, r int) error { return shows(filepath.Join(m, "f"), text(r)) },
		until:  is(unix.IN_CLOSE_WRITE, "f")},
	{name: "rename",
		change: func(s string, r int) error { return os.Rename(filepath.Join(s, "f"), filepath.Join(s, "g")) },
		shows: func(m string, r int) error {
			return errors.Join(gone(filepath.Join(m, "f")), shows(filepath.Join(m, "g"), text(r)))
		},
		until: is(unix.IN_MOVED_TO, "g")},
	{name: "rename back",
		change: func(s string, r int) error { return os.Rename(filepath.Join(s, "g"), filepath.Join(s, "f")) },
		shows: func(m string, r int) error {
			return errors.Join(gone(filepath.Join(m, "g")), shows(filepath.Join(m, "f"), text(r)))
		},
		until: is(unix.IN_MOVED_TO, "f")},
	{name: "unlink",
		change: func(s string, r int) error { return os.Remove(filepath.Join(s, fmt.Sprint("n", r))) },
		shows:  func(m string, r int) error { return gone(filepath.Join(m, fmt.Sprint("n", r))) },
		until:  func(e testenv.Event) bool { return e.Mask == unix.IN_DELETE }},
	{name: "new directory",
		change: func(s string, r int) error { return os.Mkdir(filepath.Join(s, fmt.Sprint("d", r)), 0o755) },
		shows: func(m string, r int) error {
			info, err := os.Stat(filepath.Join(m, fmt.Sprint("d", r)))
			if err == nil && !info.IsDir() {
				err = errors.New("not a directory")
			}
			return err
		},
		until: func(e testenv.Event) bool { return e.Mask == unix.IN_CREATE && e.IsDir }},
	{name: "rmdir",
		change: func(s string, r int) error { return os.Remove(filepath.Join(s, fmt.Sprint("d", r))) },
		shows:  func(m string, r int) error { return gone(filepath.Join(m, fmt.Sprint("d", r))) },
		until:  func(e testenv.Event) bool { return e.Mask == unix.IN_DELETE && e.IsDir }},
}

// TestVisibleWhenTold: at every event, stat and read through the mount show the
// change (rule 1 of the design), with the kernel's caches full of the state before.
func TestVisibleWhenTold(t *testing.T) {
	t.Parallel()
	const rounds = 10
	s := plainSamba(t)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	for _, k := range watchers {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, s)
			server, local := s.Path(dir), m.Path(dir)
			must(t, os.WriteFile(filepath.Join(server, "f"), []byte(text(0)), 0o644))
			shown(t, local, server)
			l := &looker{}
			w := testenv.MustWatch(t, k.start, local, testenv.WatchOptions{OnEvent: l.onEvent})
			arm(t, w, server)
			for r := 1; r <= rounds; r++ {
				for _, step := range looks {
					lookAtStep(t, l, w, step, server, local, r)
				}
			}
			l.report(t)
		})
	}
}

func lookAtStep(t *testing.T, l *looker, w *testenv.Watcher, step look, server, local string, round int) {
	t.Helper()
	fillCaches(t, local)
	l.set(func(e testenv.Event) error {
		if e.Mask == unix.IN_DELETE && e.Path() == step.gap && gone(filepath.Join(local, step.gap)) == nil {
			return nil
		}
		if err := step.shows(local, round); err != nil {
			return fmt.Errorf("%s, round %d: %w", step.name, round, err)
		}
		return nil
	})
	start := w.Len()
	must(t, step.change(server, round))
	err := w.WaitFor(stepTimeout, func(events []testenv.Event) bool {
		for _, e := range events[start:] {
			if step.until(e) {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fatalf("%s, round %d: %v; told:\n%s", step.name, round, err, testenv.FormatEvents(w.Events()[start:]))
	}
	l.set(nil)
}

// fillCaches reads everything, so that the kernel has every page, name and attribute.
func fillCaches(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if !e.IsDir() {
			if _, err := os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "no-such-name")); err == nil {
		t.Fatal("a name that is not there was found")
	}
}
