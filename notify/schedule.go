package notify

import (
	"math/rand/v2"
	"time"

	"smbfs/cache"
)

// Comparison is the truth and notification makes it fast: every watched directory is listed and
// compared on a schedule that follows the evidence. Where comparison is all there is that is often;
// while notification is unproven, too, if somebody watches; where it has proved itself seldom.

const (
	// slowest is how much longer than Options.Poll the pause between comparisons becomes where
	// nothing changes; watchedSlowest where somebody watches.
	slowest        = 10
	watchedSlowest = 2
	// unwatchedSlower is how much longer than Options.Compare it is where nobody watches, unless something farther below.
	unwatchedSlower = 5
	// pollShare is the part of the time that listings of one directory take at most where comparison is
	// all there is.
	pollShare = 0.1
	// soleShare is how many listings of all directories may be under way at a time where that is so, and unprovenShare how many, on average,
	// where notification is not proven yet.
	soleShare     = 2
	unprovenShare = 0.1
	// backgroundShare is how many, on average, where it works, and backgroundMost if shorter intervals than the default are asked for.
	backgroundShare = 0.02
	backgroundMost  = 0.5
)

// interval is the pause before the next comparison of w. Preconditions: e.mu is held.
func (e *Engine) interval(w *watch, now time.Time) time.Duration {
	first, last, share := 2*e.opts.Poll, slowest*e.opts.Poll, e.pace[classBackground].share
	c, wanted := e.class(w), w.wanted(now)
	if wanted {
		last = watchedSlowest * e.opts.Poll
	}
	switch {
	case c == classSole:
		first, share = e.opts.Poll, pollShare
	case c == classBackground && e.pins[w.id] > 0:
		last = e.opts.Compare
	case c == classBackground:
		last = unwatchedSlower * e.opts.Compare
	}
	d := first
	for range w.quiet {
		if d *= 2; d >= last {
			break
		}
	}
	return max(min(d, last), time.Duration(float64(w.listCost)/share))
}

// plan sets the time of the next comparison of w, and spreads them. Preconditions: e.mu is held.
func (e *Engine) plan(w *watch, now time.Time) {
	if w.dir == nil || w.gone {
		return
	}
	if w.waits != nil {
		if w.line == e.class(w) {
			return
		}
		e.unplan(w)
	}
	d := e.interval(w, now)
	if spread := int64(d / 5); spread > 0 {
		d -= time.Duration(rand.Int64N(spread))
	}
	if at := now.Add(d); w.compareAt.IsZero() || at.Before(w.compareAt) {
		w.compareAt = at
	}
	e.attendAt(w, w.compareAt)
}

// due has w listed if it is time to compare it. Preconditions: e.mu is held.
func (e *Engine) due(w *watch, now time.Time) {
	if w.compareAt.IsZero() || now.Before(w.compareAt) {
		return
	}
	if e.myTurn(w, now) {
		w.compareAt = time.Time{}
		w.list, w.comparing = true, true
	}
}

// report is what a listing found out about notification.
type report struct {
	comparing bool // no notification asked for the listing
	changed   int
	early     map[string]struct{} // names of which it has news that notifications are still to tell of, as far as one may know
}

// notifiedWithin is how long after a comparison has found a change its notification may come that is on its way. It says more: whether a file
// has changed, or is another one with the same id.
const notifiedWithin = 50 * time.Millisecond

// report looks at a listing before it is compared: what it will find, and whether it was told. What is found too early is not taken from it.
func (e *Engine) report(w *watch, asOf cache.Stamp, list []cache.Observation, hints map[string]cache.Hint) report {
	names := e.tree.Differs(w.id, asOf, list)
	e.mu.Lock()
	r := report{comparing: w.comparing, changed: len(names)}
	notified := w.comparing && w.live && e.isNotified(w)
	w.comparing = false
	e.mu.Unlock()
	for _, n := range names {
		own := e.contentSettled(w.id, n)
		h := hints[n]
		if h != 0 || r.comparing {
			e.found(w, n, h, own)
		}
		if h == 0 && notified {
			if r.early == nil {
				r.early = map[string]struct{}{}
			}
			r.early[n] = struct{}{}
		}
	}
	if r.early != nil {
		for i := range list {
			_, list[i].Later = r.early[list[i].Name]
		}
	}
	return r
}

// askLater has names asked for when their notifications have had the time to come. Preconditions: e.mu is held.
func (e *Engine) askLater(w *watch, names map[string]struct{}) {
	if len(names) == 0 {
		return
	}
	for n := range names {
		w.hintAgain(n, 0)
	}
	e.attendAt(w, time.Now().Add(notifiedWithin))
}

// ownLately says for each answer whether a change made or told here may be behind it.
func (e *Engine) ownLately(w *watch, obs []cache.Observation) []bool {
	own := make([]bool, len(obs))
	for i, ob := range obs {
		own[i] = ob.Entry != nil && e.contentSettled(w.id, ob.Name)
	}
	return own
}

// contentSettled reports whether the content of a file changed so lately, by our doing or as told, that its
// times may still move.
func (e *Engine) contentSettled(dir cache.ID, name string) bool {
	id, _ := e.tree.TrueOccupant(cache.Place{Dir: dir, Name: name})
	return id != 0 && e.tree.Settled(id, time.Now(), e.opts.Settle)
}

// compared takes note of a listing that began at start.
func (e *Engine) compared(w *watch, r report, start time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	w.listedAt, w.listCost, w.blindAt = now, now.Sub(start), 0
	w.compared++
	if r.changed == 0 {
		w.quiet++
	}
	if r.comparing {
		e.counters.comparisons.Add(1)
	}
	e.unplan(w)
	e.plan(w, now)
}
