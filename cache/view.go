package cache

import (
	"strings"
	"time"
)

// View is what a local program may be shown about a name or an object.
type View struct {
	ID      ID // 0: there is no such name
	Entry   Entry
	Known   bool // the tree can answer; otherwise the server has to be asked
	Pending bool // a change of this name is yet to be told: nobody may cache the answer
}

// Freshness says how old an answer may be to be given without asking the server.
type Freshness struct {
	Names      time.Duration
	Attributes time.Duration
}

// Lookup answers for p from memory, if it can: View.Known says so. A positive answer counts as
// one lookup of the kernel's.
func (t *Tree) Lookup(p Place, now time.Time, f Freshness) View {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, d := t.directory(p.Dir)
	if d == nil {
		return View{}
	}
	s := d.slots[p.Name]
	if s == nil || s.told == nil && s.truth == nil {
		return View{Known: d.knowsAbsent(p.Name, now, f.Names)}
	}
	if s.told != s.truth && (d.watched || s.queued) {
		return t.give(t.pending(s))
	}
	if s.told == nil || s.told != s.truth || now.Sub(s.told.seen) >= f.Attributes {
		return View{}
	}
	return t.give(View{ID: s.told.id, Entry: s.told.entry(), Known: true})
}

// pending is the view of a name whose change is yet to be told: what was told, but for a new
// object that the kernel has no other name for. Who has seen that hears of it, whatever becomes of it.
// Preconditions: t.mu is held.
func (t *Tree) pending(s *slot) View {
	o := s.told
	if o == nil && s.truth != nil && len(s.truth.told) == 0 {
		o = s.truth
		t.setEarly(s, o)
	}
	if o == nil {
		return View{Known: true, Pending: true}
	}
	return View{ID: o.id, Entry: o.entry(), Known: true, Pending: true}
}

// give counts the answer as a lookup of the kernel's. Preconditions: t.mu is held.
func (t *Tree) give(v View) View {
	if o := t.byID[v.ID]; o != nil {
		o.refs++
	}
	return v
}

// knowsAbsent reports whether a complete listing, young enough, lacks the name in every case.
// Preconditions: Tree.mu is held.
func (d *directory) knowsAbsent(name string, now time.Time, age time.Duration) bool {
	if _, ok := d.hidden[name]; ok {
		return true
	}
	if d.complete == 0 || now.Sub(d.listed) >= age {
		return false
	}
	if d.folded == nil {
		d.folded = make(map[string]int, len(d.slots))
		for n := range d.slots {
			d.folded[fold(n)]++
		}
	}
	return d.folded[fold(name)] == 0
}

// unfold takes a name out of folded whose slot went. Preconditions: Tree.mu is held.
func (d *directory) unfold(name string) {
	if d.folded == nil {
		return
	}
	if key := fold(name); d.folded[key] > 1 {
		d.folded[key]--
	} else {
		delete(d.folded, key)
	}
}

// fold maps names that a server may hold to be equal to one key.
func fold(name string) string { return strings.ToUpper(name) }

// Object returns the object as last seen. Known says that its attributes are younger than age.
func (t *Tree) Object(id ID, now time.Time, age time.Duration) View {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil {
		return View{}
	}
	return View{ID: id, Entry: o.entry(), Known: now.Sub(o.seen) < age}
}

// Told returns what the kernel was told of p: the object a replayed call has to meet.
func (t *Tree) Told(p Place) View {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, d := t.directory(p.Dir)
	if d == nil {
		return View{}
	}
	if s := d.slots[p.Name]; s != nil && s.told != nil {
		return t.give(View{ID: s.told.id, Entry: s.told.entry(), Known: true})
	}
	return View{Known: true}
}

// Take returns the object as it was last seen, counted as a lookup of the kernel's.
func (t *Tree) Take(id ID) View {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil {
		return View{}
	}
	return t.give(View{ID: id, Entry: o.entry(), Known: true})
}

// entry describes the object. The link count is at least the number of names the kernel has
// been told: at a smaller one it would end the watches on the others. It is 0 when there is no name
// left: at a larger one the kernel would not end the watches on the object itself.
// Preconditions: Tree.mu is held.
func (o *object) entry() Entry {
	e := Entry{Identity: o.identity, Attr: o.attr}
	if len(o.told) == 0 && len(o.truth) == 0 && o.id != RootID {
		e.Links = 0
	} else {
		e.Links = max(e.Links, uint32(len(o.told)), 1)
	}
	return e
}

// Name is one line of a listing.
type Name struct {
	Name string
	View View
}

// List returns a directory's names as a local program may see them now. It does not count as
// lookups; see [Tree.Lookup].
func (t *Tree) List(dir ID) []Name {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, d := t.directory(dir)
	if d == nil {
		return nil
	}
	names := make([]Name, 0, len(d.slots))
	for n, s := range d.slots {
		v := View{}
		switch {
		case s.told != s.truth && (d.watched || s.queued):
			v = t.pending(s)
		case s.told != nil:
			v = View{ID: s.told.id, Entry: s.told.entry(), Known: true}
		}
		if v.ID != 0 {
			names = append(names, Name{n, v})
		}
	}
	return names
}

// Complete reports whether List is a full listing asked for less than age ago.
func (t *Tree) Complete(dir ID, now time.Time, age time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, d := t.directory(dir)
	return d != nil && d.complete > 0 && now.Sub(d.listed) < age
}

// Forget takes n of the kernel's lookups of id back.
func (t *Tree) Forget(id ID, n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil || id == RootID {
		return
	}
	o.refs -= min(n, o.refs)
	t.abandon(o)
}

func (o *object) isWatched() bool { return o.dir != nil && o.dir.watched }

// idle reports whether neither the kernel nor a watch needs the object to be known.
// Preconditions: Tree.mu is held.
func (o *object) idle() bool {
	return o.refs == 0 && o.opens == 0 && !o.isWatched() && o.id != RootID
}

// abandon drops what only somebody's interest in o kept: its names, what is known in it, and the
// directories above that were kept for it. Preconditions: t.mu is held.
func (t *Tree) abandon(o *object) {
	if o.idle() && o.dir != nil {
		t.shed(o)
	}
	t.left(o)
	for o != nil && o.idle() && (o.dir == nil || len(o.dir.slots) == 0) {
		up := t.dropPlaces(o)
		t.left(o)
		o = up
	}
}

// shed drops the names in a directory that leads to nothing of interest. Preconditions: t.mu is held.
func (t *Tree) shed(o *object) {
	d := o.dir
	d.complete, d.folded, d.unread = 0, nil, nil
	for name, s := range d.slots {
		if c := s.told; c != nil && (!c.idle() || c.dir != nil && len(c.dir.slots) > 0) {
			continue
		}
		t.dropQuiet(Place{o.id, name}, s)
	}
}

// dropPlaces drops the names of o in directories that are not known whole, and returns the last
// of them. Preconditions: t.mu is held.
func (t *Tree) dropPlaces(o *object) (dir *object) {
	for _, p := range append([]Place(nil), o.told...) {
		up := t.byID[p.Dir]
		if up.isWatched() || up.dir.complete > 0 {
			continue
		}
		t.dropQuiet(p, up.dir.slots[p.Name])
		dir = up
	}
	return dir
}

// dropQuiet forgets a name of which there is nothing to tell. Preconditions: t.mu is held.
func (t *Tree) dropQuiet(p Place, s *slot) {
	if s.busy > 0 || s.queued || s.told != nil && s.told != s.truth {
		return
	}
	t.setEarly(s, nil)
	t.setTold(p, s, nil)
	t.setTruth(p, s, nil)
	t.drop(p)
}
