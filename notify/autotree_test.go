package notify

import (
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient/wire"
)

// TestAutoTree: own renames were refused until the handles below were closed. One handle on the root takes
// their place and tells of everything; when it proves to miss changes it is given up.
func TestAutoTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := watched(t, Options{}, nil)
		r.make(`d\e`)
		e := r.look("d/e")
		r.list(e)
		r.pin(e)
		time.Sleep(15 * time.Second)
		r.engine.Blocked()
		if st := r.engine.Stats(); st.Now != Dir {
			t.Errorf("after a single rename: %+v", st)
		}
		r.engine.Blocked()
		time.Sleep(15 * time.Second)
		if n := r.server.Tree.Opens(); n != 1 {
			t.Errorf("%d handles are open, want that of the root alone", n)
		}
		r.write(`d\e\f`, "hello")
		r.within(100*time.Millisecond, "create d/e/f")
		if st := r.engine.Stats(); st.Now != Tree || st.Why == "" {
			t.Errorf("status: %+v", st)
		}
		r.said("one watch of everything takes the place", 1)

		time.Sleep(5 * time.Minute)
		var s silence
		r.server.Hook(wire.CommandChangeNotify, s.hook)
		r.write(`d\g0`, "hello") // told; the request after it is lost
		for _, name := range []string{"g1", "g2", "g3", "g4"} {
			r.write(`d\`+name, "hello")
			r.within(61*time.Second, "create d/"+name)
			time.Sleep(5 * time.Second)
		}
		r.server.Hook(wire.CommandChangeNotify, nil)
		r.said("watched one by one again", 1)
		time.Sleep(time.Minute)
		r.server.Hook(wire.CommandChangeNotify, nil)
		if st := r.engine.Stats(); st.Now != Dir {
			t.Errorf("status: %+v", st)
		}
		r.engine.Blocked() // it was tried
		if st := r.engine.Stats(); st.Now != Dir {
			t.Errorf("status: %+v", st)
		}
	})
}
