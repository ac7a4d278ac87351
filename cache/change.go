package cache

// Op is a kind of change to be told.
type Op uint8

// The changes there are. Each becomes one replayed call; Force says otherwise.
const (
	Create Op = iota // From.Name is new: mknod, mkdir or symlink by the object's kind
	Remove           // From.Name is gone
	Rename           // From is now To; what was told of To is gone
	Link             // the object has a second name, To
	Arrive           // From.Name is an object that had a name before where nobody looks
	Modify           // content
	Attrib           // attributes, security, extended attributes or streams
	Rest             // the content has come to rest: CLOSE_WRITE
)

func (o Op) String() string {
	return [...]string{"create", "remove", "rename", "link", "arrive", "modify", "attrib", "close-write"}[o]
}

// Change is one step from what has been told to what is true.
type Change struct {
	Op       Op
	From, To Place // To: Rename, Link
	ID       ID    // the object it is about
	Kind     Kind
	// Held says that the kernel holds a directory that is involved, or the object: somebody may
	// be watching. Otherwise the views are moved and nothing is replayed.
	Held bool
}

// Commit moves the told view by c and returns the object it is about, counted as a lookup of the
// kernel's if lookup is set. It reports false, and moves nothing, if c is no longer what there
// is to tell.
func (t *Tree) Commit(c *Change, lookup bool) (View, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	from, to, ok := t.slots(c)
	o := t.byID[c.ID]
	if !ok || o == nil || !t.valid(c, from, to, o) {
		return View{}, false
	}
	switch c.Op {
	case Create:
		t.setTold(c.From, from, o)
		t.toldEmpty(o)
		if o.identity.Kind == File {
			o.todo |= todoClose
			if o.attr.Size > 0 {
				o.todo |= todoModify
			}
		}
	case Arrive:
		t.setTold(c.From, from, o)
	case Remove:
		t.setTold(c.From, from, nil)
	case Rename:
		t.setTold(c.To, to, o)
		t.setTold(c.From, from, nil)
	case Link:
		t.setTold(c.To, to, o)
	}
	v := View{ID: o.id, Entry: o.entry(), Known: true}
	if lookup {
		v = t.give(v)
	}
	return v, true
}

// Stands reports whether c is still what there is to tell, and Commit would carry it out.
func (t *Tree) Stands(c *Change) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	from, to, ok := t.slots(c)
	o := t.byID[c.ID]
	return ok && o != nil && t.valid(c, from, to, o)
}

// toldEmpty makes everything in a directory that has just appeared news. Preconditions: t.mu is held.
func (t *Tree) toldEmpty(o *object) {
	if o.dir != nil && o.dir.complete == 0 && o.dir.told == 0 {
		o.dir.complete = t.tick()
	}
}

// valid reports whether the views still differ by c, and the kernel would carry it out.
// Preconditions: t.mu is held.
func (t *Tree) valid(c *Change, from, to *slot, o *object) bool {
	if from.busy > 0 || to != nil && to.busy > 0 || !c.Held && t.heard(c, o) {
		return false
	}
	switch c.Op {
	case Create, Arrive:
		return from.told == nil && (from.truth == o || from.early == o) && (o.dir == nil || len(o.told) == 0)
	case Remove:
		return from.told == o && from.truth != o && (o.dir == nil || o.dir.leaving && o.dir.told == 0)
	case Rename:
		return from.told == o && from.truth != o && to.truth == o && to.replaceable(o) && t.enters(o, c.To.Dir)
	case Link:
		return from.told == o && to.told == nil && to.truth == o && o.dir == nil
	default:
		return from.told == o
	}
}

// replaceable reports whether a rename of o to the name can take place. Preconditions: Tree.mu is held.
func (s *slot) replaceable(o *object) bool {
	return s.told == nil || s.told != o && s.told.dir == nil && o.dir == nil
}

// enters reports whether o can be told in dir: the kernel knows the directory and it is not o or
// below it. Preconditions: t.mu is held.
func (t *Tree) enters(o *object, dir ID) bool {
	d := t.byID[dir]
	return t.known(d) && (o.dir == nil || !t.below(d, o))
}

// slots finds the names of c. Preconditions: t.mu is held.
func (t *Tree) slots(c *Change) (from, to *slot, ok bool) {
	if from = t.at(c.From); from == nil {
		return nil, nil, false
	}
	if c.Op == Rename || c.Op == Link {
		if to = t.at(c.To); to == nil {
			return nil, nil, false
		}
	}
	return from, to, true
}

// at returns the slot of p, or nil. Preconditions: t.mu is held.
func (t *Tree) at(p Place) *slot {
	if _, d := t.directory(p.Dir); d != nil {
		return d.slots[p.Name]
	}
	return nil
}
