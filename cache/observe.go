package cache

import (
	"slices"
	"time"
)

// Hint says what a notification claimed about a name. It is never believed, but it tells a
// vanished name from one that was overlooked.
type Hint uint8

// What notifications claim (MS-FSCC 2.7.1).
const (
	HintAdded   Hint = 1 << iota // what is there is new
	HintRemoved                  // what was there is not any more: deleted or renamed
	HintModified
	HintRenamed // what is there had another name
	HintEcho    // the modification may be that of a change which was made or told here shortly before
	HintArrived // what is there was elsewhere before, and has no other name now: said by who looked, not by a notification
)

// Then is what h amounts to when next is said of the same name. What has been added after a
// rename to the name is not what was renamed, and one modification that is no echo is enough.
func (h Hint) Then(next Hint) Hint {
	if next&HintAdded != 0 {
		h &^= HintRenamed
	}
	switch {
	case h&HintModified == 0 || next&HintModified == 0:
		return h | next
	case h&next&HintEcho == 0:
		return (h | next) &^ HintEcho
	}
	return h | next
}

// Observation is what the server answered about one name of a directory; Entry is nil if it
// has no such name.
type Observation struct {
	Name  string
	Entry *Entry
	Hint  Hint
	Later bool // there is such a name, and that is all that is to be taken of the answer
}

// Outcome says what an observation amounted to.
type Outcome uint8

// The outcomes of an observation.
const (
	Same    Outcome = iota // as known
	Changed                // the truth moved; it will be told
	Stale                  // asked before an own operation had ended: ask again
	Ignored                // a name of our own, or nothing is to be taken of it
)

// Observe takes the server's answers about names in dir, asked for at asOf. The outcomes are in
// the order of obs.
func (t *Tree) Observe(dir ID, asOf Stamp, now time.Time, obs []Observation) []Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Outcome, len(obs))
	o, d := t.directory(dir)
	if d == nil {
		return out
	}
	defer t.keep(o)()
	for i, ob := range obs {
		out[i] = t.record(o, asOf, now, ob)
	}
	t.wake()
	return out
}

// record takes one answer into the truth. Preconditions: t.mu is held.
func (t *Tree) record(dir *object, asOf Stamp, now time.Time, ob Observation) Outcome {
	d, p := dir.dir, Place{dir.id, ob.Name}
	if _, ok := d.hidden[ob.Name]; ok || d.leaving || ob.Later {
		return Ignored
	}
	s := d.slots[ob.Name]
	switch {
	case s == nil && ob.Entry == nil:
		delete(d.unread, ob.Name)
		return Same
	case s == nil && d.outdated(ob.Name, asOf):
		return Stale
	case s == nil && t.baseline(dir, asOf, now, ob):
		return Same
	case s != nil && (s.busy > 0 || s.version > asOf || s.asOf > asOf):
		return Stale
	}
	delete(d.unread, ob.Name)
	s = d.slot(ob.Name, true)
	s.asOf = asOf
	t.answered(p, s)
	if ob.Entry == nil {
		return t.recordGone(dir, p, s, now)
	}
	o := s.truth
	if o != nil && o.staysAs(ob.Entry, ob.Hint) {
		o.identity.Created = ob.Entry.Created
	} else {
		o = t.object(*ob.Entry, ob.Hint)
	}
	moved := o != s.truth
	if moved {
		s.notBefore = t.holdUntil(now)
		t.setTruth(p, s, o)
		s.arrived = ob.Hint&HintArrived != 0
	}
	fresh, differs := t.see(o, p, ob.Entry.Attr, asOf, now)
	switch {
	case s.told == s.truth && !fresh:
		return Stale
	case s.told == s.truth && differs:
		o.rhythmOf().settled = now
		return Changed
	case s.told == s.truth:
		return Same
	case d.watched:
		t.soil(dir, ob.Name, s)
		t.soilOthers(o, p)
	default:
		t.adopt(p, s, o)
	}
	if moved {
		o.rhythmOf().settled = now
		return Changed
	}
	return Same
}

// answered has the name looked at again for which p was asked for. Preconditions: t.mu is held.
func (t *Tree) answered(p Place, s *slot) {
	if !s.askedUntil.IsZero() {
		s.askedUntil = time.Time{}
		t.soilOthers(s.told, p)
	}
}

// recordGone takes the answer that there is no such name. Preconditions: t.mu is held.
func (t *Tree) recordGone(dir *object, p Place, s *slot, now time.Time) Outcome {
	if s.truth == nil && s.told == nil {
		t.drop(p)
		return Same
	}
	news := s.truth != nil
	if o := s.truth; o != nil {
		s.notBefore = t.holdUntil(now)
		t.setTruth(p, s, nil)
		t.soilOthers(o, p)
	}
	if dir.dir.watched {
		t.soil(dir, p.Name, s)
	} else {
		t.setTold(p, s, nil)
		t.drop(p)
	}
	if news {
		return Changed
	}
	return Same
}

// holdUntil is the time up to which an object that vanished may turn up elsewhere. With a single
// watched directory there is no elsewhere. Preconditions: t.mu is held.
func (t *Tree) holdUntil(now time.Time) time.Time {
	if t.watched < 2 {
		return now
	}
	return now.Add(t.hold)
}

// see takes what the server says of o, asked for at asOf under the name p: fresh if nothing newer
// is known, differs if that is to be told. Preconditions: t.mu is held.
func (t *Tree) see(o *object, p Place, a Attr, asOf Stamp, now time.Time) (fresh, differs bool) {
	what, fresh := o.see(a, asOf, now)
	return fresh, t.note(o, p, what)
}

