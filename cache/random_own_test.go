package cache

import (
	"slices"
	"time"
)

// beginOwn starts a local operation in directories that the kernel knows. The server carries it
// out at once; the tree hears of it when it ends.
func (w *world) beginOwn() {
	o, q := w.someKnown(), w.someKnown()
	d, e := w.node(o), w.node(q)
	if d == nil || e == nil || !w.w.reachable(o) || !w.w.reachable(q) {
		return
	}
	p, to := Place{o.id, w.randomName()}, Place{q.id, w.randomName()}
	s, target := w.t.at(p), w.t.at(to)
	shown := s != nil && s.told != nil
	w.epoch++
	defer func() { w.news.survey(w.dirs()) }()
	switch n := w.r.IntN(4); {
	case !shown:
		w.beginCreate(d, p)
	case n == 0 && s.told.dir == nil:
		w.beginRemove(d, p)
	case p != to && (target == nil || target.told == nil) && !(s.told.dir != nil && w.t.below(q, s.told)):
		w.beginRename(d, e, p, to)
	}
}

func (w *world) begin(end func(*Own), places ...Place) {
	if w.locked(places...) {
		return
	}
	own := w.t.Begin(places...)
	w.ops = append(w.ops, &ownOp{own: own, places: places, end: func() {
		end(own)
		w.epoch++
		for _, p := range places {
			if w.w.dirs[p.Dir] != nil {
				w.w.look(p.Dir)
			}
		}
		own.End()
	}})
}

func (w *world) beginCreate(d *node, p Place) {
	if d.names[p.Name] != nil || w.locked(p) {
		w.begin(func(*Own) {}, p) // refused by the server
		return
	}
	k := Kind(w.r.IntN(2))
	n := w.srv.make(k)
	d.put(p.Name, n)
	e := *d.entry(p.Name)
	w.logf("own: %s %v = %d", k, p, e.Created)
	w.begin(func(own *Own) { own.Made(p, e, w.now) }, p)
}

func (w *world) beginRemove(d *node, p Place) {
	if c := d.names[p.Name]; c == nil || c.names != nil || w.locked(p) {
		w.begin(func(*Own) {}, p)
		return
	}
	w.logf("own: unlink %v", p)
	w.news.lost[p] = true // the kernel tells that itself
	w.srv.drop(d, p.Name)
	w.begin(func(own *Own) { own.Removed(p) }, p)
}

func (w *world) beginRename(d, e *node, p, to Place) {
	c := d.names[p.Name]
	if c == nil || e.names[to.Name] != nil || w.locked(p, to) || w.srv.move(d, p.Name, e, to.Name) != nil {
		w.begin(func(*Own) {}, p, to)
		return
	}
	w.logf("own: rename %v %v", p, to)
	w.news.lost[p], w.news.lost[to] = true, true
	w.begin(func(own *Own) { own.Renamed(p, to, w.now) }, p, to)
}

func (w *world) endOwn() {
	if len(w.ops) == 0 {
		return
	}
	i := w.r.IntN(len(w.ops))
	op := w.ops[i]
	w.ops = slices.Delete(w.ops, i, i+1)
	w.logf("end of own operation at %v", op.places)
	op.end()
}

// settleDown lets everything come to its end: all is asked again until nothing is news.
func (w *world) settleDown() {
	w.logf("settle down")
	for len(w.ops) > 0 {
		w.endOwn()
	}
	for len(w.changes) > 0 {
		w.finishChange()
		w.verify("a change")
	}
	for len(w.answers) > 0 {
		w.readAnswer()
		w.verify("an answer")
	}
	for range 100 {
		changed := 0
		for _, d := range w.dirs() {
			if id := w.id(d); id != 0 && w.t.byID[id].isWatched() {
				changed += w.play.compare(d, w.t.Now())
				w.verify("a comparison")
			}
		}
		before := len(w.out)
		w.run(time.Hour)
		w.logf("told: %v", w.out[before:])
		if changed == 0 && before == len(w.out) {
			return
		}
	}
	w.tb.Fatalf("it never comes to rest")
}

// compareViews holds what was told against the server, where somebody watches.
func (w *world) compareViews() {
	for _, d := range w.dirs() {
		id := w.id(d)
		if id == 0 || !w.t.byID[id].isWatched() || !w.t.known(w.t.byID[id]) {
			continue // what is above is not watched: nobody knows where it is
		}
		slots := w.t.byID[id].dir.slots
		for name, n := range d.names {
			s := slots[name]
			if s == nil || s.told == nil || s.told.identity.FileID != n.identity.FileID || s.told.identity.Created != n.identity.Created {
				w.tb.Fatalf("directory %d: %s is %v, told %+v", id, name, n.identity, s)
			}
		}
		for name, s := range slots {
			if d.names[name] == nil {
				w.tb.Fatalf("directory %d: %s is gone, told %v", id, name, s.told)
			}
		}
	}
}

// tearDown removes all there is; then nothing may be left.
func (w *world) tearDown() {
	w.logf("tear down")
	for name := range w.srv.root.names {
		w.srv.drop(w.srv.root, name)
	}
	must := map[ID]bool{}
	for id := range w.w.dirs {
		must[id] = id != RootID && w.watchedAbove(id)
	}
	w.settleDown()
	for id := range w.w.dirs {
		if must[id] {
			w.tb.Fatalf("directory %d is gone and nobody was told", id)
		}
	}
	for id, o := range w.t.byID {
		if exists, _, _ := w.t.Exists(id); !exists && o.isWatched() {
			w.t.Unwatch(id)
		}
	}
	w.forget()
	w.verify("forgetting all")
	if n := len(w.t.byID); n != 1 {
		w.tb.Fatalf("%d objects are left", n-1)
	}
}

// watchedAbove reports whether every directory above id is watched, so that its end is told.
func (w *world) watchedAbove(id ID) bool {
	for id != RootID {
		o := w.t.byID[id]
		if len(o.told) == 0 {
			return false
		}
		if id = o.told[0].Dir; w.w.dirs[id] == nil {
			return false
		}
	}
	return true
}
