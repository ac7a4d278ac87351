package notify

import (
	"context"
	"errors"
	"time"

	"smbfs/cache"
)

// ErrStale is what a Teller returns for a change that is no longer what there is to tell.
var ErrStale = errors.New("the change has been overtaken")

// ErrUntold is what a Teller returns, wrapped, for a change that cannot be told at all: something
// is mounted over the place, or the mount itself is gone.
var ErrUntold = errors.New("the change cannot be told")

const (
	tellAttempts = 5
	tellPause    = 5 * time.Millisecond
)

// tellAll takes steps from the tree and carries them out, until the engine closes.
func (e *Engine) tellAll() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for e.ctx.Err() == nil {
		st := e.tree.Next(time.Now())
		switch {
		case st.Change != nil:
			e.carryOut(st.Change)
			continue
		case st.Ask != nil:
			p := *st.Ask
			e.wg.Go(func() { e.askFor(p) })
			continue
		case st.Wait == 0:
			st.Wait = time.Hour
		}
		timer.Reset(st.Wait)
		select {
		case <-e.tree.Dirty():
		case <-timer.C:
		case <-e.ctx.Done():
		}
	}
}

func (e *Engine) carryOut(c *cache.Change) {
	told := e.tell(c)
	e.tree.Done(c, told, time.Now(), e.opts.Pace)
	if told {
		e.told(c)
	}
}

// tell carries one change out. A change that fails for good moves the views all the same: what
// is shown stays true even where an event is lost.
func (e *Engine) tell(c *cache.Change) bool {
	if !c.Held {
		_, ok := e.tree.Commit(c, false)
		return ok
	}
	var err error
	for attempt := range tellAttempts {
		err = e.teller.Tell(e.ctx, c)
		switch {
		case err == nil:
			e.counters.told[c.Op].Add(1)
			e.traceTold(c, nil)
			e.log.Debug("told", "change", c.Op, "dir", c.From.Dir, "name", c.From.Name, "to", c.To.Name)
			return true
		case errors.Is(err, ErrStale), e.ctx.Err() != nil, !e.tree.Stands(c): // overtaken by a local program, mostly
			e.pause(time.Millisecond)
			return false
		case errors.Is(err, ErrUntold):
			return e.giveUp(c, err)
		}
		e.counters.repeated.Add(1)
		e.log.Debug("telling failed", "change", c.Op, "name", c.From.Name, "attempt", attempt, "err", err)
		e.pause(tellPause << attempt)
	}
	return e.giveUp(c, err)
}

func (e *Engine) giveUp(c *cache.Change, err error) bool {
	if _, ok := e.tree.Commit(c, false); !ok {
		return false
	}
	e.counters.untold.Add(1)
	e.traceTold(c, err)
	e.log.Warn("a change could not be told to local watchers", "change", c.Op, "name", c.From.Name, "err", err)
	e.teller.Move(c)
	return true
}

func (e *Engine) pause(d time.Duration) {
	ctx, cancel := context.WithTimeout(e.ctx, d)
	defer cancel()
	<-ctx.Done()
}

// told follows a change up: a directory that moved or is gone has its watch looked after.
func (e *Engine) told(c *cache.Change) {
	if c.Kind == cache.Directory && c.Op == cache.Rename {
		e.moved(c.ID)
		e.reparent()
	}
	if c.Kind != cache.Directory || c.Op != cache.Remove {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if w := e.watches[c.ID]; w != nil {
		e.drop(w)
	}
}