// adopt makes the truth the told view where nobody watches. A directory that a watched one was
// told of keeps that name until its move is told; one that has another name still, or in which this one was told to be, gets
// a second object. Preconditions: t.mu is held.
func (t *Tree) adopt(p Place, s *slot, o *object) {
	if t.contested(p, s) {
		t.soil(t.byID[p.Dir], p.Name, s)
		t.soilOthers(o, p)
		return
	}
	if o.dir != nil && s.told != o && (len(o.told) > 0 || t.below(t.byID[p.Dir], o)) {
		o = t.alias(o)
		t.setTruth(p, s, o)
	}
	t.setTold(p, s, o)
}

// contested reports whether the true occupant of p is a directory that a watched directory was
// told of. Preconditions: t.mu is held.
func (t *Tree) contested(p Place, s *slot) bool {
	if s.truth == nil || s.truth.dir == nil || s.told == s.truth {
		return false
	}
	for _, q := range s.truth.told {
		if q != p && t.byID[q.Dir].isWatched() {
			return true
		}
	}
	return false
}

// alias returns a second object for a directory. Preconditions: t.mu is held.
func (t *Tree) alias(o *object) *object {
	id := o.identity
	id.Alias = t.lastID + 1
	return t.object(Entry{Identity: id, Attr: o.attr}, 0)
}

// soilOthers marks the names under which o was told in watched directories: they have to be
// looked at again. Preconditions: t.mu is held.
func (t *Tree) soilOthers(o *object, but Place) {
	if o == nil {
		return
	}
	for _, q := range append(append([]Place(nil), o.told...), o.truth...) {
		if dir := t.byID[q.Dir]; q != but && dir.isWatched() {
			if s := dir.dir.slots[q.Name]; s != nil && s.told != s.truth {
				t.soil(dir, q.Name, s)
			}
		}
	}
}

// Compare takes a whole listing of dir, asked for at asOf. It returns the names that it lacks:
// listings are not atomic, so an absence in a watched directory is believed only when the
// server is asked for that name (Observe). With them are the names of which something newer is
// known, which are to be asked for anew.
func (t *Tree) Compare(dir ID, asOf Stamp, now time.Time, list []Observation) (missing []string, changed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o, d := t.directory(dir)
	if d == nil || d.leaving {
		return nil, 0
	}
	defer t.keep(o)()
	whole := asOf >= d.complete
	present := make(map[string]struct{}, len(list))
	for _, ob := range list {
		present[ob.Name] = struct{}{}
	}
	missing = t.absent(o, asOf, present) // first: a directory that nobody watches may have a new name here
	for _, ob := range list {
		switch t.record(o, asOf, now, ob) {
		case Changed:
			changed++
		case Stale:
			if missing = append(missing, ob.Name); d.slots[ob.Name] == nil {
				whole = false
			}
			d.leave(ob.Name)
		}
	}
	d.looked = true
	if d.complete = max(d.complete, asOf); whole {
		d.listed = now
	}
	t.wake()
	return missing, changed
}

// leave notes a name that a first listing has and that cannot be taken from it: an own operation is at work on it.
// Preconditions: Tree.mu is held.
func (d *directory) leave(name string) {
	if d.complete > 0 {
		return
	}
	if d.unread == nil {
		d.unread = map[string]struct{}{}
	}
	d.unread[name] = struct{}{}
}

// baseline takes a name that nobody was told anything of, in a directory that was not known whole: it is no news that it is
// there, unless a notification says so, or its times do. It reports false if there is something to tell. Preconditions: t.mu is held.
func (t *Tree) baseline(dir *object, asOf Stamp, now time.Time, ob Observation) bool {
	d := dir.dir
	if _, unread := d.unread[ob.Name]; d.complete > 0 && !unread || ob.Hint&(HintAdded|HintRenamed) != 0 {
		return false
	}
	if !t.known(dir) {
		return false // its own appearance is yet to be told, and all that is in it
	}
	if d.watched && d.news.hasAppeared(ob.Entry) {
		return false
	}
	o := t.object(*ob.Entry, ob.Hint)
	defer t.keep(o)()
	for _, q := range slices.Clone(o.told) {
		if s := t.at(q); !t.unheard(q, s) && (s.truth != o || !t.exists(t.byID[q.Dir])) {
			return false // it is known to have moved
		}
	}
	if o.dir != nil && len(o.told) > 0 {
		o = t.alias(o)
	}
	o.see(ob.Entry.Attr, asOf, now)
	delete(d.unread, ob.Name)
	p, s := Place{dir.id, ob.Name}, d.slot(ob.Name, true)
	s.asOf = asOf
	t.setTruth(p, s, o)
	t.setTold(p, s, o)
	if what := d.news.todo(ob.Entry); d.watched && t.note(o, p, what) {
		o.rhythmOf().settled = now
	}
	return true
}

// absent returns the known names that a listing asked for at asOf lacks; where nobody watches
// it drops them. Preconditions: t.mu is held.
func (t *Tree) absent(dir *object, asOf Stamp, present map[string]struct{}) (missing []string) {
	for name, s := range dir.dir.slots {
		_, ok := present[name]
		if ok || s.busy > 0 || s.version > asOf || s.asOf > asOf || s.truth == nil && s.told == nil {
			continue
		}
		if dir.dir.watched {
			if s.truth != nil {
				missing = append(missing, name)
			}
			continue
		}
		p := Place{dir.id, name}
		t.setTruth(p, s, nil)
		t.setTold(p, s, nil)
		t.drop(p)
	}
	return missing
}
