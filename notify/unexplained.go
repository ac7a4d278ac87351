package notify

import (
	"time"

	"smbfs/cache"
)

const (
	// secureMost is the size of directory up to which security descriptors are kept for comparison.
	secureMost = 512
	// unread stands for a descriptor that could not be read.
	unread = 0
	// secureBatch is how many of them are read in one go.
	secureBatch = 16
	// secureAfter is how long a directory that somebody watches rests before its security descriptors are read, secureIdle any other: who has
	// just listed that may be about to go through it.
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
	case e.secured(p, id):
		e.tree.Mark(p, cache.Attrib, time.Now())
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

// secured reads the object's security descriptor and reports whether it differs from what was
// known of it.
func (e *Engine) secured(p cache.Place, id cache.ID) bool {
	path, ok := e.tree.PathOf(p.Dir, p.Name)
	if !ok {
		return false
	}
	digest, err := e.share.Security(e.ctx, path)
	if err != nil {
		return false
	}
	old := e.tree.SetSecurity(id, digest)
	return old.Known && old.Digest != unread && old.Digest != digest
}

// baseline reads the security descriptors of a directory that rests, for later comparison. Directories take turns, so that the server has most
// of its time for local programs: those that have just used many directories go on to work in them.
func (e *Engine) baseline(w *watch) {
	if !e.rested(w) {
		return
	}
	var names []cache.Name
	if e.tree.Entries(w.id) <= secureMost {
		names = e.tree.WithoutSecurity(w.id, secureBatch)
	}
	if len(names) == 0 || !e.takeTurn(w) {
		return
	}
	start := time.Now()
	for _, n := range names {
		if e.ctx.Err() != nil {
			return
		}
		p := cache.Place{Dir: w.id, Name: n.Name}
		path, ok := e.tree.PathOf(p.Dir, p.Name)
		if !ok {
			continue
		}
		if digest, err := e.share.Security(e.ctx, path); err == nil {
			e.tree.SetSecurity(n.View.ID, digest)
		} else {
			e.tree.SetSecurity(n.View.ID, unread) // nothing to compare with
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.turnCost = min(time.Since(start), secureLongest)
	if len(names) == secureBatch {
		w.secure = time.Now()
		e.attend(w)
	}
}

// rests says when security descriptors in w may be read that something was just asked about. Preconditions: e.mu is held.
func (e *Engine) rests(w *watch) {
	after := secureAfter
	if !w.pinned && !e.whole && e.opts.Marks != nil {
		after = secureIdle
	}
	w.secure = time.Now().Add(after)
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
