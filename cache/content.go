package cache

import "time"

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
