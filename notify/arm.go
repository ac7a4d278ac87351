package notify

import (
	"errors"
	"time"

	"smbfs/cache"
	"smbfs/share"
)

// errGone says that the directory's own disappearance is known.
var errGone = errors.New("the directory is gone")

// arm opens the directory and sends the first request. Then the directory is listed, and listed
// again after the pauses of compareAfter.
func (e *Engine) arm(w *watch) *share.Directory {
	if !e.handles.Acquire(w.id) { // Release has it attended to later
		return nil
	}
	defer e.handles.Release(w.id)
	path, ok := e.tree.Path(w.id)
	if !ok {
		e.lose(w, nil, errGone)
		return nil
	}
	d, err := e.open(w, path)
	if err != nil {
		e.cannotArm(w, path, err)
		return nil
	}
	if d.Standing() {
		e.tree.Opened(w.id, false) // while it is open its id belongs to nothing else
	}
	if now, ok := e.tree.Path(w.id); !ok || now != path || !e.tree.HasFileID(w.id, d.FileID()) {
		e.close(e.ctx, w.id, d)
		e.cannotArm(w, path, share.ErrMoved)
		return nil
	}
	e.mu.Lock()
	if w.gone || !e.fits(w, d) {
		e.attend(w)
		e.mu.Unlock()
		e.close(e.ctx, w.id, d)
		return nil
	}
	w.dir = d
	e.closeFormer(w)
	w.failures = 0
	w.list = true
	w.armedAt = time.Now()
	w.recheck, w.surely = uint8(len(compareAfter)), time.Time{}
	e.opened(w)
	e.mu.Unlock()
	if !d.Standing() {
		return d
	}
	e.counters.armed.Add(1)
	e.await(w, d)
	e.log.Debug("watching", "dir", path)
	return d
}

// lose ends the use of a watch's handles. If the directory is still there and in use it is armed
// anew.
func (e *Engine) lose(w *watch, d *share.Directory, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.gone || w.dir != d || e.ctx.Err() != nil {
		return
	}
	e.log.Debug("watch lost", "dir", w.id, "err", err)
	e.counters.lost.Add(1)
	if share.IsLost(err) {
		e.remember(w)
	}
	e.putAway(w, errors.Is(err, share.ErrMoved))
	if e.denied(w, err) {
		return
	}
	e.retry(w)
}

// putAway takes the handles of w out of use. Those of a directory that has moved stay open until
// it is armed anew: as long as one is open its file id belongs to nothing else, by which it is
// recognised where it is now. Preconditions: e.mu is held.
func (e *Engine) putAway(w *watch, moved bool) {
	e.unsettle(w)
	if w.dir == nil {
		return
	}
	if moved && w.former == nil {
		w.former = w.dir
	} else {
		e.closeLater(w.id, w.dir)
	}
	w.dir = nil
}

// closeFormer ends what putAway kept. Preconditions: e.mu is held.
func (e *Engine) closeFormer(w *watch) {
	if w.former != nil {
		e.closeLater(w.id, w.former)
		w.former = nil
	}
}

// unsettle says that w lost its handles: until it is listed again, what is missing elsewhere may be
// in it. Preconditions: e.mu is held.
func (e *Engine) unsettle(w *watch) {
	w.live = false
	w.blind()
	if !w.unsettled {
		w.unsettled = true
		e.unsettled++
		e.tree.Unsettled(e.unsettled > 0)
	}
}

// settled ends what unsettle began. Preconditions: e.mu is held.
func (e *Engine) settled(w *watch) {
	if w.unsettled {
		w.unsettled = false
		e.unsettled--
		e.tree.Unsettled(e.unsettled > 0)
	}
}

// retry arms w again after a pause that grows, if its directory is still there and anybody here
// knows of it. Preconditions: e.mu is held.
func (e *Engine) retry(w *watch) {
	switch exists, held, told := e.tree.Exists(w.id); {
	case !exists && !told: // what was in it may yet have to be told: the tree goes on watching
		e.discard(w)
		return
	case !held:
		e.drop(w)
		return
	case !exists: // nothing can be in what is missing itself
		e.settled(w)
	}
	if w.failures++; w.granted && !e.share.WatchesUp() {
		return // it is armed when the connection is back
	}
	e.attendAt(w, time.Now().Add(5*time.Millisecond<<min(w.failures, 12)))
}

// cannotArm decides what a refusal means for this directory and for all.
func (e *Engine) cannotArm(w *watch, path string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.gone || e.ctx.Err() != nil {
		return
	}
	switch {
	case e.denied(w, err):
	case share.IsForbidden(err):
		e.log.Info("cannot watch", "dir", path, "err", err)
		e.drop(w)
		e.putOff(w)
	default: // gone or moved, too: its parent's watch tells, or the question for it
		if share.IsGone(err) {
			for _, p := range e.tree.Places(w.id) {
				e.wg.Go(func() { e.askFor(p) })
			}
		}
		e.log.Debug("cannot watch yet", "dir", path, "err", err)
		e.retry(w)
	}
}

// moved has the directories armed anew that a move of dir has taken along: their handles' paths
// are no longer true.
func (e *Engine) moved(dir cache.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, w := range e.watches {
		if w.dir == nil || !e.tree.Below(id, dir) {
			continue
		}
		if path, ok := e.tree.Path(id); !ok || path == w.dir.Path() {
			continue
		}
		e.putAway(w, true)
		e.attend(w)
	}
}
