package cache

import "time"

// Security is a digest of an object's security descriptor: it tells a change of permissions,
// which servers report without saying what it is, from a change of content.
type Security struct {
	Digest uint64
	Known  bool
}

// newFor is how long after its own appearance was told what is in a directory is news to who
// begins to watch it, before anybody has listed it. Later it is just what is there.
const newFor = 2 * time.Second

// Watch says that changes of dir are to be told from now on. What had been told stays the base. clock is what the server's clock showed when
// nobody watched dir yet, a FILETIME; what is newer is news, also to who lists dir for the first time. 0: that is not known.
func (t *Tree) Watch(dir ID, now time.Time, clock int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[dir]
	if o == nil || o.dir == nil {
		return false
	}
	if !o.dir.looked && (o.rhythm == nil || now.Sub(o.rhythm.settled) > newFor) {
		o.dir.complete = 0
	}
	if !o.dir.watched {
		o.dir.news = o.newsSince(clock)
	}
	t.watch(o)
	return true
}

// Pin says whether a local program listens in dir. Of several names of a file, what happens to its content is told under
// one where somebody listens.
func (t *Tree) Pin(dir ID, is bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, d := t.directory(dir); d != nil {
		d.pinned = is
	}
}

// Preconditions: t.mu is held.
func (t *Tree) watch(o *object) {
	if !o.dir.watched {
		o.dir.watched = true
		t.watched++
	}
}

// Unwatch ends what Watch began. What is not told yet is told no more. As long as the kernel holds
// the directory the names it was told of are kept: if it is watched again, what changed in between
// is found by comparing.
func (t *Tree) Unwatch(dir ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[dir]
	if o == nil || !o.isWatched() {
		return
	}
	o.dir.watched = false
	t.watched--
	t.abandon(o)
	t.wake()
}

// Unsettled says whether some watched directories are out of sight for the moment. Meanwhile what
// has vanished from others may be in them, and is not believed to be gone, up to a bound.
func (t *Tree) Unsettled(is bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unsettled = is
	t.wake()
}

// Behind says since when what is notified has not all been looked at; zero: all has. What has vanished before that ends may
// turn up in it.
func (t *Tree) Behind(since time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.behind = since
}

// unsettledMost is how long a vanished object is at most waited for on account of directories
// that are out of sight, or not looked at yet.
const unsettledMost = 3 * time.Second

// holds returns how long what was at s, in dir, may still turn up elsewhere. Preconditions: t.mu is held.
func (t *Tree) holds(dir ID, s *slot, now time.Time) time.Duration {
	left := s.notBefore.Sub(now)
	behind := !t.behind.IsZero() && t.behind.Before(s.notBefore) && t.watched > 1 && !t.byID[dir].dir.leaving
	if (t.unsettled || behind) && left > -unsettledMost && !s.notBefore.IsZero() {
		left = max(left, retry)
	}
	return max(left, 0)
}

// Exists reports whether the server still has the directory, as far as is known; whether the
// kernel holds it; and whether the kernel has not been told yet that it is gone, if it is.
func (t *Tree) Exists(dir ID) (exists, held, told bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[dir]
	if o == nil {
		return false, false, false
	}
	root := o.id == RootID
	return t.exists(o), o.refs > 0, root || len(o.told) > 0
}

// HeldBefore reports whether the kernel holds id by more than the lookup that is being answered.
func (t *Tree) HeldBefore(id ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	return o != nil && o.refs > 1
}

// Entries counts the names known in dir.
func (t *Tree) Entries(dir ID) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, d := t.directory(dir); d != nil {
		return len(d.slots)
	}
	return 0
}

// Mark has a change told that no stat shows: of content, or of attributes and security. What is said of the object again before it is
// told is an echo: see Settled.
func (t *Tree) Mark(p Place, op Op, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	dir := t.byID[p.Dir]
	s := t.at(p)
	if s == nil || s.told == nil || s.told != s.truth || !dir.isWatched() {
		return
	}
	what := op.todo()
	if op == Modify {
		what |= todoClose
	}
	t.note(s.told, p, what)
	s.told.rhythmOf().settled = now
	t.wake()
}

// TrueOccupant returns the object that the server has at p, without a lookup.
func (t *Tree) TrueOccupant(p Place) (ID, Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.at(p); s != nil && s.truth != nil {
		return s.truth.id, s.truth.entry()
	}
	return 0, Entry{}
}

// Security returns what is known of the object's security descriptor.
func (t *Tree) Security(id ID) Security {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.byID[id]; o != nil {
		return o.security
	}
	return Security{}
}

// SetSecurity notes the digest of the object's security descriptor and returns what was known.
func (t *Tree) SetSecurity(id ID, digest uint64) Security {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil {
		return Security{}
	}
	old := o.security
	o.security = Security{digest, true}
	return old
}

// WithoutSecurity returns up to n objects in dir whose security descriptor is not known.
func (t *Tree) WithoutSecurity(dir ID, n int) (names []Name) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, d := t.directory(dir)
	if d == nil {
		return nil
	}
	for name, s := range d.slots {
		if len(names) == n {
			break
		}
		if s.truth != nil && s.truth == s.told && !s.truth.security.Known {
			names = append(names, Name{name, View{ID: s.truth.id}})
		}
	}
	return names
}

// Stale has the attributes of every object in dir asked for anew.
func (t *Tree) Stale(dir ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, d := t.directory(dir); d != nil {
		d.listed = time.Time{}
	}
}
