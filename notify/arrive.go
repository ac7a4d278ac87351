package notify

import (
	"time"

	"smbfs/cache"
)

// What is moved to a watched directory from one that nobody knows is notified as if it were made there. It is told as a move if it was made
// long before, has one name, and nothing was written to it here: a copy that keeps its times seems to be as old on servers that make the time of creation up.

const (
	// writtenWithin is how long after a name was added a notification that it is written to may come.
	writtenWithin = 50 * time.Millisecond
	// longBefore is how old what was moved is at least, beyond the age of its notification.
	longBefore = 2 * time.Second
)

// arrivals marks those answers, of questions sent at start, that are of objects which have been moved to w. Those that may be are not taken yet.
func (e *Engine) arrivals(w *watch, start time.Time, obs []cache.Observation) {
	var made int64 // what was made later may have been made here; a FILETIME
	for i := range obs {
		ob := &obs[i]
		if ob.Hint&(cache.HintAdded|cache.HintRenamed) == 0 || ob.Later {
			continue
		}
		if made == 0 {
			made = e.share.ClockAt(e.owedSince(w, start).Add(-longBefore))
		}
		if !e.mayArrive(w, ob, made) {
			e.mu.Lock()
			delete(w.arriving, ob.Name)
			e.mu.Unlock()
			continue
		}
		if ob.Later = e.awaitWrites(w, ob, start); !ob.Later && e.single(w, ob) {
			ob.Hint |= cache.HintArrived
		}
	}
}

// owedSince is since when notifications of w have waited to be looked at.
func (e *Engine) owedSince(w *watch, start time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.since.IsZero() || start.Before(w.since) {
		return start
	}
	return w.since
}

// mayArrive reports whether ob is of something that is new at its name, and that nobody here knows under another.
func (e *Engine) mayArrive(w *watch, ob *cache.Observation, made int64) bool {
	if ob.Entry == nil || ob.Hint&(cache.HintRemoved|cache.HintModified) != 0 || ob.Entry.Created >= made {
		return false
	}
	id, _ := e.tree.TrueOccupant(cache.Place{Dir: w.id, Name: ob.Name})
	e.mu.Lock()
	meanwhile := w.hints[ob.Name]
	e.mu.Unlock()
	return id == 0 && meanwhile&cache.HintModified == 0 && !e.tree.Knows(ob.Entry)
}

// awaitWrites has a name asked for again, until the time has passed in which it could be said that it is written to.
func (e *Engine) awaitWrites(w *watch, ob *cache.Observation, start time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	first, seen := w.arriving[ob.Name]
	if seen && start.Sub(first) >= writtenWithin {
		delete(w.arriving, ob.Name)
		return false
	}
	if !seen {
		if w.arriving == nil {
			w.arriving = map[string]time.Time{}
		}
		first = time.Now()
		w.arriving[ob.Name] = first
	}
	w.hintAgain(ob.Name, ob.Hint)
	e.attendAt(w, first.Add(writtenWithin))
	return true
}

// single reports whether what ob is of has no other name. A directory never has.
func (e *Engine) single(w *watch, ob *cache.Observation) bool {
	if ob.Entry.Kind == cache.Directory {
		return true
	}
	path, ok := e.tree.PathOf(w.id, ob.Name)
	if !ok {
		return false
	}
	now, err := e.share.StatPath(e.ctx, path)
	return err == nil && now.FileID == ob.Entry.FileID && now.Links == 1
}
