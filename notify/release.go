package notify

import (
	"context"

	"smbfs/cache"
)

// Release closes the handles of dir and waits until the server has let go of it, for an own
// operation that they would keep from succeeding. When resume is called it is armed and compared again.
func (e *Engine) Release(ctx context.Context, dir cache.ID) (resume func()) {
	return e.release(ctx, []cache.ID{dir})
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
	return e.release(ctx, ids), len(ids)
}

func (e *Engine) release(ctx context.Context, dirs []cache.ID) (resume func()) {
	for _, dir := range dirs {
		e.handles.Begin(dir)
		e.letGo(dir)
	}
	for _, dir := range dirs {
		e.handles.Wait(dir, ctx.Done())
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, dir := range dirs {
			e.handles.End(dir)
			if w := e.watches[dir]; w != nil {
				e.attend(w)
			}
		}
	}
}

// letGo has the handles of dir closed.
func (e *Engine) letGo(dir cache.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.watches[dir]
	if w == nil {
		return
	}
	e.closeFormer(w)
	if w.dir != nil {
		e.closeLater(dir, w.dir)
	}
	w.dir, w.live, w.suspects = nil, false, nil
}
