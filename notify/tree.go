package notify

import (
	"context"
	"time"

	"smbfs/cache"
	"smbfs/share"
)

const (
	// strayMost bounds the events about directories that are not known (yet).
	strayMost = 1024
	// strayRetry is when to look for such a directory again: it may have just been made or moved.
	strayRetry = 300 * time.Millisecond
	strayTries = 8
	// treeRetryMost bounds the pause before the root is opened again.
	treeRetryMost = 10 * time.Second
)

// stray is an event about a directory that is not known.
type stray struct {
	share.TreeEvent
	tries int
}

// watchTree keeps one watch of everything below the root, until ctx ends.
func (e *Engine) watchTree(ctx context.Context) {
	pause := 50 * time.Millisecond
	for ctx.Err() == nil {
		start := time.Now()
		err := e.treeOnce(ctx)
		e.mu.Lock()
		if ctx.Err() == nil || e.ctx.Err() != nil { // else directories are watched otherwise by now
			for _, w := range e.watches {
				if share.IsLost(err) {
					e.remember(w)
				}
				w.live = false
			}
			e.treeArmed = false
		}
		refused := share.IsUnsupported(err)
		if refused && ctx.Err() == nil {
			e.refuse(err)
		}
		e.mu.Unlock()
		e.log.Debug("the watch of the tree ended", "err", err)
		switch {
		case refused:
			pause = askAgainAfter
		case time.Since(start) > treeRetryMost:
			pause = 50 * time.Millisecond
		default:
			pause = min(2*pause, treeRetryMost)
		}
		e.pauseOrBack(ctx, pause)
	}
}

// pauseOrBack is a pause that ends when the connection comes back.
func (e *Engine) pauseOrBack(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.back:
	case <-ctx.Done():
	}
}

// treeOnce watches the tree until that ends, and returns why.
func (e *Engine) treeOnce(ctx context.Context) error {
	t, err := e.share.OpenTree(ctx)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		t.Close(closing)
	}()
	ended := make(chan error, 1)
	if err := e.awaitTree(ctx, t, ended); err != nil {
		return err
	}
	e.mu.Lock()
	if ctx.Err() != nil {
		e.mu.Unlock()
		return ctx.Err()
	}
	e.treeArmed = true
	if e.refused { // it was asked again
		e.refused, e.refusedSaid = false, false
	}
	e.mu.Unlock()
	e.listAll(true)
	for {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-e.strayed:
			e.pause(strayRetry)
			e.retryStrays()
		}
	}
}

func (e *Engine) awaitTree(ctx context.Context, t *share.TreeWatch, ended chan<- error) error {
	return t.Await(ctx, func(n share.TreeNotification) {
		e.counters.notifications.Add(1)
		if n.Err != nil {
			ended <- n.Err
			return
		}
		e.heard(cache.RootID, &share.Notification{Said: n.Said, Overflow: n.Overflow})
		if err := e.awaitTree(ctx, t, ended); err != nil {
			ended <- err
		}
		if n.Overflow {
			e.counters.overflows.Add(1)
			e.listAll(false)
		}
		for _, ev := range n.Events {
			e.distribute(stray{TreeEvent: ev})
		}
	})
}

// listAll has every directory listed that is watched; the workers bound how many at a time. What has
// vanished from one is not believed to be gone before the others are listed. With armed, the
// listings are the first since the tree is watched.
func (e *Engine) listAll(armed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for _, w := range e.watches {
		w.list, w.suspects = true, nil
		e.unsettle(w)
		if armed {
			w.compared, w.armedAt, w.recheck = 0, now, uint8(len(compareAfter))
		}
		e.attend(w)
	}
}

// distribute gives an event to the directory it is about. Of one that is not known, the directory
// above is asked, and the event is kept for a while: the directory may be on its way.
func (e *Engine) distribute(s stray) {
	id, missing := e.tree.ByPath(s.Dir)
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.watches[id]
	if missing != "" {
		if w != nil && s.tries == 0 {
			w.hint(missing, 0)
			e.attend(w)
		}
		if s.tries < strayTries && len(e.strays) < strayMost {
			s.tries++
			e.strays = append(e.strays, s)
			select {
			case e.strayed <- struct{}{}:
			default:
			}
		}
		return
	}
	if w == nil {
		return // nobody cares
	}
	if s.Name == "" {
		w.list = true
		w.owe()
	} else {
		w.hint(s.Name, e.judged(w.id, s.Name, s.Hint))
		e.explain(w, s.Name)
	}
	e.attend(w)
}

func (e *Engine) retryStrays() {
	e.mu.Lock()
	list := e.strays
	e.strays = nil
	e.mu.Unlock()
	for _, s := range list {
		e.distribute(s)
	}
}
