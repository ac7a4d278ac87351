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
)

// unexplained deals with a MODIFIED that no stat accounts for. The file's pages are dropped in
// any case. If the security descriptor is not what it was, somebody changed permissions; if it
// is, content changed under the old time and size, unless this is the late echo of a change that
// is known.
func (e *Engine) unexplained(w *watch, name string) {
	p := cache.Place{Dir: w.id, Name: name}
	id, entry := e.tree.TrueOccupant(p)
	if id == 0 {
		return
	}
	own := e.touches.within(p, time.Now(), e.opts.Settle)
	switch {
	case own && !e.tree.Security(id).Known: // made here a moment ago: nothing to compare with
		e.teller.DropPages(id)
	case e.secured(p, id):
		e.tree.Mark(p, cache.Attrib)
	case entry.Kind != cache.File:
	case e.tree.Settled(id, time.Now(), e.opts.Settle):
		e.teller.DropPages(id)
	default:
		e.tree.Mark(p, cache.Modify)
	}
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

// baseline reads the security descriptors of a directory that rests, for later comparison.
func (e *Engine) baseline(w *watch) {
	e.mu.Lock()
	now := time.Now()
	due := !w.secure.IsZero() && !now.Before(w.secure)
	if !w.secure.IsZero() && !due {
		e.attendAt(w, w.secure)
	}
	if due {
		w.secure = time.Time{}
	}
	e.mu.Unlock()
	if !due || e.tree.Entries(w.id) > secureMost {
		return
	}
	names := e.tree.WithoutSecurity(w.id, secureBatch)
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
	if len(names) == secureBatch {
		e.mu.Lock()
		w.secure = time.Now()
		e.attend(w)
		e.mu.Unlock()
	}
}
