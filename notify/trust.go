package notify

import (
	"maps"
	"time"

	"smbfs/cache"
)

const (
	// grace is how long after a comparison found a change its notification may still come. As long as others come that tell of changes it is
	// waited for, up to graceMost: a server that has much to tell tells it late.
	grace     = time.Second
	graceMost = 30 * time.Second
	// belated is how long after that a notification still shows that the server tells, if late: one that is busy has been seen to.
	belated = 30 * time.Second
	// mountIncidents is how many changes that no notification told make the whole mount suspect.
	mountIncidents = 3
	// forgiven is how long after the last of them they count no more.
	forgiven = 10 * time.Minute
	// mostNeeded bounds the notifications that it takes to be believed again.
	mostNeeded = 64
)

// trust is what experience says of notification: of one directory, or of the whole mount. Guarded by
// Engine.mu.
type trust struct {
	lost   bool      // changes came that nobody told
	missed int32     // such incidents, lately
	told   int32     // notifications since then that a change of somebody else's explains
	need   int32     // how many it takes to be believed again
	at     time.Time // of the last incident, or of its being restored
}

// isLost reports whether changes came that nobody told; of a nil trust nothing was ever missed.
func (t *trust) isLost() bool { return t != nil && t.lost }

// since is when the last incident was, or when trust was restored; zero: there was none.
func (t *trust) since() time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.at
}

// miss takes an incident and reports whether trust was lost over it: at the limit-th.
func (t *trust) miss(now time.Time, limit int32) bool {
	if now.Sub(t.at) > forgiven {
		t.missed = 0
	}
	t.missed++
	t.told, t.at = 0, now
	if t.lost || t.missed < limit {
		return false
	}
	t.lost = true
	t.need = min(max(1, 4*t.need), mostNeeded)
	return true
}

// tell takes a notification that told of a change and reports whether trust is restored by it.
func (t *trust) tell(now time.Time) bool {
	if !t.isLost() {
		return false
	}
	if t.told++; t.told < t.need {
		return false
	}
	t.lost, t.missed, t.at = false, 0, now
	return true
}

// found takes a change in w that a question or a listing found. hint is what a notification said of
// the name; own that a change made here may be what was found.
func (e *Engine) found(w *watch, name string, hint cache.Hint, own bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	w.quiet = 0
	switch {
	case hint != 0 && !own:
		e.proved(w)
	case hint != 0 || own:
	case !e.isNotified(w):
		e.counters.missed.Add(1)
	case w.hints[name] == 0 && w.compared > 1: // armed is a process: before that it may miss some
		if w.suspects == nil {
			w.suspects = map[string]time.Time{}
		}
		w.suspects[name] = now.Add(grace)
		e.attendAt(w, now.Add(grace))
	}
}

// explain takes a notification about w: what was found is explained. One that comes after the server was found not to tell has told of that
// change all the same; if nobody else is seen to change what is in the directory, no other will ever say so. Preconditions: e.mu is held.
func (e *Engine) explain(w *watch, name string) {
	delete(w.suspects, name)
	at, ok := w.untold[name]
	delete(w.untold, name)
	now := time.Now()
	if ok && now.Sub(at) < belated && !e.touches.within(cache.Place{Dir: w.id, Name: name}, now, e.opts.Settle) {
		e.proved(w)
	}
}

// proved takes note that a notification told of a change. Preconditions: e.mu is held.
func (e *Engine) proved(w *watch) {
	if !e.proven {
		e.proven = true
		e.log.Debug("the server's notifications are true")
	}
	now := time.Now()
	e.toldAt = now
	if w.trust.tell(now) {
		e.log.Info("notifications of a directory come again", "dir", e.name(w))
	}
	if e.trust.tell(now) {
		e.log.Info("the server's notifications come again: directories are compared seldom from now on")
	}
}

// verdictAt is when to say that no notification has told of a change that was found so long before until. Preconditions: e.mu is held.
func (e *Engine) verdictAt(until time.Time) time.Time {
	at := e.toldAt.Add(grace)
	if last := until.Add(graceMost - grace); at.After(last) {
		at = last
	}
	if at.Before(until) {
		at = until
	}
	return at
}

// overdue reports whether w is in doubt: a notification did not come in time, and is still waited for. Preconditions: Engine.mu is held.
func (w *watch) overdue(now time.Time) bool {
	for _, until := range w.suspects {
		if now.After(until) {
			return true
		}
	}
	return false
}

// convict takes those of the suspects whose time is over, and says how many they are. Preconditions: e.mu is held.
func (e *Engine) convict(w *watch, now time.Time) (untold int) {
	maps.DeleteFunc(w.untold, func(_ string, at time.Time) bool { return now.Sub(at) >= belated })
	for name, until := range w.suspects {
		if at := e.verdictAt(until); now.Before(at) {
			e.attendAt(w, at)
			continue
		}
		delete(w.suspects, name)
		if w.untold == nil {
			w.untold = map[string]time.Time{}
		}
		w.untold[name] = now
		untold++
	}
	return untold
}

// judge decides about what comparisons found in w and no notification told.
func (e *Engine) judge(w *watch) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	untold := e.convict(w, now)
	if untold == 0 {
		return
	}
	e.counters.missed.Add(int64(untold))
	if w.trust == nil {
		w.trust = new(trust)
	}
	if w.trust.miss(now, 1) {
		e.log.Info("changes in a directory were not notified: it is compared instead", "dir", e.name(w), "changes", untold, "every", e.opts.Poll)
	}
	if e.opts.Mode == Auto && e.trust.miss(now, mountIncidents) {
		if e.byTree {
			e.leaveTree()
			return
		}
		e.log.Warn("the server takes requests for notification and does not tell of all changes: directories are compared as well, which finds a change within a second or two where somebody watches",
			"every", e.opts.Poll)
		for _, other := range e.watches {
			e.plan(other, now)
		}
	}
	e.plan(w, now)
}

// name is the directory's path for the log.
func (e *Engine) name(w *watch) string {
	path, _ := e.tree.ToldPath(w.id)
	return "/" + path
}
