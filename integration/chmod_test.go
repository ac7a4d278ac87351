package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// TestChmodSoonAfterChange: permissions that are changed on the server shortly after a file was made or written, on
// the server or here, are told as ATTRIB, if late.
func TestChmodSoonAfterChange(t *testing.T) {
	t.Parallel()
	// What the permissions of a new file were is known when its notification has been looked at.
	const known = 300 * time.Millisecond
	delays := []time.Duration{0, 30 * time.Millisecond, 100 * time.Millisecond, known, time.Second, 2500 * time.Millisecond}
	writes := []struct {
		name  string
		local bool // written here, else on the server
		old   bool // and made before, else made now
	}{
		{"made-there", false, false},
		{"written-there", false, true},
		{"made-here", true, false},
		{"written-here", true, true},
	}
	old := []string{"write busy"}
	for _, w := range writes {
		for i := range delays {
			if w.old {
				old = append(old, fmt.Sprintf("write %s-%d old", w.name, i))
			}
		}
	}
	st := newStage(t, old...)
	must(t, st.w.WaitQuiet(time.Second, stepTimeout))
	start := st.w.Len()
	told := func(mask uint32, name string) func([]testenv.Event) bool {
		return func(events []testenv.Event) bool { return count(events[start:], mask, name) > 0 }
	}
	stop := make(chan struct{})
	var busy, done sync.WaitGroup
	busy.Go(func() { // the directory never rests
		for tick := time.Tick(20 * time.Millisecond); ; {
			select {
			case <-tick:
			case <-stop:
				return
			}
			if err := runStep(folderActor(st.server), "append busy more"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for _, w := range writes {
		for i, delay := range delays {
			name := fmt.Sprintf("%s-%d", w.name, i)
			if !w.old && delay < known {
				continue
			}
			done.Go(func() {
				dir := st.server
				if w.local {
					dir = st.local
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte("new content"), 0o644); err != nil {
					t.Error(err)
					return
				}
				first := uint32(unix.IN_CREATE)
				if w.old {
					first = unix.IN_MODIFY
				}
				if delay > 0 {
					if err := st.w.WaitFor(stepTimeout, told(first, name)); err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
					time.Sleep(delay)
				}
				if err := os.Chmod(filepath.Join(st.server, name), 0o600); err != nil {
					t.Error(err)
					return
				}
				at := time.Now()
				if err := st.w.WaitFor(stepTimeout/2, told(unix.IN_ATTRIB, name)); err != nil {
					t.Errorf("%s, chmod %v after: ATTRIB was not told", name, delay)
					return
				}
				t.Logf("%s, chmod %v after: ATTRIB %v later", name, delay, time.Since(at).Round(time.Millisecond))
			})
		}
	}
	done.Wait()
	close(stop)
	busy.Wait()
	must(t, st.w.WaitQuiet(time.Second, stepTimeout))
	for _, w := range writes {
		for i := range delays {
			name := fmt.Sprintf("%s-%d", w.name, i)
			if n := count(st.w.Events()[start:], unix.IN_ATTRIB, name); n > 1 {
				t.Errorf("%s: ATTRIB was told %d times", name, n)
			}
		}
	}
}
