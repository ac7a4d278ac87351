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
	t.set(p, s, nil, nil)
	t.drop(p)
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

// see takes attributes that were asked for at asOf, if nothing newer is known, and returns what is to be told of them.
// Preconditions: Tree.mu is held.
func (o *object) see(a Attr, asOf Stamp, now time.Time) (what todo, fresh bool) {
	if !o.current(asOf) {
		return 0, false
	}
	return o.take(a, asOf, now), true
}

// current reports whether an answer asked for at asOf is newer than all that is known, and not
// from the midst of an own change. Preconditions: Tree.mu is held.
func (o *object) current(asOf Stamp) bool {
	return asOf >= o.asOf && asOf >= o.version && o.changing == 0
}

// take makes a the object's attributes, and returns what is to be told of that. Preconditions: Tree.mu is held.
func (o *object) take(a Attr, asOf Stamp, now time.Time) (what todo) {
	if a.Links == 0 {
		a.Links = o.attr.Links
	}
	what = o.difference(a)
	o.attr, o.asOf, o.seen = a, asOf, now
	switch {
	case o.changing > 0:
	case o.writers == 0:
		o.doubt = 0
	default:
		o.doubt = min(o.doubt, doubtTimes)
	}
	return what
}

// difference says what is to be told if a are the object's attributes now. Preconditions: Tree.mu is held.
func (o *object) difference(a Attr) todo {
	content := o.identity.Kind == File && !o.attr.sameContent(a)
	switch {
	case o.doubt == doubtAll:
		return 0
	case content && !(o.doubt == doubtTimes && o.attr.Size == a.Size):
		return todoModify | todoClose
	case !o.attr.sameFlags(a):
		return todoAttrib
	}
	return 0
}

// doubt is what own changes of an object's content or attributes leave unknown of it: what the next answer says of that is
// their doing, and nobody's news.
type doubt uint8

const (
	doubtTimes doubt = iota + 1 // servers move the times after a write, at the latest when its handle is closed
	doubtAll                    // own changes overlapped, so that what one of them was answered may be from before another
)

// Opened counts an own handle of id; writer says that it may change the content.
func (t *Tree) Opened(id ID, writer bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.byID[id]; o != nil {
		o.opens++
		if writer {
			o.writers++
		}
	}
}

// Closing says that the CLOSE of an own handle of id is about to be sent: from now on the server may give the file id to another object.
// It returns the stamp for Closed, which must follow.
func (t *Tree) Closing(id ID) Stamp {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.byID[id]; o != nil {
		o.closing++
	}
	return t.tick()
}

// Closed takes an own handle of id back, whose CLOSE was sent at asOf. Attributes that it was answered with, if any, are
// the truth that the handle's own writes led to (MS-SMB2 2.2.16), unless another own change came between.
func (t *Tree) Closed(id ID, writer bool, asOf Stamp, final *Attr, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil {
		return
	}
	o.opens, o.closing = max(o.opens-1, 0), max(o.closing-1, 0)
	if writer {
		o.writers = max(o.writers-1, 0)
		if o.doubt != 0 {
			o.rhythmOf().settled = now
		}
		if final == nil || !o.current(asOf) {
			o.seen = time.Time{}
		} else if what := o.take(*final, t.tick(), now); t.note(o, Place{}, what) {
			t.wake()
		}
		o.version = t.tick()
	}
	t.abandon(o)
}

// Wrote says that our own write extended the content of id to at least end bytes.
func (t *Tree) Wrote(id ID, end uint64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.byID[id]; o != nil {
		o.attr.Size = max(o.attr.Size, end)
		o.doubt = max(o.doubt, doubtTimes)
		o.version = t.tick()
		o.rhythmOf().settled = now
	}
}

// Set takes the attributes of id that our own operation left, as the server told them after it. BeginSet came before it and
// returned begun.
func (t *Tree) Set(id ID, begun Stamp, a Attr, now time.Time) View {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil {
		return View{}
	}
	left := doubt(0)
	switch {
	case o.changing > 1 || o.version > begun:
		left = doubtAll
	case o.writers > 0 || a.Size != o.attr.Size: // the CLOSE comes, or came, after the answer
		left = doubtTimes
	}
	o.version = t.tick()
	o.rhythmOf().settled = now
	o.take(a, t.tick(), now)
	if o.doubt = left; left == doubtAll {
		o.seen = time.Time{}
	}
	return View{ID: id, Entry: o.entry(), Known: true}
}

// BeginSet says that an own change of attributes or content of id is on its way: answers from
// before its end count no more. EndSet must follow, when Wrote or Set have said what it did.
func (t *Tree) BeginSet(id ID) Stamp {
	t.mu.Lock()
	defer t.mu.Unlock()
	stamp := t.tick()
	if o := t.byID[id]; o != nil {
		o.version = stamp
		o.changing++
		o.doubt = max(o.doubt, doubtTimes)
	}
	return stamp
}

// EndSet ends what BeginSet began.
func (t *Tree) EndSet(id ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.byID[id]; o != nil && o.changing > 0 {
		o.version = t.tick()
		o.changing--
	}
}
