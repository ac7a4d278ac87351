package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

const stormFiles = 10_000

// tally counts events of one mask by path, looking at each event once however
// often it is called.
type tally struct {
	mask   uint32
	at     int
	counts map[string]int
}

func newTally(mask uint32, start int) *tally {
	return &tally{mask: mask, at: start, counts: map[string]int{}}
}

// reached is a condition for WaitFor: n paths have been told.
func (c *tally) reached(n int) func([]testenv.Event) bool {
	return func(events []testenv.Event) bool {
		for ; c.at < len(events); c.at++ {
			if e := events[c.at]; e.Mask == c.mask {
				c.counts[e.Path()]++
			}
		}
		return len(c.counts) >= n
	}
}

// wantOnce checks that each path was told exactly once, and no other.
func (c *tally) wantOnce(t *testing.T, paths map[string]bool) {
	t.Helper()
	var missing, doubled, strange []string
	for p := range paths {
		if c.counts[p] == 0 {
			missing = append(missing, p)
		}
	}
	for p, n := range c.counts {
		if !paths[p] {
			strange = append(strange, p)
		} else if n > 1 {
			doubled = append(doubled, p)
		}
	}
	for what, list := range map[string][]string{"never": missing, "more than once": doubled, "though nobody did it": strange} {
		if len(list) > 0 {
			t.Errorf("%s told %s: %d of %d, such as %s", testenv.MaskName(c.mask), what, len(list), len(paths), list[0])
		}
	}
}

// TestStorm: 10,000 files made on the server as fast as the disk allows; every
// file gets its CREATE, exactly once, for each kind of watcher; and their DELETE.
func TestStorm(t *testing.T) {
	for _, dirs := range []int{1, 10} {
		t.Run(fmt.Sprintf("%d directories", dirs), func(t *testing.T) { storm(t, dirs) })
	}
}

func storm(t *testing.T, dirs int) {
	s := plainSamba(t)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	dir := folder(t, s)
	names := map[string]bool{}
	for d := range dirs {
		must(t, os.Mkdir(s.Path(dir, fmt.Sprint("d", d)), 0o755))
	}
	for i := range stormFiles {
		names[fmt.Sprintf("d%d/file-%05d", i%dirs, i)] = true
	}
	shown(t, m.Path(dir), s.Path(dir))
	var all []*testenv.Watcher
	for _, k := range watchers {
		w := testenv.MustWatch(t, k.start, m.Path(dir), testenv.WatchOptions{})
		arm(t, w, s.Path(dir))
		all = append(all, w)
	}
	for _, mask := range []uint32{unix.IN_CREATE, unix.IN_DELETE} {
		var tallies []*tally
		for _, w := range all {
			tallies = append(tallies, newTally(mask, w.Len()))
		}
		must(t, eachName(names, func(name string) error {
			if mask == unix.IN_DELETE {
				return os.Remove(s.Path(dir, name))
			}
			return os.WriteFile(s.Path(dir, name), nil, 0o644)
		}))
		for i, w := range all {
			if err := w.WaitFor(2*time.Minute, tallies[i].reached(len(names))); err != nil {
				t.Errorf("%s: %v", watchers[i].name, err)
			}
			must(t, w.WaitQuiet(afterglow, 2*time.Minute))
			tallies[i].reached(len(names))(w.Events())
			tallies[i].wantOnce(t, names)
		}
		wantListing(t, m.Path(dir), s.Path(dir))
	}
}

// eachName does work for every name, a few at a time.
func eachName(names map[string]bool, work func(string) error) error {
	queue := make(chan string)
	errs := make(chan error, 4)
	var wg sync.WaitGroup
	for range cap(errs) {
		wg.Go(func() {
			for name := range queue {
				if err := work(name); err != nil {
					errs <- err
					for range queue { // let the sender finish
					}
				}
			}
		})
	}
	for name := range names {
		queue <- name
	}
	close(queue)
	wg.Wait()
	close(errs)
	return <-errs
}

// wantListing checks that the mount lists what the server's folder has.
func wantListing(t *testing.T, mount, server string) {
	t.Helper()
	got, want := strings.Join(listing(t, mount), "\n"), strings.Join(listing(t, server), "\n")
	if got != want {
		t.Errorf("the mount lists %s, the server has %s", brief(got), brief(want))
	}
}

func listing(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil {
			rel, _ := filepath.Rel(dir, p)
			out = append(out, rel)
		}
		return err
	}))
	return out
}
