package notify

import (
	"time"

	"smbfs/cache"
	"smbfs/share"
)

const (
	// secureMost is the size of directory up to which security descriptors are kept for comparison.
	secureMost = 512
	// unread stands for a descriptor that could not be read, forbidden for one that may not be.
	unread    = 0
	forbidden = 1
	// secureBatch is how many of them are read in one go.
	secureBatch = 16
	// secureAfter is how long a directory that somebody watches rests before its security descriptors are read, secureIdle any other: who has
	// just listed that may be about to go through it. A directory that somebody watches may never rest: it is not put off again.
	secureAfter = 100 * time.Millisecond
	secureIdle  = 2 * time.Second
	// secureShare is which part of the time is spent on it at most: one in so many, and secureLongest how long one batch is reckoned to take at most.
	secureShare   = 5
	secureLongest = 100 * time.Millisecond
)

// unexplained deals with a MODIFIED that no stat accounts for. The file's pages are dropped in
// any case. If the security descriptor is not what it was, somebody changed permissions; if it
// is, content changed under the old time and size, unless this is the late echo of a change that
// is known.
func (e *Engine) unexplained(w *watch, name string, hint cache.Hint) {
	p := cache.Place{Dir: w.id, Name: name}
	id, entry := e.tree.TrueOccupant(p)
	if id == 0 {
		return
	}
	switch {
	case !e.tree.Security(id).Known && e.touches.within(p, time.Now(), e.opts.Settle): // made here a moment ago: nothing to compare with
		e.teller.DropPages(id)
	case e.tellSecurity(p, id):
	case entry.Kind != cache.File:
	case hint&cache.HintEcho != 0 || e.tree.Settled(id, time.Now(), e.opts.Settle):
		e.teller.DropPages(id)
	default:
		e.tree.Mark(p, cache.Modify, time.Now())
	}
}

// judged says whether what is notified of a name may be an echo. That is judged when it comes: a server that has much to do may be asked long after.
func (e *Engine) judged(dir cache.ID, name string, h cache.Hint) cache.Hint {
	if h == cache.HintModified && e.contentSettled(dir, name) {
		h |= cache.HintEcho
	}
	return h
}

// tellSecurity reads the object's security descriptor, and has it told if it differs from what was known of it.
func (e *Engine) tellSecurity(p cache.Place, id cache.ID) (told bool) {
	path, ok := e.tree.PathOf(p.Dir, p.Name)
	if !ok {
		return false
	}
	digest, err := e.share.Security(e.ctx, path)
	switch {
	case share.IsForbidden(err):
		digest = forbidden
	case err != nil:
		return false
	}
	old := e.tree.SetSecurity(id, digest)
	if !old.Known || old.Digest == unread || old.Digest == digest {
		return false
	}
	e.tree.Mark(p, cache.Attrib, time.Now())
	return true
}

// doubt has the security descriptor of a name compared when its directory rests: permissions may have been changed with what was notified.
func (e *Engine) doubt(w *watch, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.doubted == nil {
		w.doubted = map[string]struct{}{}
	}
	w.doubted[name] = struct{}{}
}

// secureNew reads the descriptors of what has just been made in a directory that somebody watches: the next notification of it may be of
// a change of them. What there is no time for is read when the directory rests.
func (e *Engine) secureNew(w *watch, obs []cache.Observation) {
	var fresh []cache.Name
	for _, ob := range obs {
		if ob.Entry == nil || ob.Hint == 0 || len(fresh) == secureBatch {
			continue
		}
		if id, _ := e.tree.TrueOccupant(cache.Place{Dir: w.id, Name: ob.Name}); id != 0 && !e.tree.Security(id).Known {
			fresh = append(fresh, cache.Name{Name: ob.Name, View: cache.View{ID: id}})
		}
	}
	if len(fresh) == 0 || !e.mayRead(w) {
		return
	}
	e.readSecurity(w, fresh)
}

// mayRead reports whether descriptors in w may be read at once, which it takes note of.
func (e *Engine) mayRead(w *watch) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if !e.listens(w) || now.Before(e.turns) {
		return false
	}
	e.turns = now.Add(secureShare * max(e.turnCost, time.Millisecond))
	return true
}

// listens reports whether somebody may watch w. Preconditions: e.mu is held.
func (e *Engine) listens(w *watch) bool { return e.pins[w.id] > 0 || e.whole || e.opts.Marks == nil }

// readSecurity reads the descriptors of names in w, and takes the time.
func (e *Engine) readSecurity(w *watch, names []cache.Name) {
	start := time.Now()
	for _, n := range names {
		if e.ctx.Err() != nil {
			return
		}
		e.tellSecurity(cache.Place{Dir: w.id, Name: n.Name}, n.View.ID)
		if !e.tree.Security(n.View.ID).Known {
			e.tree.SetSecurity(n.View.ID, unread) // nothing to compare with
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range names {
		delete(w.doubted, n.Name)
	}
	e.turnCost = min(time.Since(start), secureLongest)
}

// unsure returns up to secureBatch names whose descriptors are to be read, those in doubt first.
func (e *Engine) unsure(w *watch) (names []cache.Name) {
	e.mu.Lock()
	for name := range w.doubted {
		if id, _ := e.tree.TrueOccupant(cache.Place{Dir: w.id, Name: name}); id == 0 {
			delete(w.doubted, name)
		} else if len(names) < secureBatch {
			names = append(names, cache.Name{Name: name, View: cache.View{ID: id}})
		}
	}
	e.mu.Unlock()
	if e.tree.Entries(w.id) <= secureMost {
		names = append(names, e.tree.WithoutSecurity(w.id, secureBatch-len(names))...)
	}
	return names
}

// baseline reads the security descriptors of a directory that rests, for later comparison. Directories take turns, so that the server has most
// of its time for local programs: those that have just used many directories go on to work in them.
func (e *Engine) baseline(w *watch) {
	if !e.rested(w) {
		return
	}
	names := e.unsure(w)
	if len(names) == 0 || !e.takeTurn(w) {
		return
	}
	e.readSecurity(w, names)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(names) == secureBatch {
		w.secure = time.Now()
		e.attend(w)
	}
}

// rests says when security descriptors in w may be read that something was just asked about. Preconditions: e.mu is held.
func (e *Engine) rests(w *watch) {
	now := time.Now()
	switch {
	case !e.listens(w):
		w.secure = now.Add(secureIdle)
	case w.secure.IsZero() || w.secure.After(now.Add(secureAfter)):
		w.secure = now.Add(secureAfter)
	}
}

// rested reports whether the time has come to read descriptors in w, which it takes note of, or has it looked at again then.
func (e *Engine) rested(w *watch) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case w.secure.IsZero():
		return false
	case time.Now().Before(w.secure):
		e.attendAt(w, w.secure)
		return false
	}
	w.secure = time.Time{}
	return true
}

// takeTurn reports whether it is the turn of w, or has it looked at again when it is.
func (e *Engine) takeTurn(w *watch) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.turn {
		w.turn = false
		return true
	}
	now := time.Now()
	at := e.turns
	if at.Before(now) {
		at = now
	}
	e.turns = at.Add(secureShare * max(e.turnCost, time.Millisecond))
	if at.Equal(now) {
		return true
	}
	w.turn, w.secure = true, at
	e.attendAt(w, at)
	return false
}
