package notify

import (
	"context"

	"smbfs/cache"
)

// releases are what own operations need to know of the handles by which directories are watched. Guarded by Engine.mu.
type releases struct {
	released map[cache.ID]int      // how many own operations need a directory closed
	transit  map[cache.ID]*transit // handles that are being opened or closed
}

// transit counts handles of one directory that are on their way.
type transit struct {
	handles int
	over    chan struct{} // closed when there are none any more
}

func newReleases() releases {
	return releases{map[cache.ID]int{}, map[cache.ID]*transit{}}
}

// depart counts a handle of dir that is on its way.
func (r *releases) depart(dir cache.ID) {
	t := r.transit[dir]
	if t == nil {
		t = &transit{over: make(chan struct{})}
		r.transit[dir] = t
	}
	t.handles++
}

// arrive says that a handle that depart counted is open, or closed.
func (r *releases) arrive(dir cache.ID) {
	t := r.transit[dir]
	if t.handles--; t.handles == 0 {
		close(t.over)
		delete(r.transit, dir)
	}
}

// Release closes the handles of dir and waits until the server has let go of it, for an own
// operation that they would keep from succeeding. When resume is called it is armed and compared again.
func (e *Engine) Release(ctx context.Context, dir cache.ID) (resume func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.released[dir]++
	if w := e.watches[dir]; w != nil {
		e.closeFormer(w)
		if w.dir != nil {
			e.closeLater(dir, w.dir)
		}
		w.dir, w.live, w.suspects = nil, false, nil
	}
	for e.transit[dir] != nil && ctx.Err() == nil {
		over := e.transit[dir].over
		e.mu.Unlock()
		select {
		case <-over:
		case <-ctx.Done():
		}
		e.mu.Lock()
	}
	return func() { e.resume(dir) }
}

// ReleaseBelow does the same with all directories below dir. It returns how many there were.
func (e *Engine) ReleaseBelow(ctx context.Context, dir cache.ID) (resume func(), n int) {
	e.mu.Lock()
	var ids []cache.ID
	for id := range e.watches {
		if id != dir && e.tree.Below(id, dir) {
			ids = append(ids, id)
		}
	}
	e.mu.Unlock()
	for _, id := range ids {
		e.Release(ctx, id)
	}
	return func() {
		for _, id := range ids {
			e.resume(id)
		}
	}, len(ids)
}

func (e *Engine) resume(dir cache.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.released[dir]--; e.released[dir] > 0 {
		return
	}
	delete(e.released, dir)
	if w := e.watches[dir]; w != nil {
		e.attend(w)
	}
}

// mayOpen reports whether dir may be opened. If so, Release waits until arrived is called.
func (e *Engine) mayOpen(dir cache.ID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.released[dir] > 0 {
		return false
	}
	e.depart(dir)
	return true
}

func (e *Engine) arrived(dir cache.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.arrive(dir)
}
