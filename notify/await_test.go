package notify

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/cache"
	"smbfs/share"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestQuestionFirst: of what was notified the server is asked before it gets the next request, which does not wait for the answer.
func TestQuestionFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []wire.Command // guarded by mu
		note := func(r *smbtest.Request) {
			mu.Lock()
			order = append(order, r.Header.Command)
			mu.Unlock()
		}
		r := newRig(t, Options{}, nil)
		r.watched(1)
		for _, name := range []string{"first", "again"} { // the handle for questions is open after the second
			r.write(`d0\`+name, "")
			r.within(time.Second, "create d0/"+name)
		}
		r.server.Hook(wire.CommandQueryDirectory, func(q *smbtest.Request) {
			note(q)
			go func() { // the others are served meanwhile
				time.Sleep(gather / 2)
				q.Serve()
			}()
		})
		r.server.Hook(wire.CommandChangeNotify, func(q *smbtest.Request) {
			note(q)
			q.Serve()
		})
		r.server.Tree.Notify("d0", wire.StatusSuccess, wire.NotifyEvent{Action: wire.ActionAdded, Name: "second"})
		time.Sleep(gather / 4)
		mu.Lock()
		got := slices.Clone(order)
		mu.Unlock()
		if want := []wire.Command{wire.CommandQueryDirectory, wire.CommandChangeNotify}; !slices.Equal(got, want) {
			t.Errorf("the server got %v, want %v", got, want)
		}
		time.Sleep(gather) // it answers
	})
}

// TestOneTellerHangs: while one change takes its time, those of other directories are told, and what is due later is.
func TestOneTellerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{Tellers: 2}, nil)
		r.watched(3)
		done := make(chan struct{})
		r.fail = func(c *cache.Change) error {
			if c.From.Name == "hangs" {
				<-done
			}
			return nil
		}
		r.write(`d0\hangs`, "")
		r.write(`d1\passes`, "")
		r.within(time.Second, "create d1/passes", "close-write d1/passes")
		r.write(`d2\passes`, "")
		r.within(time.Second, "create d2/passes")
		if r.count("create d0/hangs") != 0 {
			t.Error("what hangs is told")
		}
		close(done)
		r.within(time.Second, "create d0/hangs", "close-write d0/hangs", "close-write d2/passes")
	})
}

// TestNotifiedOfWhatWasDropped: a notification for a directory that nobody watches any more leaves no debt, for which each later removal would
// wait.
func TestNotifiedOfWhatWasDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, nil)
		r.watched(2)
		time.Sleep(15 * time.Second)
		id := r.look("d0")
		r.engine.mu.Lock()
		w := r.engine.watches[id]
		d := w.dir
		r.engine.drop(w)
		r.engine.mu.Unlock()
		r.engine.notified(w, d, share.Notification{Events: []share.Event{{Name: "f", Hint: cache.HintAdded}}})
		time.Sleep(time.Second)
		r.engine.mu.Lock()
		defer r.engine.mu.Unlock()
		if n, since := r.engine.owed.Len(), r.engine.oldestOwed; n > 0 || !since.IsZero() {
			t.Errorf("%d directories are owed answers, since %v", n, since)
		}
	})
}

// TestHintAgainWhereThereAreTooMany: a name whose question is to be asked again is noted by a listing where no more names are.
func TestHintAgainWhereThereAreTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, nil)
		r.watched(1)
		r.engine.mu.Lock()
		defer r.engine.mu.Unlock()
		var w *watch
		for _, w = range r.engine.watches {
		}
		r.engine.hinted += hintsMost
		w.hintAgain("f", cache.HintModified)
		r.engine.hinted -= hintsMost
		if len(w.hints) != 0 || !w.list {
			t.Errorf("noted: %v; to be listed: %v", w.hints, w.list)
		}
	})
}
