package notify

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestPacer: comparisons of a class take their share of the time and no more, and what was saved up is
// bounded.
func TestPacer(t *testing.T) {
	pacer := newPacer(defaultCompare)
	p := &pacer[classBackground]
	start := time.Unix(1_000_000, 0)
	const cost = 10 * time.Millisecond
	a, b := &watch{}, &watch{}
	done := 0
	for now := start; now.Before(start.Add(100 * time.Second)); a, b = b, a {
		if !p.begin(a, now) {
			t.Fatalf("after %d listings and %v it is nobody's turn", done, now.Sub(start))
		}
		if p.begin(b, now) {
			t.Fatal("two take their turn at once")
		}
		now = now.Add(cost)
		p.end(a, now)
		done++
		if p.free.After(now) {
			if p.begin(b, now) {
				t.Fatalf("after %d listings one does not wait its time", done)
			}
			now = p.free
		}
	}
	most := int(backgroundShare * float64(102*time.Second) / float64(cost))
	if done < most*9/10 || done > most+1 {
		t.Errorf("%d listings in 100 s, want about %d", done, most)
	}
	if other := &pacer[classSole]; !other.begin(&watch{}, start) {
		t.Error("another class waits")
	}
}

// TestServerWasBusy: listings took long while the server was busy. Those that come after that do not wait for each other as if it still were.
func TestServerWasBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const dirs = 100
		var busy atomic.Bool
		r := newRig(t, Options{Mode: Poll}, func(s *smbtest.Server) {
			s.Hook(wire.CommandQueryDirectory, func(rq *smbtest.Request) {
				if busy.Load() {
					time.Sleep(200 * time.Millisecond)
				}
				rq.Serve()
			})
		})
		var names []string
		for i := range dirs {
			name := fmt.Sprintf("d%d", i)
			r.make(name)
			r.pin(r.look(name))
			names = append(names, name)
		}
		time.Sleep(time.Minute)
		busy.Store(true)
		time.Sleep(2 * time.Minute)
		busy.Store(false)
		time.Sleep(time.Second)
		for _, name := range names {
			r.write(name+`\f`, "hello")
		}
		time.Sleep(10 * time.Second) // those that were under way themselves took long: they are not listed again at once
		for _, name := range names {
			if n := r.count("create " + name + "/f"); n != 1 {
				t.Errorf("what changed in %s was told %d times", name, n)
			}
		}
	})
}
