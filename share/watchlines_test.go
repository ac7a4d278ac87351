package share

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// newSpread is a rig that may make further connections for watches.
func newSpread(t *testing.T) *rig {
	r := newRig(t, time.Second)
	r.Spread(func(ctx context.Context, number int) (*Line, error) {
		return r.line(ctx, LineOptions{Name: fmt.Sprintf("watch %d", number)})
	})
	return r
}

// watch opens so many directories to be watched.
func (r *rig) watch(n int) (all []*Directory) {
	r.t.Helper()
	for range n {
		d, err := r.OpenDirectory(r.t.Context(), "")
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

func (r *rig) connections() (names []string) {
	for _, s := range r.Connections() {
		names = append(names, s.Name)
	}
	return names
}

func (r *rig) wantConnections(want ...string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.connections(); !slices.Equal(got, want) {
		r.t.Errorf("connections %v, want %v", got, want)
	}
}

func TestManyWatchesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newSpread(t)
		first := r.watch(watchesPerLine)
		r.wantConnections("work", "watch")
		second := r.watch(1)
		r.wantConnections("work", "watch", "watch 2")
		told := make(chan Notification, 2)
		for _, d := range []*Directory{first[0], second[0]} {
			if err := d.Await(t.Context(), func(n Notification) { told <- n }); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // until the server has the requests
		r.server.Tree.WriteFile("made", nil)
		for i, d := range []*Directory{first[0], second[0]} {
			if n := <-told; len(n.Events) == 0 || n.Events[0].Name != "made" || !d.Hears() {
				t.Errorf("directory %d: %+v; heard: %v", i, n, d.Hears())
			}
		}
		for _, d := range second {
			d.Close(t.Context())
		}
		r.wantConnections("work", "watch", "watch 2") // it may be of use again soon
		time.Sleep(lineIdle)
		r.wantConnections("work", "watch")
		r.watch(watchesPerLine * (mostWatchLines + 1))
		r.wantConnections("work", "watch", "watch 2", "watch 3", "watch 4", "watch 5", "watch 6", "watch 7", "watch 8")
		for l, n := range r.watches.held {
			if least := watchesPerLine * (mostWatchLines + 2) / mostWatchLines; n != least {
				t.Errorf("%s watches %d directories, want %d", l.opts.Name, n, least)
			}
		}
	})
}

// TestFurtherConnectionLost: the loss of one is that of all, which is over at once, since another is made when it is needed.
func TestFurtherConnectionLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newSpread(t)
		var told []bool
		r.OnWatches(func(up bool) { told = append(told, up) })
		all := r.watch(watchesPerLine + 1)
		last := all[watchesPerLine]
		last.line.Status().Tree.Session().Close()
		r.wantConnections("work", "watch")
		if !slices.Equal(told, []bool{false, true}) || !r.WatchesUp() {
			t.Errorf("told %v; watches can be had: %v", told, r.WatchesUp())
		}
		if _, err := last.List(t.Context()); err == nil {
			t.Error("a directory of the lost connection is listed")
		}
		last.Close(t.Context())
		r.watch(1)
		r.wantConnections("work", "watch", "watch 2")
	})
}

func TestNoFurtherConnectionToBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newSpread(t)
		r.watch(watchesPerLine)
		r.refuse.Store(true)
		r.watch(5)
		r.wantConnections("work", "watch")
		if n := r.dials.Load(); n != 3 {
			t.Errorf("%d connections were tried, want the first two and one more", n)
		}
		time.Sleep(noFurther + time.Second)
		r.refuse.Store(false)
		r.watch(1)
		r.wantConnections("work", "watch", "watch 2")
	})
}
