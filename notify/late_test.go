package notify

import (
	"testing"
	"testing/synctest"
	"time"

	"smbfs/cache"
	"smbfs/share"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// A server that has much to do answers questions long after it has notified.

// TestLateAnswerToEcho: what was notified right after an own change is its echo, however late the answer is that does not explain it.
func TestLateAnswerToEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := watched(t, Options{Mode: Dir}, nil)
		time.Sleep(15 * time.Second)
		r.step("own make d/f")
		time.Sleep(time.Second)
		r.server.Hook(wire.CommandQueryDirectory, func(q *smbtest.Request) {
			time.Sleep(2 * defaultSettle)
			q.Serve()
		})
		r.step("tell d ~f")
		time.Sleep(4 * defaultSettle)
		r.server.Hook(wire.CommandQueryDirectory, nil)
		if lines := r.lines(); len(lines) > 0 {
			t.Errorf("told of an own change: %v", lines)
		}
		r.step("tell d ~f") // and this is somebody else's
		r.within(time.Minute, "modify d/f")
	})
}

// TestOwedUntilAnswered: a question that has to be asked again is as old as its first notification.
func TestOwedUntilAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &Engine{tree: cache.New(cache.Entry{}, HoldFor)}
		w := newWatch(e, 2)
		w.hint("f", cache.HintAdded)
		first := e.oldestOwed
		time.Sleep(HoldFor)
		w.look()
		w.hint("g", cache.HintAdded)
		w.hintAgain("f", cache.HintAdded)
		w.dir = &share.Directory{}
		w.looked()
		if !e.oldestOwed.Equal(first) || first.IsZero() {
			t.Errorf("owed since %v, and first notified %v", e.oldestOwed, first)
		}
		w.look()
		w.looked()
		if !e.oldestOwed.IsZero() {
			t.Errorf("all is answered, and owed since %v", e.oldestOwed)
		}
	})
}
