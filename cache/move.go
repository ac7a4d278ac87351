package cache

import (
	"maps"
	"slices"
	"time"
)

const (
	// longestChain bounds the moves that are looked at because each is in the way of another.
	longestChain = 1000
	// patience is how long a move that cannot be told is put off before it is told as an end and
	// a beginning: directories that changed places with those above them can be told in no order.
	patience = time.Second
)

// movedTo finds where an object that left p is now, if it was not told there yet.
// Preconditions: t.mu is held.
func (t *Tree) movedTo(o *object, p Place) (Place, bool) {
	for _, q := range o.truth {
		if s := t.at(q); q != p && s != nil && s.told != o && t.exists(t.byID[q.Dir]) {
			return q, true
		}
	}
	return Place{}, false
}

// movedFrom finds the place from which an object came to p: moved if it is known to have left
// it, ask if that has to be found out; neither, with a place, if it still has that name too.
// Preconditions: t.mu is held.
func (t *Tree) movedFrom(o *object, p Place, since Stamp) (from Place, moved, ask bool) {
	for _, q := range append([]Place(nil), o.told...) {
		s := t.at(q)
		if q == p || s == nil {
			continue
		}
		if t.unheard(q, s) {
			continue
		}
		if s.truth != o {
			return q, true, false
		}
		if !ask {
			from, ask = q, s.asOf < since && !t.hides(q)
		}
	}
	return from, false, ask
}

// unheard forgets that something was told at q if nobody can know it there, and reports whether that is so.
// Preconditions: t.mu is held.
func (t *Tree) unheard(q Place, s *slot) bool {
	dir := t.byID[q.Dir]
	if t.known(dir) {
		return false
	}
	t.setTold(q, s, nil)
	t.soil(dir, q.Name, s)
	return true
}

// hides reports whether p is a name of our own, of which no answer is taken. Preconditions: t.mu is held.
func (t *Tree) hides(p Place) bool {
	_, hidden := t.byID[p.Dir].dir.hidden[p.Name]
	return hidden
}

// rename tells that o went from one place to another. What stands in the way, or a move that has
// to be told first, comes before it. Preconditions: t.mu is held.
func (t *Tree) rename(from, to Place, o *object, now time.Time) (Step, verdict) {
	first := from
	for range longestChain {
		s := t.at(to)
		old := s.told
		switch {
		case old == nil:
			return t.move(from, to, o, now)
		case !t.known(t.byID[to.Dir]): // what stands there is nothing that anybody knows of
			return t.blocked(from, o, now)
		}
		next, moved := t.movedTo(old, to)
		switch {
		case moved && next == first:
			return t.sever(from, to, o, now)
		case moved:
			from, to, o = to, next, old
			continue
		case old.dir == nil && o.dir == nil:
			return t.move(from, to, o, now)
		case t.holds(to.Dir, s, now) > 0:
			return wait(t.holds(to.Dir, s, now))
		}
		st, v := t.remove(to, old, now)
		if v == verdictYield { // it is waiting for what is in it, and that may be o
			return t.blocked(from, o, now)
		}
		return st, v
	}
	return t.sever(from, to, o, now)
}

// move tells of a rename to a name that is free or may be replaced. Preconditions: t.mu is held.
func (t *Tree) move(from, to Place, o *object, now time.Time) (Step, verdict) {
	if !t.enters(o, to.Dir) {
		return t.blocked(from, o, now)
	}
	if t.yields(from, to, t.at(to)) || t.yields(to, from, t.at(from)) {
		return Step{}, verdictYield
	}
	return t.change(Rename, from, to, o), verdictStep
}

// sever breaks a ring of objects of which each is in the way of another: one of two that meet is told
// gone, and as new where it is when the others have been told. RENAME_EXCHANGE would keep both, but its four
// events are those of two renames of which the second undoes the first: who goes by the events alone would
// believe one of the two lost. Preconditions: t.mu is held.
func (t *Tree) sever(from, to Place, o *object, now time.Time) (Step, verdict) {
	at, victim := to, t.at(to).told
	if o.names() < victim.names() {
		at, victim = from, o
	}
	st, v := t.remove(at, victim, now)
	if v == verdictYield { // it is waiting for what is in it, and that may be the other
		return t.blocked(from, o, now)
	}
	return st, v
}

// names is how many names go with the object. Preconditions: Tree.mu is held.
func (o *object) names() int {
	if o.dir == nil {
		return 0
	}
	return 1 + o.dir.told
}

// blocked puts a move off for which its target's directory has to move or to appear first.
// Preconditions: t.mu is held.
func (t *Tree) blocked(from Place, o *object, now time.Time) (Step, verdict) {
	if now.Before(t.at(from).notBefore.Add(patience)) {
		return Step{}, verdictYield
	}
	return t.remove(from, o, now)
}

// yields reports whether a rename at p lets the other end's directory tell what came before it
// there. It does so once. Preconditions: t.mu is held.
func (t *Tree) yields(p, other Place, s *slot) bool {
	d := t.byID[other.Dir].dir
	if p.Dir == other.Dir || len(d.dirty) == 0 || d.dirty[0] == other.Name {
		return false
	}
	if s == nil || s.yielded {
		return false
	}
	s.yielded = true
	return true
}

// remove tells that o is gone from p: what is below a directory first. Preconditions: t.mu is held.
func (t *Tree) remove(p Place, o *object, now time.Time) (Step, verdict) {
	if o.dir != nil {
		if o.dir.busy {
			return wait(retry)
		}
		t.bury(o, now)
		if o.dir.told > 0 {
			return Step{}, verdictYield
		}
	}
	return t.change(Remove, p, Place{}, o), verdictStep
}

// bury begins the end of a directory. After rmdir the kernel's inode is dead for good, so what
// is or turns up under its identity is another object. Preconditions: t.mu is held.
func (t *Tree) bury(o *object, now time.Time) {
	d := o.dir
	if d.leaving {
		return
	}
	d.leaving, d.complete, d.folded, d.unread = true, 0, nil, nil
	t.disown(o)
	for _, q := range append([]Place(nil), o.truth...) {
		s := t.at(q)
		t.setTruth(q, s, t.object(Entry{Identity: o.identity, Attr: o.attr}, 0))
		t.soil(t.byID[q.Dir], q.Name, s)
	}
	for _, name := range slices.Sorted(maps.Keys(d.slots)) {
		q, s := Place{o.id, name}, d.slots[name]
		t.setTruth(q, s, nil)
		if s.told != nil && t.held(q) {
			s.notBefore = now
			t.setEarly(s, nil)
			t.soil(o, name, s)
			continue
		}
		t.setTold(q, s, nil)
		t.setEarly(s, nil)
		t.drop(q)
	}
}

// known reports whether the kernel was told of dir and of all above it. Preconditions: t.mu is held.
func (t *Tree) known(dir *object) bool { return t.rooted(dir, (*object).toldPlaces) }

// exists reports whether dir is, as far as is known, on the server. Preconditions: t.mu is held.
func (t *Tree) exists(dir *object) bool { return t.rooted(dir, (*object).truePlaces) }

// below reports whether the kernel was told that dir is o or in it. Preconditions: t.mu is held.
func (t *Tree) below(dir, o *object) bool {
	for range maxDepth {
		if dir == o {
			return true
		}
		if dir == nil || len(dir.told) == 0 {
			return false
		}
		dir = t.byID[dir.told[0].Dir]
	}
	return true
}
