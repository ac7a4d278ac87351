package notify

import (
	"slices"
	"time"

	"smbfs/cache"
)

// When the connection for watches is lost, no directory is known to be what it was. All are armed anew as soon as the connection is
// back, those first that somebody watches; each is listed once its watch is armed. What has vanished from one is not told before the
// others have been listed: it may have gone there.

// outage is told by the share that the connection for watches went down or came back. It does not wait.
func (e *Engine) outage(up bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.ctx.Err() != nil:
	case !up:
		e.breaker.lost(time.Now())
		e.loseAll()
		for _, w := range e.watches {
			if !w.granted { // it needs no connection of its own
				e.attend(w)
			}
		}
	case e.byTree:
		select {
		case e.back <- struct{}{}:
		default:
		}
	default:
		e.armAll()
	}
}

// loseAll ends the use of all handles. Preconditions: e.mu is held.
func (e *Engine) loseAll() {
	for _, w := range e.watches {
		if w.dir != nil && w.dir.Standing() {
			e.counters.lost.Add(1)
		}
		e.remember(w)
		e.putAway(w, false)
		e.closeFormer(w)
		w.suspects = nil
	}
}

// remember notes that w was coherent when the connection was lost. Preconditions: e.mu is held.
func (e *Engine) remember(w *watch) { w.known = w.known || w.live && e.believed(w) }

// Remembers reports whether dir is coherent, or was when the connection for watches was lost.
func (e *Engine) Remembers(dir cache.ID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.watches[dir]
	return w != nil && (w.known || w.live && e.believed(w))
}

// armAll has all directories armed. Preconditions: e.mu is held.
func (e *Engine) armAll() {
	all := make([]*watch, 0, len(e.watches))
	for _, w := range e.watches {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *watch) int {
		switch {
		case a.pinned == b.pinned:
			return b.usedAt.Compare(a.usedAt)
		case a.pinned:
			return -1
		}
		return 1
	})
	for _, w := range all {
		w.failures, w.list, w.own = 0, true, nil
		e.attend(w)
	}
}
