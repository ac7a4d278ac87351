package notify

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/cache"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// watched is a rig with directory d, which a local program watches.
func watched(t *testing.T, opts Options, prepare func(*smbtest.Server)) (*rig, cache.ID) {
	t.Helper()
	r := newRig(t, opts, prepare)
	r.make("d")
	d := r.look("d")
	r.list(d)
	r.pin(d)
	time.Sleep(15 * time.Second) // armed, and compared for the last time on that account
	return r, d
}

// TestRefused: where the server has no CHANGE_NOTIFY changes are found by comparing, which the log
// says once; much later it is asked again.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked counter
		r, _ := watched(t, Options{}, func(s *smbtest.Server) { s.Hook(wire.CommandChangeNotify, counting(&asked, refusing)) })
		r.said("does not notify of changes", 1)
		for i := range 5 {
			name := fmt.Sprintf("f%d", i)
			r.write(`d\`+name, "hello")
			r.within(2100*time.Millisecond, "create d/"+name)
			time.Sleep(20 * time.Second)
		}
		before := asked.get()
		time.Sleep(7 * time.Minute)
		if n := asked.get(); n != before {
			t.Errorf("the server was asked %d times more though it had refused", n-before)
		}
		if s := r.engine.Stats(); s.Now != Poll || s.Why == "" || s.Polled != s.Watched || s.Missed < 5 {
			t.Errorf("status: %+v", s)
		}
		r.server.Hook(wire.CommandChangeNotify, nil)
		time.Sleep(6 * time.Minute)
		r.write(`d\late`, "")
		r.within(100*time.Millisecond, "create d/late")
		if s := r.engine.Stats(); s.Now != Dir || s.Notified == 0 {
			t.Errorf("the server notifies again; status: %+v", s)
		}
		r.said("does not notify of changes", 1)
	})
}

// silence answers CHANGE_NOTIFY with an interim response and keeps the request.
type silence struct {
	mu   sync.Mutex
	kept []*smbtest.Request // guarded by mu
}

func (s *silence) hook(r *smbtest.Request) {
	r.Interim()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, r)
}

func (s *silence) take() []*smbtest.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.kept
	s.kept = nil
	return kept
}

// tell completes what was kept.
func (s *silence) tell(action wire.NotifyAction, name string) {
	s.complete([]wire.NotifyEvent{{Action: action, Name: name}})
}

func (s *silence) complete(events []wire.NotifyEvent) {
	for _, r := range s.take() {
		r.Final(wire.StatusSuccess, &wire.ChangeNotifyResponse{Output: wire.AppendNotifyEvents(nil, events)})
	}
}

// TestSilent: requests stay pending and nothing comes. Every change is found in time from the first
// on; after some it is said, once; own echoes are no proof; a notification that tells is.
func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s silence
		r, d := watched(t, Options{}, func(server *smbtest.Server) { server.Hook(wire.CommandChangeNotify, s.hook) })
		for i := range 6 {
			name := fmt.Sprintf("f%d", i)
			r.write(`d\`+name, "hello")
			r.within(2100*time.Millisecond, "create d/"+name)
			r.own(d, fmt.Sprintf("own%d", i), &s)
			time.Sleep(10 * time.Second)
		}
		st := r.engine.Stats()
		if st.Now != Poll || st.Missed < 6 || st.Notifications < 6 {
			t.Errorf("status: %+v", st)
		}
		r.said("does not tell of all changes", 1)
		r.write(`d\g`, "hello")
		s.tell(wire.ActionAdded, "g")
		r.within(100*time.Millisecond, "create d/g")
		if st := r.engine.Stats(); st.Now != Dir {
			t.Errorf("a notification told of a change; status: %+v", st)
		}
		r.write(`d\h`, "hello") // the next one is not notified: the way back is not taken on trust
		r.within(4100*time.Millisecond, "create d/h")
	})
}

// own makes a file as a local program does, and has the server notify of it.
func (r *rig) own(dir cache.ID, name string, s *silence) {
	path, _ := r.tree.Path(dir)
	p := cache.Place{Dir: dir, Name: name}
	own := r.tree.Begin(p)
	r.write(path+`\`+name, "own")
	e, err := r.share.StatPath(r.t.Context(), path+"/"+name)
	if err != nil {
		r.t.Fatal(err)
	}
	own.Created(p, e, time.Now())
	own.End()
	s.tell(wire.ActionAdded, name)
}

// TestProven: where notifications tell, a directory that is quiet is compared seldom.
func TestProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := watched(t, Options{}, nil)
		r.write(`d\f`, "hello")
		r.within(100*time.Millisecond, "create d/f")
		time.Sleep(5 * time.Minute)
		before := r.engine.Stats().Comparisons
		time.Sleep(time.Hour)
		if n := r.engine.Stats().Comparisons - before; n < 50 || n > 90 { // each minute, less up to a fifth
			t.Errorf("%d comparisons in an hour", n)
		}
		if st := r.engine.Stats(); st.Missed != 0 || st.Now != Dir || st.Pinned != 1 {
			t.Errorf("status: %+v", st)
		}
	})
}

// TestLost: a server that notifies, but for one change: a comparison finds it.
func TestLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := watched(t, Options{}, nil)
		r.write(`d\f`, "hello")
		r.within(100*time.Millisecond, "create d/f")
		time.Sleep(10 * time.Minute)
		r.server.Hook(wire.CommandChangeNotify, new(silence).hook)
		r.write(`d\g`, "hello") // told; the request after it is lost
		r.within(100*time.Millisecond, "create d/g")
		r.write(`d\h`, "hello")
		r.within(61*time.Second, "create d/h")
		time.Sleep(10 * time.Second)
		if st := r.engine.Stats(); st.Missed == 0 || st.Polled == 0 || st.Now != Dir {
			t.Errorf("one directory is not notified; status: %+v", st)
		}
		r.write(`d\i`, "hello")
		r.within(2100*time.Millisecond, "create d/i")
	})
}

// TestLate: a server that is busy notifies of a change when a comparison has found it long since, and nobody changes anything after that. It does
// notify: the directory is believed again. What comes much later, or is of our own doing, does not say so.
func TestLate(t *testing.T) {
	for _, c := range []struct {
		name     string
		after    time.Duration
		touched  bool
		believed bool
	}{
		{"late", 5 * time.Second, false, true},
		{"too late", 5 * time.Minute, false, false},
		{"the echo of an own change", 5 * time.Second, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s silence
				r, d := watched(t, Options{}, func(server *smbtest.Server) { server.Hook(wire.CommandChangeNotify, s.hook) })
				r.write(`d\f`, "hello")
				r.within(2100*time.Millisecond, "create d/f")
				time.Sleep(c.after)
				if r.engine.Coherent(d) != 0 {
					t.Error("a directory is believed of which a change was not notified")
				}
				if c.touched {
					r.engine.Touched(cache.Place{Dir: d, Name: "f"})
				}
				s.tell(wire.ActionAdded, "f")
				time.Sleep(time.Second)
				if believed := r.engine.Coherent(d) != 0 && !r.engine.CoherentSince(d).IsZero(); believed != c.believed {
					t.Errorf("it is believed afterwards: %v", believed)
				}
			})
		})
	}
}

// TestLateAmongOthers: as long as a server tells of other changes, one that a comparison has found is waited for, and the directory is asked about
// rather than believed; but not for ever.
func TestLateAmongOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := watched(t, Options{}, nil)
		r.make("busy")
		busy := r.look("busy")
		r.list(busy)
		r.pin(d, busy)
		time.Sleep(15 * time.Second)
		r.server.Hook(wire.CommandChangeNotify, new(silence).hook)
		r.write(`d\f`, "hello") // told; the request after it is lost
		r.within(100*time.Millisecond, "create d/f")
		r.server.Hook(wire.CommandChangeNotify, nil)
		until := func(most time.Duration, enough func() bool) (after time.Duration) {
			for start := time.Now(); !enough() && after < most; after = time.Since(start) {
				r.write(fmt.Sprintf(`busy\%d`, time.Now().UnixNano()), "")
				time.Sleep(grace / 2)
			}
			return after
		}
		r.write(`d\g`, "hello")
		until(time.Minute, func() bool { return r.count("create d/g") > 0 })
		time.Sleep(grace / 4)
		until(2*grace, func() bool { return false })
		if st := r.engine.Stats(); st.Missed != 0 || r.engine.Coherent(d) != 0 {
			t.Errorf("a change that may yet be notified: believed for %v; status: %+v", r.engine.Coherent(d), st)
		}
		if after := until(2*graceMost, func() bool { return r.engine.Stats().Missed > 0 }); after < graceMost-4*grace || after > graceMost {
			t.Errorf("it was given up after %v more", after)
		}
	})
}

// TestMoreToldThanAnswered: a server tells of ever more names and answers no question about them. They do not gather; when it answers, what is there
// is told.
func TestMoreToldThanAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s silence
		r, _ := watched(t, Options{}, func(server *smbtest.Server) { server.Hook(wire.CommandChangeNotify, s.hook) })
		var held silence
		r.server.Hook(wire.CommandQueryDirectory, held.hook)
		r.write(`d\f`, "hello")
		most := 0
		for n := range 400 {
			var events []wire.NotifyEvent
			for i := range 500 {
				events = append(events, wire.NotifyEvent{Action: wire.ActionAdded, Name: fmt.Sprint("never there ", n, " ", i)})
			}
			s.complete(events)
			time.Sleep(2 * gather) // the next request is there
			r.engine.mu.Lock()
			most = max(most, r.engine.hinted)
			r.engine.mu.Unlock()
		}
		if most > hintsMost || most < hintsMost/2 {
			t.Errorf("%d names were noted", most)
		}
		r.server.Hook(wire.CommandQueryDirectory, nil)
		held.serve()
		r.within(5*time.Second, "create d/f")
		time.Sleep(time.Minute)
		r.engine.mu.Lock()
		defer r.engine.mu.Unlock()
		if r.engine.hinted != 0 {
			t.Errorf("%d names are noted when all is known", r.engine.hinted)
		}
	})
}

// TestBudget: three directories of twenty are notified of, all are told.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const dirs = 20
		r := newRig(t, Options{Budget: 3}, nil)
		r.watched(dirs)
		time.Sleep(20 * time.Second)
		st := r.engine.Stats()
		if st.Pinned != dirs || st.Notified != 3 || st.OverBudget != dirs+1-3 { // and the root above them
			t.Errorf("status: %+v", st)
		}
		for round := range 2 {
			for i := range dirs {
				r.write(fmt.Sprintf(`d%d\f%d`, i, round), "hello")
			}
			for i := range dirs {
				r.within(2100*time.Millisecond, fmt.Sprintf("create d%d/f%d", i, round))
			}
			time.Sleep(time.Minute)
		}
		if n := r.server.Tree.Opens(); n != 3 {
			t.Errorf("%d handles are open for 3 directories", n)
		}
	})
}

// TestExhausted: the server takes eight requests. What is over that is compared; later more is tried.
func TestExhausted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const dirs, limit = 12, 8
		r := newRig(t, Options{}, allowing(limit))
		r.watched(dirs)
		time.Sleep(20 * time.Second)
		st := r.engine.Stats()
		if st.Budget > limit || st.Notified > limit || st.Notified == 0 || st.Pinned != dirs {
			t.Errorf("status: %+v", st)
		}
		for i := range dirs {
			r.write(fmt.Sprintf(`d%d\f`, i), "hello")
		}
		for i := range dirs {
			r.within(2100*time.Millisecond, fmt.Sprintf("create d%d/f", i))
		}
		r.said("the server allows no more watches", 1)
		r.server.Hook(wire.CommandChangeNotify, nil)
		small := r.engine.Stats().Budget
		time.Sleep(10 * time.Minute)
		if st := r.engine.Stats(); st.Budget <= small || st.Budget > small+15 {
			t.Errorf("the budget was %d and ten minutes later %d", small, st.Budget)
		}
	})
}

// TestEvicted: a directory that nobody watches gives way; what changed meanwhile is told when it is
// of use again, as long as the kernel holds it.
func TestEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{Budget: 1}, nil)
		r.make("a", "b")
		r.write(`a\old`, "hello")
		r.write(`a\moved`, "hello, too")
		a := r.look("a")
		r.list(a)
		time.Sleep(20 * time.Second)
		r.look("b")
		time.Sleep(2 * time.Minute)
		if st := r.engine.Stats(); st.Evicted == 0 {
			t.Fatalf("nothing was evicted: %+v", st)
		}
		if r.engine.Coherent(a) > 0 {
			t.Fatal("the evicted directory is believed")
		}
		r.write(`a\new`, "hello")
		r.server.Tree.Remove(`a\old`)
		r.server.Tree.Rename(`a\moved`, `a\there`)
		time.Sleep(time.Minute)
		if n := r.count("create a/new"); n != 0 {
			t.Fatal("a directory that nobody watches or uses is compared")
		}
		r.engine.Use(a)
		r.within(time.Second, "create a/new", "remove a/old", "rename a/moved a/there")
	})
}

// TestPoll: no request is sent, and a directory that nobody uses is left alone.
func TestPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked, listed counter
		r, d := watched(t, Options{Mode: Poll}, func(s *smbtest.Server) {
			s.Hook(wire.CommandChangeNotify, counting(&asked, nil))
			s.Hook(wire.CommandQueryDirectory, counting(&listed, nil))
		})
		r.write(`d\f`, "hello")
		r.within(2100*time.Millisecond, "create d/f")
		r.write(`d\f`, "hello again")
		time.Sleep(1100 * time.Millisecond) // it changes: once a second
		if n := r.count("modify d/f"); n != 2 {
			t.Errorf("modify was told %d times", n)
		}
		if asked.get() != 0 {
			t.Error("notification was asked for")
		}
		r.engine.mark(d, false)
		time.Sleep(5 * time.Minute)
		before := listed.get()
		time.Sleep(5 * time.Minute)
		if n := listed.get() - before; n != 0 {
			t.Errorf("%d listings of what nobody watches", n)
		}
	})
}

// TestOff: nothing is asked for.
func TestOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := watched(t, Options{Mode: Off}, nil)
		r.write(`d\f`, "hello")
		time.Sleep(5 * time.Minute)
		if st := r.engine.Stats(); st.Watched != 0 || r.count("create d/f") != 0 {
			t.Errorf("status: %+v", st)
		}
	})
}

// TestTree: one request at the root tells of everything, no handle below it is kept, and what the
// server lost is found by listing.
func TestTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{Mode: Tree}, func(s *smbtest.Server) {
			for _, dir := range []string{"a", `a\b`, `a\b\c`, "e"} {
				s.Tree.Mkdir(dir)
			}
		})
		r.engine.Use(cache.RootID)
		r.list(cache.RootID)
		dirs := map[string]cache.ID{}
		for _, dir := range []string{"a", "a/b", "a/b/c", "e"} {
			dirs[dir] = r.look(dir)
			r.list(dirs[dir])
		}
		r.pin(cache.RootID, dirs["a"], dirs["a/b"], dirs["a/b/c"], dirs["e"])
		time.Sleep(15 * time.Second)
		if n := r.server.Tree.Opens(); n != 1 {
			t.Errorf("%d handles are open, want that of the root alone", n)
		}
		const soon = 50 * time.Millisecond
		r.write(`a\b\c\f`, "hello")
		r.write("top", "hello")
		r.within(soon, "create a/b/c/f", "create top")
		if r.engine.Coherent(dirs["a/b/c"]) == 0 || r.engine.Stats().Notified != 5 {
			t.Errorf("status: %+v", r.engine.Stats())
		}
		// Between directories; the vanished one is waited for.
		r.server.Tree.Rename(`a\b\c\f`, `e\f`)
		r.within(HoldFor+soon, "rename a/b/c/f e/f")
		// A directory that is watched, with another below, and a change in it at once.
		r.server.Tree.Rename(`a\b`, `e\moved`)
		r.write(`e\moved\c\g`, "hello")
		r.within(time.Second, "rename a/b e/moved", "create e/moved/c/g")
		// A new directory and what is put into it at once.
		r.make(`e\new`)
		r.write(`e\new\h`, "hello")
		r.within(HoldFor+soon, "create e/new")
		r.pin(r.look("e/new"))
		r.within(time.Second, "create e/new/h")
		// The server loses what it had to say.
		r.lost(func() { r.write(`e\moved\c\lost`, "hello"); r.server.Tree.Remove("top") })
		r.within(HoldFor+time.Second, "create e/moved/c/lost", "remove top")
		r.lost(func() { r.server.Tree.Rename(`e\f`, `a\back`) })
		r.within(HoldFor+time.Second, "rename e/f a/back")
		if st := r.engine.Stats(); st.Overflows != 2 || st.Missed != 0 {
			t.Errorf("status: %+v", st)
		}
	})
}

// lost has the server overflow instead of telling what change does.
func (r *rig) lost(change func()) {
	var s silence
	r.server.Hook(wire.CommandChangeNotify, s.hook)
	if r.server.Tree.Notify("", wire.StatusSuccess, wire.NotifyEvent{Action: wire.ActionModified, Name: "nothing"}) != 1 {
		r.t.Fatal("nobody asked to be notified")
	}
	synctest.Wait()
	change()
	r.server.Hook(wire.CommandChangeNotify, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.kept {
		q.Final(wire.StatusNotifyEnumDir, nil)
	}
}
