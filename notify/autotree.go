package notify

import "context"

// In the mode auto a handle on each directory is what is tried first: most servers tell everything that way.
// There are some, Windows above all, where such a handle keeps the directories above it from being renamed. That
// shows when an own rename is refused and succeeds as soon as the handles are closed. Then one on the root has to do.
// If comparisons find changes that it did not tell of, as on Samba, it was the worse of the two, and is given up for good.

// blockedToTree is how many own renames handles of ours have to be in the way of.
const blockedToTree = 2

// blocking is what is known of handles that are in the way. Guarded by Engine.mu.
type blocking struct {
	byTree   bool               // one handle on the root tells of everything
	blocked  int                // own renames that handles were in the way of
	wanting  bool               // the tree was tried, and did not tell of everything
	stopTree context.CancelFunc // ends it; nil: it was asked for
}

// Blocked says that an own rename was refused until the handles by which directories are watched were closed.
func (e *Engine) Blocked() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.blocked++
	if e.opts.Mode != Auto || e.byTree || e.wanting || e.blocked < blockedToTree || e.ctx.Err() != nil {
		return
	}
	e.log.Info("the server lets nobody rename a directory while those below are watched: one watch of everything takes the place of theirs")
	ctx, stop := context.WithCancel(e.ctx)
	e.byTree, e.stopTree = true, stop
	e.changeOver()
	e.wg.Go(func() { e.watchTree(ctx) })
}

// leaveTree has directories watched one by one again. Preconditions: e.mu is held.
func (e *Engine) leaveTree() {
	e.log.Info("one watch of everything does not tell of all changes: directories are watched one by one again")
	e.stopTree()
	e.byTree, e.stopTree, e.wanting, e.treeArmed = false, nil, true, false
	e.changeOver()
}

// changeOver opens all directories anew. What was learnt about notification is of no use any more.
// Preconditions: e.mu is held.
func (e *Engine) changeOver() {
	e.proven, e.trust = false, trust{}
	for _, w := range e.watches {
		w.trust = nil
		e.rearm(w)
	}
}
