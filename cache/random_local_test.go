package cache

import (
	"slices"
	"time"
)

// What local programs and the kernel do in the random test.

func (w *world) watchOne() {
	o := w.someKnown()
	if w.node(o) == nil || len(o.told) == 0 && o.id != RootID || w.w.dirs[o.id] != nil {
		return
	}
	if o.id != RootID {
		v := w.t.Told(o.told[0]) // the kernel holds what it watches
		if v.ID != o.id {
			w.tb.Fatalf("told at %v is %d, not %d", o.told[0], v.ID, o.id)
		}
	}
	w.watch(o)
}

// watch has somebody watch a directory that nobody has listed yet, maybe.
func (w *world) watch(o *object) {
	w.logf("watch %d", o.id)
	w.epoch++
	if first := !o.isWatched(); w.t.Watch(o.id, w.now, 0) && first {
		w.news.watched(w.t, o)
	}
	w.w.look(o.id)
}

func (w *world) unwatchOne() {
	o := w.someKnown()
	if o.id == RootID || w.w.dirs[o.id] == nil {
		return
	}
	w.logf("unwatch %d", o.id)
	w.epoch++
	delete(w.w.dirs, o.id)
	w.t.Unwatch(o.id)
}

func (w *world) lookOne() {
	o := w.someKnown()
	d := w.node(o)
	if d == nil || w.w.dirs[o.id] == nil && len(o.told) == 0 {
		return
	}
	p := Place{o.id, w.randomName()}
	w.logf("look %v", p)
	w.epoch++
	if w.chance(50) {
		w.t.Lookup(p, w.now, Freshness{time.Second, time.Second})
		return
	}
	seen := w.t.Saw(p, w.t.Now(), w.now, d.entry(p.Name))
	if s := w.t.at(p); !seen.Stale && s != nil && s.told != nil && seen.View.ID != s.told.id {
		w.tb.Fatalf("%v is shown as %d, and %d was told", p, seen.View.ID, s.told.id)
	}
}

// forgetOne takes back the lookups of an object in which the kernel knows nothing.
func (w *world) forgetOne() {
	var ids []ID
	for id, o := range w.t.byID {
		if o.refs > 0 && id != RootID && w.w.dirs[id] == nil && !w.pins(o) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return
	}
	slices.Sort(ids)
	id := ids[w.r.IntN(len(ids))]
	w.logf("forget %d", id)
	w.epoch++
	w.t.Forget(id, w.t.byID[id].refs)
}

func (w *world) pins(o *object) bool {
	if o.dir == nil {
		return false
	}
	for _, s := range o.dir.slots {
		if s.told != nil && s.told.refs > 0 {
			return true
		}
	}
	return false
}
