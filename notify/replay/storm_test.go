package replay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestStorm: many calls at a time, while local processes use the directory, give each
// its one event.
func TestStorm(t *testing.T) {
	r := newRig(t, time.Hour, Config{})
	r.fs.add("d", dirMode)
	w := r.watch("d")
	const callers, each = 8, 200
	var wg sync.WaitGroup
	wg.Go(func() {
		if got := r.actor("storm", r.path("d/local"), "300"); got != "ok" {
			t.Errorf("the local process: %s", got)
		}
	})
	for i := range callers {
		wg.Go(func() {
			for n := range each {
				if err := r.do(Call{Op: Mknod, Dir: "d", Name: fmt.Sprintf("remote%d-%d", i, n)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	count := map[string]int{}
	for _, e := range w.events() {
		count[e]++
	}
	for e, n := range count {
		if n != 1 || !strings.HasPrefix(e, "d CREATE ") {
			t.Errorf("%d times %q", n, e)
		}
	}
	if len(count) != callers*each+300 {
		t.Errorf("%d events, want %d", len(count), callers*each+300)
	}
	for _, s := range r.fs.calls() {
		if s.worker != strings.HasPrefix(s.path, "d/remote") || s.worker && !s.expected {
			t.Fatalf("taken for somebody else's: %+v", s)
		}
	}
}

// TestKilledInAStorm: whatever the moment of death, a call that was made says so, one
// that failed says ErrHelperLost, and repeating those makes all.
func TestKilledInAStorm(t *testing.T) {
	r := newRig(t, time.Hour, Config{RestartDelay: time.Millisecond})
	r.fs.add("d", dirMode)
	w := r.watch("d")
	const callers, each, kills = 8, 100, 5
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for n := range each {
				r.repeatMknod("d", strconv.Itoa(i)+"-"+strconv.Itoa(n))
			}
		})
	}
	for i := range kills {
		if err := unix.Kill(r.awaitRestart(i).Pid, unix.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	events := w.events()
	if len(events) != callers*each {
		t.Errorf("%d events, want %d", len(events), callers*each)
	}
	r.awaitRestart(kills)
}

// repeatMknod repeats a call that was lost with the helper, if it had not happened.
func (r *rig) repeatMknod(dir, name string) {
	for {
		err := r.do(Call{Op: Mknod, Dir: dir, Name: name})
		if err == nil || errors.Is(err, ErrHelperLost) && r.fs.exists(dir+"/"+name) {
			return
		}
		if !errors.Is(err, ErrHelperLost) {
			r.t.Errorf("%s: %v", name, err)
			return
		}
	}
}
