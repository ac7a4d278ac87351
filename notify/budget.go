package notify

import (
	"container/list"
	"log/slog"
	"time"

	"smbfs/cache"
)

const (
	// lately is how long after its last use a directory that nobody watches is kept true, if it has
	// no handles of its own.
	lately = time.Minute
	// settling is how long after its last use a directory is treated as if somebody watched it: the
	// mark is made after the look, and takes a while to be found.
	settling = 10 * time.Second
	// restless is for how long after its use a directory keeps its handles against one that is
	// merely used: a walk through more directories than the budget has does not take them all in turn.
	restless = 5 * time.Second
	// lingerMost bounds the directories without handles that are kept true because they were used lately.
	lingerMost = 1024
	// growEvery is the pause between two steps by which a budget that the server made smaller grows.
	growEvery = time.Minute
)

// set is what the engine knows of what is to be watched, and how. Guarded by Engine.mu.
type set struct {
	budget        int       // directories that may be notified of
	growAt        time.Time // when a budget that the server made smaller grows
	exhaustedSaid bool
	held          int // watches that are granted
	over          map[*watch]struct{}
	pace          pacer

	pins        map[cache.ID]int       // marks by directory
	above       map[cache.ID]int       // how many directories in one are needed: see Engine.rise
	up          map[cache.ID]cache.ID  // needed directories, to those above them
	moves       uint64                 // of directories, when up was last looked at
	markedDirs  map[cache.ID]struct{}  // directories with a mark
	markedFiles map[cache.ID]cache.ID  // files with a mark, to their directories
	absent      map[cache.ID]time.Time // needed and not watched: when to try again
	whole       bool                   // somebody watches the whole mount

	proven      bool      // a notification told of a change that somebody else made
	toldAt      time.Time // when one did last
	trust       trust
	refused     bool // the server has no CHANGE_NOTIFY
	refusedSaid bool
	refusedAt   time.Time
	refusedFor  time.Duration // how long it is not asked again
	refusedErr  error
	breaker     breaker
	probing     bool // it is asked again, with one directory
	probedAt    time.Time

	blocking
	treeArmed bool
	strays    []stray
	strayed   chan struct{} // capacity 1: there are strays
}

func newSet(compare time.Duration) set {
	return set{
		pace: newPacer(compare),
		over: map[*watch]struct{}{}, pins: map[cache.ID]int{}, above: map[cache.ID]int{}, up: map[cache.ID]cache.ID{}, absent: map[cache.ID]time.Time{},
		markedDirs: map[cache.ID]struct{}{}, markedFiles: map[cache.ID]cache.ID{},
		strayed: make(chan struct{}, 1),
	}
}

// plan is how a directory is kept true. Guarded by Engine.mu.
type plan struct {
	pinned    bool  // a local program watches it, or something in it or farther below
	granted   bool  // it counts against the budget and is notified of
	comparing bool  // the listing that is due is a comparison: what it finds, no notification told
	line      class // of its comparison that is due, or under way

	waits     *list.Element // its place in Engine.pace; nil: it has none
	usedAt    time.Time
	compareAt time.Time
	compared  int32                // comparisons since it was armed
	quiet     int32                // those in a row that found nothing
	suspects  map[string]time.Time // changes that no notification has told yet: until when it may
	untold    map[string]time.Time // those that none had told by then: when that was found
	trust     *trust               // nil: there was no incident
}

// wanted reports whether somebody may be waiting for changes in w. Preconditions: Engine.mu is held.
func (w *watch) wanted(now time.Time) bool {
	return w.pinned || now.Sub(w.usedAt) < settling
}

// grant has w notified of, if the budget allows: one that is pinned takes the place of any that is
// not, another that of one that has not been used for a while. Preconditions: e.mu is held.
func (e *Engine) grant(w *watch, now time.Time) bool {
	if w.granted || w.gone || !e.notifiable() || e.probing && e.held > 0 {
		return w.granted
	}
	for e.held >= e.budget {
		v := e.oldest.first()
		if v == nil || !w.pinned && now.Sub(v.usedAt) < restless {
			e.over[w] = struct{}{}
			return false
		}
		e.counters.evicted.Add(1)
		e.revoke(v)
	}
	delete(e.over, w)
	w.granted = true
	e.held++
	if !w.pinned {
		e.oldest.touch(w)
	}
	e.rearm(w)
	return true
}

// revoke ends the notification of w, which is compared from now on. Preconditions: e.mu is held.
func (e *Engine) revoke(w *watch) {
	if !w.granted {
		return
	}
	e.ungrant(w)
	e.over[w] = struct{}{}
	e.rearm(w)
}

// ungrant gives the place of w in the budget back. Preconditions: e.mu is held.
func (e *Engine) ungrant(w *watch) {
	if w.granted {
		w.granted = false
		e.held--
	}
	e.oldest.remove(w)
	delete(e.over, w)
}

// rearm has w opened anew, in the way that is now the right one. Preconditions: e.mu is held.
func (e *Engine) rearm(w *watch) {
	if d := w.dir; d != nil {
		e.closeLater(w.id, d)
		w.dir = nil
	}
	w.live, w.suspects = false, nil
	w.blind()
	e.attend(w)
}

// exhausted takes note that the server allows no more handles or requests: the budget is what it
// took, and w goes without. Preconditions: e.mu is held.
func (e *Engine) exhausted(w *watch, err error) {
	if w.granted {
		e.budget = min(e.budget, e.held-1)
		e.growAt = time.Now().Add(growEvery)
		level := slog.LevelDebug
		if !e.exhaustedSaid {
			e.exhaustedSaid, level = true, slog.LevelWarn
		}
		e.log.Log(e.ctx, level, "the server allows no more watches: other directories are compared instead", "watched", e.budget, "err", err)
		e.revoke(w)
	}
}

// keep is what has to be done once in a while, however quiet it is.
func (e *Engine) keep(now time.Time) {
	e.mu.Lock()
	if e.budget < e.opts.Budget && !now.Before(e.growAt) {
		e.budget = min(e.opts.Budget, e.budget+max(1, e.budget/16))
		e.growAt = now.Add(growEvery)
	}
	e.askAgain(now)
	var idle []*watch
	lingering := 0
	for w := range e.over {
		switch {
		case w.pinned:
			e.grant(w, now)
		case now.Sub(w.usedAt) >= lately && !e.whole:
			idle = append(idle, w)
		default:
			if lingering++; lingering > lingerMost && now.Sub(w.usedAt) >= time.Second {
				idle = append(idle, w)
			} else if e.held < e.budget {
				e.grant(w, now)
			}
		}
	}
	for _, w := range idle {
		e.drop(w)
	}
	var again []cache.ID
	for id, at := range e.absent {
		if !now.Before(at) {
			delete(e.absent, id)
			again = append(again, id)
		}
	}
	e.mu.Unlock()
	for _, id := range again {
		e.repin(id)
	}
}
