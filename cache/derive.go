package cache

import "time"

// verdict is what looking at a dirty name led to.
type verdict uint8

const (
	verdictStep  verdict = iota // a change, a question, or a wait: the directory's later names stay behind it
	verdictClean                // nothing to tell
	verdictYield                // another name has to go first
)

func wait(d time.Duration) (Step, verdict) { return Step{Wait: max(d, time.Millisecond)}, verdictStep }

// retry is how long a name waits for something that wakes nobody.
const retry = 20 * time.Millisecond

// clean reports whether there is nothing to tell of the name. Preconditions: Tree.mu is held.
func (s *slot) clean() bool {
	return s.told == s.truth && (s.told == nil || s.told.todo == 0) && (s.told != nil || s.early == nil)
}

// derive says what is to be told of one name. Preconditions: t.mu is held.
func (t *Tree) derive(dir *object, name string, s *slot, now time.Time) (Step, verdict) {
	p := Place{dir.id, name}
	switch {
	case s == nil || s.clean():
		return Step{}, verdictClean
	case s.busy > 0:
		return wait(retry)
	case !dir.dir.watched && !dir.dir.leaving && !t.contested(p, s):
		t.settle(p, s)
		return Step{}, verdictClean
	case !t.known(dir):
		return t.unreachable(dir, p, s)
	case s.told == nil && s.early != nil && s.early != s.truth:
		return t.deriveEarly(p, s)
	case s.told == s.truth:
		return t.deriveContent(p, s, now)
	case s.truth == nil:
		return t.deriveGone(p, s, now)
	case s.told == nil:
		return t.deriveNew(p, s, now)
	}
	return t.deriveReplaced(p, s, now)
}

// settle makes the truth the told view in a directory that is watched no more.
func (t *Tree) settle(p Place, s *slot) {
	t.setEarly(s, nil)
	if s.truth == nil {
		t.setTold(p, s, nil)
	} else if s.told != s.truth {
		t.adopt(p, s, s.truth)
	}
	if o := s.told; o != nil && o.todo != 0 {
		if _, ok := t.listener(o, p); !ok {
			o.todo = 0
		}
	}
}

// unreachable deals with a name in a directory that the kernel does not know (yet): either the
// directory's own appearance comes first, or it is gone and nobody is left to tell.
func (t *Tree) unreachable(dir *object, p Place, s *slot) (Step, verdict) {
	if t.exists(dir) {
		return wait(retry)
	}
	if dir.dir.leaving {
		t.setTold(p, s, nil)
	}
	return Step{}, verdictClean // resume brings it back
}

// deriveContent tells of the object behind a name that is as it was told. If it was seen under another name, that comes first:
// it may be here no more, and what is told is told of where it is.
func (t *Tree) deriveContent(p Place, s *slot, now time.Time) (Step, verdict) {
	o := s.truth
	if t.appears(o) {
		return Step{}, verdictYield
	}
	if o.todo&todoModify != 0 && now.Before(o.rhythmOf().modifyAt) {
		if o.todo&todoClose != 0 {
			t.rest(o)
		}
		o.todo &^= todoModify | todoClose
		t.deferModify(o)
	}
	for _, op := range []Op{Modify, Attrib, Rest} {
		if o.todo&op.todo() != 0 {
			o.todo &^= op.todo()
			return t.change(op, p, Place{}, o), verdictStep
		}
	}
	return Step{}, verdictClean
}

// appears reports whether o has a name that is about to be told. Preconditions: t.mu is held.
func (t *Tree) appears(o *object) bool {
	for _, q := range o.truth {
		if s := t.at(q); s.told != o && s.queued && t.byID[q.Dir].isWatched() && t.known(t.byID[q.Dir]) {
			return true
		}
	}
	return false
}

// deriveGone tells of a name that is no more.
func (t *Tree) deriveGone(p Place, s *slot, now time.Time) (Step, verdict) {
	if to, ok := t.movedTo(s.told, p); ok {
		return t.rename(p, to, s.told, now)
	}
	if left := t.holds(p.Dir, s, now); left > 0 {
		return wait(left)
	}
	return t.remove(p, s.told, now)
}

// deriveNew tells of a name that was not there.
func (t *Tree) deriveNew(p Place, s *slot, now time.Time) (Step, verdict) {
	o := s.truth
	from, moved, ask := t.movedFrom(o, p, s.moved)
	switch {
	case moved:
		return t.rename(from, p, o, now)
	case ask:
		return t.ask(from, now)
	case from != (Place{}) && o.dir == nil:
		return t.change(Link, from, p, o), verdictStep
	case from != (Place{}):
		o = t.alias(o)
		t.setTruth(p, s, o)
	}
	if s.arrived && len(o.told) == 0 && (o.dir == nil || o.refs == 0) { // the kernel has a directory in one place
		return t.change(Arrive, p, Place{}, o), verdictStep
	}
	return t.change(Create, p, Place{}, o), verdictStep
}

// deriveEarly tells of what was shown at a name before it was told, and is not there any more. Its end is
// what is to be told then. A directory that was told elsewhere meanwhile cannot be told here too:
// another takes its place.
func (t *Tree) deriveEarly(p Place, s *slot) (Step, verdict) {
	if o := s.early; o.dir != nil && (len(o.told) > 0 || o.dir.leaving) {
		t.setEarly(s, t.alias(o))
	}
	return t.change(Create, p, Place{}, s.early), verdictStep
}

// deriveReplaced tells of a name that belongs to another object now.
func (t *Tree) deriveReplaced(p Place, s *slot, now time.Time) (Step, verdict) {
	if to, ok := t.movedTo(s.told, p); ok {
		return t.rename(p, to, s.told, now)
	}
	from, moved, ask := t.movedFrom(s.truth, p, s.moved)
	switch {
	case moved:
		return t.rename(from, p, s.truth, now)
	case ask:
		return t.ask(from, now)
	case t.holds(p.Dir, s, now) > 0:
		return wait(t.holds(p.Dir, s, now))
	}
	return t.remove(p, s.told, now)
}

// ask wants p to be asked for, once in a while until it was.
func (t *Tree) ask(p Place, now time.Time) (Step, verdict) {
	s := t.at(p)
	if now.Before(s.askedUntil) {
		return wait(s.askedUntil.Sub(now))
	}
	s.askedUntil = now.Add(200 * time.Millisecond)
	return Step{Ask: &p}, verdictStep
}

// change makes the step. If a name is at work or one of its directories is being told of another
// change it waits.
func (t *Tree) change(op Op, from, to Place, o *object) Step {
	c := &Change{Op: op, From: from, To: to, ID: o.id, Kind: o.identity.Kind}
	c.Held = t.heard(c, o)
	for _, p := range []Place{from, to} {
		if s := t.at(p); s != nil && s.busy > 0 {
			return Step{Wait: retry}
		}
	}
	for _, id := range c.directories() {
		if _, d := t.directory(id); d != nil && d.busy {
			return Step{Wait: time.Millisecond}
		}
	}
	return Step{Change: c}
}

// heard reports whether somebody may be watching for c. Preconditions: t.mu is held.
func (t *Tree) heard(c *Change, o *object) bool {
	return c.Op >= Modify && o.refs > 0 || t.held(c.From) || t.held(c.To)
}

// held reports whether the kernel knows the directory of p, so that somebody may watch it.
func (t *Tree) held(p Place) bool {
	o := t.byID[p.Dir]
	return o != nil && (o.refs > 0 || o.id == RootID)
}
