package cache

import (
	"maps"
	"slices"
)

// mostGone bounds directory.gone.
const mostGone = 64

// drop forgets a slot that says nothing any more. Preconditions: t.mu is held.
func (t *Tree) drop(p Place) {
	_, d := t.directory(p.Dir)
	if d == nil {
		return
	}
	s := d.slots[p.Name]
	if s == nil || s.told != nil || s.truth != nil || s.early != nil || s.busy > 0 || s.queued {
		return
	}
	delete(d.slots, p.Name)
	d.unfold(p.Name)
	d.bar(p.Name, max(s.asOf, s.version))
}

// bar keeps answers about a name from being believed that were asked for before asOf, when what
// is known of it came about. Preconditions: Tree.mu is held.
func (d *directory) bar(name string, asOf Stamp) {
	if len(d.gone) >= mostGone {
		for _, s := range d.gone {
			d.removed = max(d.removed, s)
		}
		d.gone = nil
	}
	if d.gone == nil {
		d.gone = map[string]Stamp{}
	}
	d.gone[name] = asOf
}

// outdated reports whether an answer asked for at asOf is older than what is known of a name that
// has no slot. Preconditions: Tree.mu is held.
func (d *directory) outdated(name string, asOf Stamp) bool {
	return asOf < d.complete || asOf < d.removed || asOf < d.gone[name]
}

// setTold makes o (nil: nothing) the told occupant of p. Preconditions: t.mu is held.
func (t *Tree) setTold(p Place, s *slot, o *object) {
	if o != nil {
		defer t.setEarly(s, nil)
	}
	if s.told == o {
		return
	}
	dir, old := t.byID[p.Dir], s.told
	s.told = o
	if o != nil {
		o.told = append(o.told, p)
		dir.dir.told++
		if o.todo != 0 {
			t.soil(dir, p.Name, s)
		}
		if o.dir != nil {
			if o.refs > 0 {
				t.moves++
			}
			t.enqueue(o) // what is in it can be told now
		}
	}
	if old != nil {
		old.told = without(old.told, p)
		dir.dir.told--
		if dir.dir.leaving && dir.dir.told == 0 {
			t.enqueueParents(dir)
		}
		t.left(old)
	}
}

// setEarly notes that o (nil: nothing) was shown at the name before it was told. Preconditions: t.mu is held.
func (t *Tree) setEarly(s *slot, o *object) {
	old := s.early
	if old == o {
		return
	}
	s.early = o
	if o != nil {
		o.early++
	}
	if old != nil {
		old.early--
		t.left(old)
	}
}

// enqueueParents has the directories looked at in which dir was told. Preconditions: t.mu is held.
func (t *Tree) enqueueParents(dir *object) {
	for _, p := range dir.told {
		t.enqueue(t.byID[p.Dir])
	}
}

// setTruth makes o (nil: nothing) the true occupant of p. Preconditions: t.mu is held.
func (t *Tree) setTruth(p Place, s *slot, o *object) {
	if s.truth == o {
		return
	}
	old := s.truth
	s.truth = o
	s.arrived = false
	s.moved = t.tick()
	if o != nil {
		lost := o.dir != nil && !t.exists(o)
		o.truth = append(o.truth, p)
		if lost && t.exists(o) {
			t.resume(o, map[*object]bool{})
		}
	}
	if old != nil {
		old.truth = without(old.truth, p)
		t.left(old)
	}
}

// resume queues what could not be told while nobody knew where the directory is.
// Preconditions: t.mu is held.
func (t *Tree) resume(dir *object, seen map[*object]bool) {
	if seen[dir] {
		return
	}
	seen[dir] = true
	for _, name := range slices.Sorted(maps.Keys(dir.dir.slots)) {
		s := dir.dir.slots[name]
		if !s.clean() {
			t.soil(dir, name, s)
		}
		if s.truth != nil && s.truth.dir != nil {
			t.resume(s.truth, seen)
		}
	}
}

// left forgets an object that lost a name if nothing refers to it. Preconditions: t.mu is held.
func (t *Tree) left(o *object) {
	if o.id == RootID || o.refs > 0 || o.opens > 0 || o.early > 0 || len(o.told) > 0 || len(o.truth) > 0 {
		return
	}
	if o.dir != nil {
		t.dropNames(o)
		if o.dir.watched {
			o.dir.watched = false
			t.watched--
		}
	}
	delete(t.byID, o.id)
	t.disown(o)
}

// disown has a later answer of the same identity be another object. Preconditions: t.mu is held.
func (t *Tree) disown(o *object) {
	if t.identity[o.identity.key()] == o {
		delete(t.identity, o.identity.key())
	}
}

// dropNames empties the snapshot of a directory that is forgotten. Preconditions: t.mu is held.
func (t *Tree) dropNames(o *object) {
	slots := o.dir.slots
	o.dir.slots, o.dir.dirty = nil, nil
	for name, s := range slots {
		p := Place{o.id, name}
		s.queued = true // is in no queue any more
		t.setEarly(s, nil)
		t.setTold(p, s, nil)
		t.setTruth(p, s, nil)
	}
}

func without(places []Place, p Place) []Place {
	for i, q := range places {
		if q == p {
			return append(places[:i], places[i+1:]...)
		}
	}
	return places
}
