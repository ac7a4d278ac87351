package cache

import "time"

// Own brackets a local operation on names while it is under way. What the server says about
// those names from before its end is not believed, and nothing of them is told meanwhile.
type Own struct {
	t      *Tree
	places []Place
}

// Begin starts a local operation on the names given. End must follow.
func (t *Tree) Begin(places ...Place) *Own {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range places {
		if _, d := t.directory(p.Dir); d != nil {
			s := d.slot(p.Name, true)
			s.busy++
			s.version = t.tick()
		}
	}
	return &Own{t: t, places: places}
}

// End ends the operation. What it did was said before by Created, Removed, Renamed or Linked.
func (o *Own) End() {
	t := o.t
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range o.places {
		dir, d := t.directory(p.Dir)
		if d == nil {
			continue
		}
		if s := d.slots[p.Name]; s != nil && s.busy > 0 {
			s.busy--
			s.version = t.tick()
			t.enqueue(dir)
			t.drop(p)
		}
	}
	t.wake()
}

// Made says that p is e, which we have made, and counts as one lookup of the kernel's. Servers reuse file ids at once, and the
// clock by which they note the creation may stand still meanwhile: who had the id before the operation began is another object.
func (o *Own) Made(p Place, e Entry, now time.Time) View {
	t := o.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.at(p); s != nil {
		if old := t.identity[e.key()]; old != nil && old.asOf <= s.version {
			t.disown(old)
		}
	}
	return t.created(p, e, nil, now)
}

// Created says that p is e, opened by us, and counts as one lookup of the kernel's.
func (o *Own) Created(p Place, e Entry, now time.Time) View {
	t := o.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.at(p); s != nil && s.truth != nil && s.truth.staysAs(&e, 0) {
		return t.created(p, e, s.truth, now)
	}
	return t.created(p, e, nil, now)
}

// created takes e, which is obj if that is not nil, for what is at p in both views. Preconditions: t.mu is held.
func (t *Tree) created(p Place, e Entry, obj *object, now time.Time) View {
	dir, d := t.directory(p.Dir)
	if d == nil {
		return View{}
	}
	defer t.keep(dir)()
	if obj == nil {
		if obj = t.object(e, 0); obj.dir != nil && len(obj.told) > 0 {
			obj = t.alias(obj) // seen under another name before our own answer came
		}
		t.toldEmpty(obj)
		if obj.dir != nil && len(obj.dir.slots) == 0 {
			obj.dir.listed = now // it is as good as listed: there is nothing in it yet
		}
	}
	obj.take(e.Attr, t.tick(), now)
	obj.rhythmOf().settled = now
	s := d.slot(p.Name, true)
	defer t.pin(p, s)()
	t.set(p, s, obj, obj)
	return t.give(View{ID: obj.id, Entry: obj.entry(), Known: true})
}

// Removed says that p is gone by our doing.
func (o *Own) Removed(p Place) {
	t := o.t
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.at(p)
	if s == nil {
		return
	}
	defer t.keep(t.byID[p.Dir])()
	if s.told != nil && s.told.dir != nil {
		t.bury(s.told, time.Time{})
	}
	t.unlinked(s.truth)
	t.set(p, s, nil, nil)
	t.drop(p)
}

// unlinked says that o, if any, lost a name by our doing: answers from before that do not count its names right.
// Preconditions: t.mu is held.
func (t *Tree) unlinked(o *object) {
	if o != nil && o.attr.Links > 1 {
		o.attr.Links--
		o.version = t.tick()
	}
}

// Renamed says that what was at from is at to by our doing.
// On the server that is what truly was there, in the kernel what was shown. Servers notify MODIFIED with a rename.
func (o *Own) Renamed(from, to Place, now time.Time) {
	t := o.t
	t.mu.Lock()
	defer t.mu.Unlock()
	source, fd := t.directory(from.Dir)
	target, td := t.directory(to.Dir)
	if fd == nil || td == nil {
		return
	}
	f, s := fd.slot(from.Name, true), td.slot(to.Name, true)
	told, truth := f.occupants()
	defer t.pin(from, f)()
	defer t.pin(to, s)()
	defer t.keep(source, target, told, truth)()
	if truth != nil && truth.dir == nil {
		truth.rhythmOf().settled = now
	}
	if s.truth != truth {
		t.unlinked(s.truth)
	}
	t.set(from, f, nil, nil)
	t.set(to, s, told, truth)
}

// occupants returns what is shown and what is true, each for the other where there is but one.
// Preconditions: Tree.mu is held.
func (s *slot) occupants() (told, truth *object) {
	told, truth = s.told, s.truth
	if told == nil {
		told = truth
	}
	if truth == nil && told != nil && !told.isLeaving() {
		truth = told
	}
	return told, truth
}

func (o *object) isLeaving() bool { return o.dir != nil && o.dir.leaving }

// keep has objects outlast the moments in which they have no name, up to the call of what it
// returns. Preconditions: t.mu is held.
func (t *Tree) keep(objects ...*object) func() {
	for _, o := range objects {
		if o != nil {
			o.refs++
		}
	}
	return func() {
		for _, o := range objects {
			if o == nil {
				continue
			}
			if o.refs--; o.refs == 0 {
				t.left(o)
			}
		}
	}
}

// pin has a slot outlast the moments in which it says nothing, up to the call of what it returns.
// Preconditions: t.mu is held.
func (t *Tree) pin(p Place, s *slot) func() {
	s.busy++
	return func() {
		s.busy--
		t.drop(p)
	}
}

// Hide says that name, of our own making, is to be shown to nobody.
func (t *Tree) Hide(p Place) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, d := t.directory(p.Dir); d != nil {
		if d.hidden == nil {
			d.hidden = map[string]struct{}{}
		}
		d.hidden[p.Name] = struct{}{}
	}
}

// Unhide ends what Hide began: the name is free again.
func (t *Tree) Unhide(p Place) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, d := t.directory(p.Dir); d != nil {
		delete(d.hidden, p.Name)
	}
}

// set moves both views of p. Preconditions: t.mu is held.
func (t *Tree) set(p Place, s *slot, told, truth *object) {
	dir := t.byID[p.Dir]
	if dir.dir.leaving {
		truth = nil
	}
	delete(dir.dir.unread, p.Name)
	s.asOf = t.tick()
	t.setEarly(s, nil)
	t.setTruth(p, s, truth)
	t.setTold(p, s, told)
	t.takeAway(told, truth, p)
	if s.told != s.truth {
		t.soil(dir, p.Name, s)
	}
}

// takeAway removes directories, which can have but one place, from all others but p.
// Preconditions: t.mu is held.
func (t *Tree) takeAway(told, truth *object, p Place) {
	var others []Place
	if told != nil && told.dir != nil {
		others = append(others, told.told...)
	}
	if truth != nil && truth.dir != nil {
		others = append(others, truth.truth...)
	}
	for _, q := range others {
		s := t.at(q)
		if q == p || s == nil {
			continue
		}
		if s.told == told {
			t.setTold(q, s, nil)
		}
		if s.truth == truth {
			t.setTruth(q, s, nil)
		}
		if s.told != s.truth {
			t.soil(t.byID[q.Dir], q.Name, s)
		}
		t.drop(q)
	}
}
