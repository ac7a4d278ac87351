package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var watchers = map[string]func(string, WatchOptions) (*Watcher, error){
	"inotify":  WatchInotify,
	"fanotify": WatchFanotify,
}

// eachWatcher runs a test with both kinds on a local folder.
func eachWatcher(t *testing.T, test func(t *testing.T, dir string, w *Watcher)) {
	for name, start := range watchers {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "old/deep"), 0o755); err != nil {
				t.Fatal(err)
			}
			test(t, dir, MustWatch(t, start, dir, WatchOptions{}))
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, w *Watcher, last func([]Event) bool, want ...string) {
	t.Helper()
	if err := w.WaitFor(5*time.Second, last); err != nil {
		t.Fatalf("%v; events:\n%s", err, FormatEvents(w.Events()))
	}
	must(t, w.WaitQuiet(50*time.Millisecond, 5*time.Second))
	if got := Normalise(w.Events()); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestWatcherFile(t *testing.T) {
	eachWatcher(t, func(t *testing.T, dir string, w *Watcher) {
		f := filepath.Join(dir, "old/deep/f")
		must(t, os.WriteFile(f, []byte("hello"), 0o644))
		must(t, w.WaitFor(5*time.Second, Seen(unix.IN_CLOSE_WRITE, "old/deep/f")))
		must(t, os.Rename(f, filepath.Join(dir, "old/g")))
		must(t, w.WaitFor(5*time.Second, Seen(unix.IN_MOVED_TO, "old/g")))
		must(t, os.Chmod(filepath.Join(dir, "old/g"), 0o600))
		must(t, w.WaitFor(5*time.Second, Seen(unix.IN_ATTRIB, "old/g")))
		must(t, os.Remove(filepath.Join(dir, "old/g")))
		expect(t, w, Seen(unix.IN_DELETE, "old/g"),
			"CREATE old/deep/f", "MODIFY old/deep/f", "CLOSE_WRITE old/deep/f",
			"MOVED_FROM old/deep/f #1", "MOVED_TO old/g #1", "ATTRIB old/g", "DELETE old/g")
	})
}

func TestWatcherFollowsNewAndMovedDirectories(t *testing.T) {
	eachWatcher(t, func(t *testing.T, dir string, w *Watcher) {
		must(t, os.MkdirAll(filepath.Join(dir, "a/b/c"), 0o755))
		must(t, w.WaitFor(5*time.Second, Seen(unix.IN_CREATE, "a/b/c")))
		must(t, os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "old/z")))
		must(t, w.WaitFor(5*time.Second, Seen(unix.IN_MOVE_SELF, "old/z")))
		must(t, os.Mkdir(filepath.Join(dir, "old/z/b/c/d"), 0o755))
		expect(t, w, Seen(unix.IN_CREATE, "old/z/b/c/d"),
			"CREATE,ISDIR a", "CREATE,ISDIR a/b", "CREATE,ISDIR a/b/c",
			"MOVED_FROM,ISDIR a #1", "MOVED_TO,ISDIR old/z #1", "MOVE_SELF,ISDIR old/z", "CREATE,ISDIR old/z/b/c/d")
	})
}

// A tree made while the watcher is still marking is told once, however it was seen.
func TestWatcherTellsEachCreateOnce(t *testing.T) {
	eachWatcher(t, func(t *testing.T, dir string, w *Watcher) {
		want := map[string]int{}
		for i := range 50 {
			d := fmt.Sprintf("n%d", i)
			must(t, os.MkdirAll(filepath.Join(dir, d, "s"), 0o755))
			f := filepath.Join(d, "s", "f")
			must(t, os.WriteFile(filepath.Join(dir, f), nil, 0o644))
			want[d], want[d+"/s"], want[f] = 1, 1, 1
		}
		all := func(events []Event) bool { return len(created(events)) == len(want) }
		if err := w.WaitFor(10*time.Second, all); err != nil {
			t.Fatalf("%v: %d of %d", err, len(created(w.Events())), len(want))
		}
		must(t, w.WaitQuiet(50*time.Millisecond, 5*time.Second))
		for name, n := range created(w.Events()) {
			if n != want[name] {
				t.Errorf("%s: told %d times", name, n)
			}
		}
	})
}

func created(events []Event) map[string]int {
	out := map[string]int{}
	for _, e := range events {
		if e.Mask == unix.IN_CREATE {
			out[e.Path()]++
		}
	}
	return out
}

func TestNormalise(t *testing.T) {
	events := []Event{
		{Mask: unix.IN_OPEN, Dir: ".", Name: "f"},
		{Mask: unix.IN_MODIFY, Dir: ".", Name: "f"},
		{Mask: unix.IN_MODIFY, Dir: ".", Name: "f"},
		{Mask: unix.IN_MODIFY, Dir: ".", Name: "g"},
		{Mask: unix.IN_MODIFY, Dir: ".", Name: "f"},
		{Mask: unix.IN_MOVED_FROM, Dir: ".", Name: "f", Cookie: 77},
		{Mask: unix.IN_MOVED_TO, Dir: "d", Name: "f", Cookie: 77},
		{Mask: unix.IN_MOVED_FROM, Dir: ".", Name: "g", Cookie: 78},
	}
	want := []string{"MODIFY f", "MODIFY g", "MODIFY f", "MOVED_FROM f #1", "MOVED_TO d/f #1", "MOVED_FROM g"}
	if got := Normalise(events); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnescapeMount(t *testing.T) {
	if got := unescapeMount(`/a\040b\134c`); got != `/a b\c` {
		t.Errorf("got %q", got)
	}
}

func TestWatchFile(t *testing.T) {
	f := filepath.Join(t.TempDir(), "f")
	must(t, os.WriteFile(f, nil, 0o644))
	w, err := WatchFile(f)
	must(t, err)
	defer w.Close()
	must(t, os.WriteFile(f, []byte("x"), 0o644))
	must(t, w.WaitFor(5*time.Second, Seen(unix.IN_CLOSE_WRITE, ".")))
	must(t, os.Remove(f))
	must(t, w.WaitFor(5*time.Second, Seen(unix.IN_DELETE_SELF, ".")))
}
