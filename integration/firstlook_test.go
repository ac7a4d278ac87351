package integration

import (
	"fmt"
	"os"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// TestFirstLook: a path is walked down right after the mount, when none of the directories above its end has been listed yet. What is
// there has been there, and nobody is told of it as new.
func TestFirstLook(t *testing.T) {
	t.Parallel()
	const beside, files, rounds = 3000, 300, 5
	s := plainSamba(t)
	dir := folder(t, s)
	for i := range beside { // so that the listings above take longer than the walk
		must(t, os.WriteFile(s.Path(dir, fmt.Sprint("beside", i)), nil, 0o644))
	}
	must(t, os.MkdirAll(s.Path(dir, "a", "b"), 0o755))
	for i := range files {
		must(t, os.WriteFile(s.Path(dir, "a", "b", fmt.Sprint("f", i)), nil, 0o644))
	}
	for range rounds {
		m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
		deep := m.Path(dir, "a", "b")
		w := testenv.MustWatch(t, testenv.WatchInotify, deep, testenv.WatchOptions{}) // lists it
		up := testenv.MustWatch(t, testenv.WatchInotify, m.Path(dir, "a"), testenv.WatchOptions{})
		arm(t, w, s.Path(dir, "a", "b"))
		for _, x := range []*testenv.Watcher{w, up} {
			must(t, x.WaitQuiet(time.Second, stepTimeout))
			for _, e := range x.Events() {
				if e.Name != "" && e.Name[0] != '.' {
					t.Errorf("told: %s", e)
				}
			}
		}
		m.Close()
	}
}
