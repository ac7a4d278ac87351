package cache

import "time"

// Step is what to do next. At most one of Change and Ask is set; with neither, nothing can be
// done before Wait has passed (zero: before something changes).
type Step struct {
	Change *Change
	Ask    *Place // the server has to be asked for this name: its truth decides what another's change is
	Wait   time.Duration
}

// Dirty delivers a value whenever Next may have something new, to one of those who wait for it.
func (t *Tree) Dirty() <-chan struct{} { return t.kick }

// wake says that Next may have something new. Preconditions: t.mu is held.
func (t *Tree) wake() {
	if len(t.dirty) == 0 && len(t.later) == 0 {
		return
	}
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// soil queues a name whose views may differ. Preconditions: t.mu is held.
func (t *Tree) soil(dir *object, name string, s *slot) {
	if !s.queued {
		s.queued = true
		dir.dir.dirty = append(dir.dir.dirty, name)
	}
	t.enqueue(dir)
}

// Preconditions: t.mu is held.
func (t *Tree) enqueue(dir *object) {
	d := dir.dir
	if !d.queued && !d.busy && len(d.dirty) > 0 {
		d.queued = true
		t.dirty = append(t.dirty, dir)
	}
}

// Next derives one change that is to be told now. Its directories are locked against further
// changes until Done, after which the caller calls Next again; different directories' changes may be told at the same time.
func (t *Tree) Next(now time.Time) Step {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due(now)
	for len(t.dirty) > 0 {
		dir := t.dirty[0]
		t.dirty = t.dirty[1:]
		dir.dir.queued = false
		st := t.head(dir, now)
		if st.Change != nil || st.Ask != nil {
			t.enqueue(dir)
			t.wake() // the caller is at work for a while: what else there is, and what is due meanwhile, is for others
			return st
		}
		if st.Wait > 0 {
			t.lookAgain(dir, now.Add(st.Wait))
		}
	}
	return Step{Wait: t.untilDue(now)}
}

// head looks at the first of a directory's dirty names; names with nothing to tell are passed.
// Preconditions: t.mu is held.
func (t *Tree) head(dir *object, now time.Time) Step {
	d := dir.dir
	for turns := len(d.dirty); len(d.dirty) > 0 && turns > 0 && !d.busy; turns-- {
		name := d.dirty[0]
		s := d.slots[name]
		st, verdict := t.derive(dir, name, s, now)
		switch {
		case len(d.dirty) == 0: // the directory itself has gone on the way
		case verdict == verdictClean:
			t.clean(dir, name, s)
		case verdict == verdictYield:
			d.dirty = append(d.dirty[1:], name)
		default:
			if st.Change != nil {
				t.engage(st.Change, true)
			}
			return st
		}
	}
	return Step{Wait: yieldWait(d)}
}

// yieldWait is how soon to look again at names that wait for another directory.
func yieldWait(d *directory) time.Duration {
	if len(d.dirty) == 0 || d.busy {
		return 0
	}
	return yieldRetry
}

const yieldRetry = 5 * time.Millisecond

// clean takes the first dirty name off the queue. Preconditions: t.mu is held.
func (t *Tree) clean(dir *object, name string, s *slot) {
	dir.dir.dirty = dir.dir.dirty[1:]
	if s != nil {
		s.queued, s.yielded = false, false
		t.drop(Place{dir.id, name})
	}
}

// engage marks the directories of c as being told of a change, or no longer. Of a directory that
// appears, moves or goes the own changes wait too. Preconditions: t.mu is held.
func (t *Tree) engage(c *Change, busy bool) {
	for _, id := range c.directories() {
		if o, d := t.directory(id); d != nil {
			d.busy = busy
			if !busy {
				t.enqueue(o)
			}
		}
	}
}

// directories are those in which nothing else may be told with c.
func (c *Change) directories() []ID {
	ids := []ID{c.From.Dir, c.To.Dir}
	if c.Kind == Directory && c.Op < Modify {
		ids = append(ids, c.ID)
	}
	return ids
}

// Done ends the telling of c. If it could not be told it is derived anew.
func (t *Tree) Done(c *Change, told bool, now time.Time, p Pace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[c.ID]
	switch {
	case o == nil:
	case told:
		o.paced(c, now, p)
		if o.todo&todoClose != 0 && c.Op != Rest {
			o.todo &^= todoClose // when the content rests
			t.rest(o)
		}
	default:
		t.note(o, c.From, c.Op.todo())
	}
	for _, q := range []Place{c.From, c.To} {
		if s := t.at(q); s != nil && !s.clean() {
			t.soil(t.byID[q.Dir], q.Name, s)
		} else {
			t.drop(q)
		}
	}
	t.engage(c, false)
}

// Pace bounds how often content changes of one file are told.
type Pace struct {
	Modify time.Duration // between two MODIFYs of one file
	Rest   time.Duration // without a change before CLOSE_WRITE
}

func (op Op) todo() todo {
	switch op {
	case Modify:
		return todoModify
	case Attrib:
		return todoAttrib
	case Rest:
		return todoClose
	}
	return 0
}

// Preconditions: Tree.mu is held.
func (o *object) paced(c *Change, now time.Time, p Pace) {
	switch c.Op {
	case Create, Modify:
		r := o.rhythmOf()
		r.settled = now
		r.at = c.From
		r.restAt = now.Add(p.Rest)
		if c.Op == Modify {
			r.modifyAt = now.Add(p.Modify)
		}
	case Attrib, Rename, Link, Arrive: // servers notify MODIFIED with a rename
		o.rhythmOf().settled = now
	}
}

// Settled reports whether a change of id was told or made here less than age ago.
func (t *Tree) Settled(id ID, now time.Time, age time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	return o != nil && (o.doubt != 0 || o.rhythm != nil && now.Sub(o.rhythm.settled) < age)
}
