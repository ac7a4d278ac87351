package notify

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestAbove: the directories above one that somebody watches are watched before any that is merely in use, wherever they move, and as long as it is.
func TestAbove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{Budget: 5}, nil)
		r.make("d", `d\e`, `d\e\f`, "g")
		f := r.look("d/e/f")
		g := r.look("g")
		r.pin(f, g)
		for i := range 20 {
			r.make(fmt.Sprint("other", i))
			r.look(fmt.Sprint("other", i))
		}
		time.Sleep(2 * time.Minute) // what is not watched for somebody's sake is not kept
		r.server.Tree.Rename(`d\e`, `g\e`)
		r.within(500*time.Millisecond, "rename d/e g/e")
		time.Sleep(2 * time.Minute)
		r.server.Tree.Rename("g", "h")
		r.within(500*time.Millisecond, "rename g h")
		r.server.Tree.Rename(`h\e\f`, `h\e\i`)
		r.within(500*time.Millisecond, "rename h/e/f h/e/i")
		r.server.Tree.Remove(`h`)
		r.within(2*time.Second, "remove h/e/i", "remove h/e", "remove h")
		r.marks.mu.Lock()
		r.marks.result.Removed = append(r.marks.result.Removed, uint64(f), uint64(g))
		r.marks.mu.Unlock()
		time.Sleep(2 * time.Second)
		e := r.engine
		e.mu.Lock()
		defer e.mu.Unlock()
		if n := len(e.pins) + len(e.above) + len(e.up) + len(e.absent); n > 0 {
			t.Errorf("nobody watches anything: %v, %v, %v, %v", e.pins, e.above, e.up, e.absent)
		}
	})
}
