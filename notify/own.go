package notify

import (
	"math"
	"sync"
	"time"

	"smbfs/cache"
	"smbfs/share"
)

const (
	// ownHold is how long a hint about a name waits that a local program has just changed: the hint is
	// most probably the echo of that, several more follow it, and one question answers them all.
	ownHold = 50 * time.Millisecond
	// ownHoldMost is how long hints of one directory are held back while local programs go on changing it.
	ownHoldMost = 500 * time.Millisecond
	// echoGather is how long the next request is put off after a notification of nothing but own changes.
	// The server gathers what follows, so that a program that makes many files is not slowed by as
	// many notifications each. It is also the most that it delays a change by somebody else.
	echoGather = 20 * time.Millisecond
	// touchesToTrim is how many names are remembered before the old ones are looked for.
	touchesToTrim = 4096
)

// touches are the names that local programs have changed, and when.
type touches struct {
	mu     sync.Mutex
	at     map[cache.Place]time.Time // guarded by mu
	trimAt int                       // guarded by mu
}

// ownWork is what own work in a directory means for its watch. Guarded by Engine.mu.
type ownWork struct {
	heldSince time.Time // when hints about own changes began to be held back; zero: none is
	askAt     time.Time // when names that a local program has changed lately are asked for next
}

// Preconditions: Engine.mu is held.
func (w *watch) ownWork() *ownWork {
	if w.own == nil {
		w.own = &ownWork{}
	}
	return w.own
}

// Touched says that a local program is about to change, or has changed, what is at these places. It
// does not wait for anything.
func (e *Engine) Touched(places ...cache.Place) {
	t := &e.touches
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.at == nil {
		t.at, t.trimAt = map[cache.Place]time.Time{}, touchesToTrim
	}
	for _, p := range places {
		t.at[p] = now
	}
	if len(t.at) < t.trimAt {
		return
	}
	for p, at := range t.at {
		if now.Sub(at) > e.opts.Settle {
			delete(t.at, p)
		}
	}
	t.trimAt = max(touchesToTrim, 2*len(t.at))
}

// within reports whether p was touched less than age before now.
func (t *touches) within(p cache.Place, now time.Time, age time.Duration) bool {
	return t.age(p, now) < age
}

// age is how long before now p was touched.
func (t *touches) age(p cache.Place, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.at[p]; ok {
		return now.Sub(at)
	}
	return math.MaxInt64
}

// echo reports whether a notification is of nothing but what local programs have just changed.
func (e *Engine) echo(dir cache.ID, n *share.Notification) bool {
	now := time.Now()
	for _, ev := range n.Events {
		if !e.touches.within(cache.Place{Dir: dir, Name: ev.Name}, now, ownHold) {
			return false
		}
	}
	return len(n.Events) > 0 && !n.Overflow
}

// split parts the hints that are to be acted on from those that can wait. One that says that a name is
// gone of which that is known is neither: some servers have to read the whole directory to say it
// again. Preconditions: e.mu is held.
func (e *Engine) split(w *watch, now time.Time) (ready, held map[string]cache.Hint) {
	var askAt time.Time
	if w.own != nil {
		askAt = w.own.askAt
	}
	own := false
	for name, h := range w.hints {
		if h == cache.HintRemoved {
			if id, _ := e.tree.TrueOccupant(cache.Place{Dir: w.id, Name: name}); id == 0 {
				delete(w.hints, name)
				e.hinted--
				continue
			}
		}
		age := e.touches.age(cache.Place{Dir: w.id, Name: name}, now)
		if age >= ownHoldMost || age >= ownHold && !now.Before(askAt) {
			own = own || age < ownHoldMost
			continue
		}
		if held == nil {
			held = map[string]cache.Hint{}
		}
		held[name] = h
	}
	if own {
		w.ownWork().askAt = now.Add(ownHold) // those that come ripe one after the other are asked for together
	}
	if held == nil {
		if w.own != nil {
			w.own.heldSince = time.Time{}
		}
		return w.hints, nil
	}
	switch o := w.ownWork(); {
	case o.heldSince.IsZero():
		o.heldSince = now
	case now.Sub(o.heldSince) > ownHoldMost:
		o.heldSince = time.Time{}
		return w.hints, nil
	}
	ready = make(map[string]cache.Hint, len(w.hints)-len(held))
	for name, h := range w.hints {
		if _, waits := held[name]; !waits {
			ready[name] = h
		}
	}
	return ready, held
}
