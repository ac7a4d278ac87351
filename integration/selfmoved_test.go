package integration

import (
	"os"
	"path/filepath"
	"testing"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// TestDirectoriesAbove: who watches a directory alone is told when it is moved or removed on the server, and what happens in it when a directory
// above it has moved, whether or not these are otherwise in use.
func TestDirectoriesAbove(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"default", nil},
		{"few watches", []string{"-o", "notify_max=2"}},
		{"poll", []string{"-o", "notify=poll"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, s)
			must(t, os.MkdirAll(s.Path(dir, "a/b/moved"), 0o755))
			must(t, os.MkdirAll(s.Path(dir, "a/b/removed"), 0o755))
			must(t, os.MkdirAll(s.Path(dir, "a/b/inside"), 0o755))
			for i := range 20 {
				must(t, os.MkdirAll(s.Path(dir, "other", string(rune('a'+i))), 0o755))
			}
			m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Args: c.args})
			watch := func(name string) *testenv.Watcher {
				w, err := testenv.WatchFile(m.Path(dir, "a/b", name))
				must(t, err)
				t.Cleanup(w.Close)
				return w
			}
			moved, removed, inside := watch("moved"), watch("removed"), watch("inside")
			must(t, filepath.WalkDir(m.Path(dir, "other"), func(string, os.DirEntry, error) error { return nil })) // others are in use now
			must(t, m.WaitPinned(3, stepTimeout))
			must(t, os.Rename(s.Path(dir, "a/b/moved"), s.Path(dir, "a/b/gone")))
			must(t, os.Remove(s.Path(dir, "a/b/removed")))
			self := func(w *testenv.Watcher, mask uint32) {
				t.Helper()
				if err := w.WaitFor(stepTimeout, func(events []testenv.Event) bool { return countMask(events, mask) > 0 }); err != nil {
					t.Errorf("%s: %v; told:\n%s", testenv.MaskName(mask), err, testenv.FormatEvents(w.Events()))
				}
			}
			self(moved, unix.IN_MOVE_SELF)
			self(removed, unix.IN_DELETE_SELF)
			must(t, os.Rename(s.Path(dir, "a"), s.Path(dir, "elsewhere")))
			must(t, os.WriteFile(s.Path(dir, "elsewhere/b/inside/f"), nil, 0o644))
			self(inside, unix.IN_CREATE)
		})
	}
}
