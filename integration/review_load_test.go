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

// What a hostile review of the design asked for, under load.

// keepBusy calls work again and again until the function it returns is called, which says how often.
func keepBusy(work func(i int)) (stop func() int) {
	ended, done := make(chan struct{}), make(chan int)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-ended:
				done <- i
				return
			default:
				work(i)
			}
		}
	}()
	return sync.OnceValue(func() int { close(ended); return <-done })
}

// TestReviewCreatedWhileArming: a file is made right after a directory came into use, when the server has taken
// the request and may not be watching yet, while another watched directory is under full load.
func TestReviewCreatedWhileArming(t *testing.T) {
	t.Parallel()
	const rounds = 40
	st := newStage(t, "mkdir load")
	stop := keepBusy(func(i int) {
		name := filepath.Join(st.server, "load", fmt.Sprint("f", i%100))
		_ = os.WriteFile(name, []byte(fmt.Sprint(i)), 0o644)
		if i%3 == 0 {
			_ = os.Remove(name)
		}
	})
	defer stop()
	s := plainSamba(t)
	other := folder(t, s)
	for i := range rounds {
		must(t, os.Mkdir(s.Path(other, fmt.Sprint("d", i)), 0o755))
	}
	shown(t, st.m.Path(other), s.Path(other))
	var watchers []*testenv.Watcher
	for i := range rounds {
		w := testenv.MustWatch(t, testenv.WatchInotify, st.m.Path(other, fmt.Sprint("d", i)), testenv.WatchOptions{}) // lists it
		must(t, os.WriteFile(s.Path(other, fmt.Sprint("d", i), "f"), nil, 0o644))
		watchers = append(watchers, w)
	}
	for i, w := range watchers {
		if err := w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, "f")); err != nil {
			t.Errorf("d%d: %v", i, err)
		}
	}
	if n := stop(); n < rounds {
		t.Errorf("the load was %d changes: this test has shown nothing", n)
	}
	for i, w := range watchers {
		must(t, w.WaitQuiet(time.Second, stepTimeout))
		if n := count(w.Events(), unix.IN_CREATE, "f"); n != 1 {
			t.Errorf("d%d: CREATE of f was told %d times", i, n)
		}
	}
}

// TestReviewRenamesWhileListing: renames go on while a directory of 6,000 entries is listed and compared.
// A listing then misses files under their old name and the new one. Nothing was deleted, and nothing is told so.
func TestReviewRenamesWhileListing(t *testing.T) {
	t.Parallel()
	const files = 6000
	for _, mode := range []string{"poll", "dir"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := plainSamba(t)
			dir := folder(t, s)
			for i := range files {
				must(t, os.WriteFile(s.Path(dir, fmt.Sprintf("f%d.0", i)), nil, 0o644))
			}
			m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{"notify=" + mode, "poll_interval=200ms", "compare_interval=500ms"}})
			shown(t, m.Path(dir), s.Path(dir))
			w := testenv.MustWatch(t, testenv.WatchInotify, m.Path(dir), testenv.WatchOptions{})
			generation := make([]int, files)
			stop := keepBusy(func(i int) {
				f := i * 7 % files
				from, to := s.Path(dir, fmt.Sprintf("f%d.%d", f, generation[f])), s.Path(dir, fmt.Sprintf("f%d.%d", f, generation[f]+1))
				if err := os.Rename(from, to); err != nil {
					t.Error(err)
				}
				generation[f]++
				time.Sleep(time.Millisecond)
			})
			time.Sleep(6 * time.Second) // some ten listings
			if n := stop(); n < 500 {
				t.Errorf("%d renames: this test has shown nothing", n)
			}
			told := map[string]bool{} // by events alone
			for i := range files {
				told[fmt.Sprintf("f%d.0", i)] = true
			}
			at := 0
			equal := func(events []testenv.Event) bool {
				for ; at < len(events); at++ {
					e := events[at]
					if e.Mask == unix.IN_DELETE || e.Mask == unix.IN_CREATE {
						t.Errorf("told: %s", e)
					}
					switch e.Mask {
					case unix.IN_MOVED_FROM, unix.IN_DELETE:
						delete(told, e.Name)
					case unix.IN_MOVED_TO, unix.IN_CREATE:
						told[e.Name] = true
					}
				}
				for f, g := range generation {
					if !told[fmt.Sprintf("f%d.%d", f, g)] {
						return false
					}
				}
				return len(told) == files
			}
			if err := w.WaitFor(time.Minute, equal); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestReviewPermissions: a change of permissions on the server that shows in no stat.
func TestReviewPermissions(t *testing.T) {
	t.Parallel()
	st := newStage(t, "write f "+word(0))
	for _, mode := range []string{"0640", "0600", "0644"} {
		must(t, st.w.WaitQuiet(afterglow, stepTimeout)) // what the permissions were is known
		start := st.w.Len()
		st.do(t, "chmod "+mode+" f")
		st.waitTold(t, start, "ATTRIB f")
		must(t, st.w.WaitQuiet(time.Second, stepTimeout))
		if lines := testenv.Normalise(st.w.Events()[start:]); len(lines) != 1 {
			t.Errorf("chmod %s told:\n%s", mode, strings.Join(lines, "\n"))
		}
	}
}
