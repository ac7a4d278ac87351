package cache

import "time"

// Seen is what a local program's question found out about p: View is what to answer it.
type Seen struct {
	View  View
	Stale bool // an own operation came between: ask again
	News  bool // the directory is watched and this is a change that will be told
}

// Saw takes the server's answer to a local program's question about p, asked at asOf; e is nil if
// there is no such name. A positive answer counts as one lookup of the kernel's. The name is the
// one asked for; the server may know it in another case, then nothing is remembered of it.
func (t *Tree) Saw(p Place, asOf Stamp, now time.Time, e *Entry) Seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	dir, d := t.directory(p.Dir)
	if d == nil {
		return Seen{}
	}
	defer t.keep(dir)()
	out := t.record(dir, asOf, now, Observation{Name: p.Name, Entry: e})
	t.wake()
	if out == Stale {
		return Seen{Stale: true}
	}
	s := d.slots[p.Name]
	switch {
	case s == nil || out == Ignored && !d.leaving:
		return Seen{View: View{Known: true}}
	case s.told != s.truth:
		return Seen{View: t.give(t.pending(s)), News: true}
	case s.told == nil:
		return Seen{View: View{Known: true}}
	}
	return Seen{View: t.give(View{ID: s.told.id, Entry: s.told.entry(), Known: true}), News: out == Changed}
}

// Alias answers a question for a name that the server knows in another case. Nothing is
// remembered of the name, so nobody may cache the answer.
func (t *Tree) Alias(e Entry, asOf Stamp, now time.Time) View {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.object(e, 0)
	o.see(e.Attr, asOf, now)
	return t.give(View{ID: o.id, Entry: o.entry(), Known: true, Pending: true})
}

// SawObject takes the attributes of id asked for at asOf by a local program. What differs is told
// under the name that is watched.
func (t *Tree) SawObject(id ID, asOf Stamp, now time.Time, a Attr) View {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil {
		return View{}
	}
	if _, differs := t.see(o, Place{}, a, asOf, now); differs {
		t.wake()
	}
	return View{ID: id, Entry: o.entry(), Known: true}
}

// note adds to what is to be told of o, under the name that listener finds.
// It reports whether there is one. Preconditions: t.mu is held.
func (t *Tree) note(o *object, p Place, what todo) bool {
	if what == 0 {
		return false
	}
	p, ok := t.listener(o, p)
	if ok {
		o.todo |= what
		t.soil(t.byID[p.Dir], p.Name, t.at(p))
	}
	return ok
}

// listener finds a name in a watched directory under which o was told: one in a pinned directory before others, and of
// those p if it is one. Preconditions: t.mu is held.
func (t *Tree) listener(o *object, p Place) (found Place, ok bool) {
	best := 0
	for _, q := range o.told {
		dir := t.byID[q.Dir]
		if !dir.isWatched() {
			continue
		}
		rank := 1
		if q == p {
			rank++
		}
		if dir.dir.pinned {
			rank += 2
		}
		if rank > best {
			best, found = rank, q
		}
	}
	return found, best > 0
}
