package notify

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestReleaseWhileOpening: an own operation that needs a directory closed waits for its handle that is just being opened, and none is
// opened until the operation has ended.
func TestReleaseWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, nil)
		r.make("d")
		time.Sleep(time.Minute)
		before := r.server.Tree.Opens()

		r.conns[1].hold()
		id := r.look("d")
		synctest.Wait()
		if n := r.server.Tree.Opens(); n != before+1 {
			t.Fatalf("%d handles are open, want %d", n, before+1)
		}
		var resume func()
		go func() { resume = r.engine.Release(t.Context(), id) }()
		time.Sleep(time.Second)
		if resume != nil {
			t.Error("the directory is open, and Release has returned")
		}
		r.conns[1].release()
		synctest.Wait()
		if resume == nil {
			t.Fatal("Release does not return")
		}
		r.engine.Use(id)
		time.Sleep(time.Minute)
		if n := r.server.Tree.Opens(); n != before {
			t.Errorf("%d handles are open during the operation, want %d", n, before)
		}
		resume()
		time.Sleep(time.Minute)
		if n := r.server.Tree.Opens(); n != before+1 {
			t.Errorf("%d handles are open after it, want %d", n, before+1)
		}
		r.write(`d\f`, "hello")
		r.within(time.Second, "create d/f")
	})
}

// TestReleaseWhileClosing: and for one that is just being closed.
func TestReleaseWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, nil)
		r.make("d", `d\e`)
		d := r.look("d")
		e := r.look("d/e")
		time.Sleep(time.Minute)
		before := r.server.Tree.Opens()
		r.conns[1].hold()
		r.engine.mu.Lock()
		r.engine.rearm(r.engine.watches[e])
		r.engine.mu.Unlock()
		returned := false
		go func() {
			resume, n := r.engine.ReleaseBelow(t.Context(), d)
			defer resume()
			if returned = true; n != 1 {
				t.Errorf("%d directories below, want 1", n)
			}
			if n := r.server.Tree.Opens(); n != before-1 {
				t.Errorf("%d handles are open, want %d", n, before-1)
			}
		}()
		time.Sleep(time.Second)
		if returned {
			t.Error("the directory is being closed, and ReleaseBelow has returned")
		}
		r.conns[1].release()
		synctest.Wait()
		if !returned {
			t.Error("ReleaseBelow does not return")
		}
	})
}
