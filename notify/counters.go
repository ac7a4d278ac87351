package notify

import (
	"errors"
	"sync/atomic"
	"time"

	"smbfs/cache"
)

// counters count what happened since the start.
type counters struct {
	notifications, overflows, listings, questions atomic.Int64
	armed, lost, evicted                          atomic.Int64
	repeated, untold                              atomic.Int64
	comparisons, missed                           atomic.Int64
	told                                          [cache.Rest + 1]atomic.Int64
}

// Stats is a snapshot of the engine's counters.
type Stats struct {
	Mode                                          Mode
	Now                                           Mode          // what became of it: Dir, Tree, Poll or Off
	Every                                         time.Duration // between comparisons of a directory that somebody watches, while Now is Poll
	Why                                           string        // in plain words, where that is not what was asked for
	Watched, Pinned                               int
	Notified, Polled                              int   // of those watched: by notification; by comparison alone
	Unseen                                        int   // of those pinned: for a while neither notified of nor compared, nobody sees what changes
	OverBudget                                    int   // of those polled: for want of a place in the budget
	Budget                                        int   // directories that may be notified of
	Comparisons                                   int64 // listings that no notification asked for
	Missed                                        int64 // changes that only a comparison found: the server did not tell
	Notifications, Overflows, Listings, Questions int64
	Armed, Lost, Evicted                          int64
	Told                                          map[string]int64 // by kind of change
	Repeated, Untold                              int64            // calls that were made again; changes given up
}

// Stats returns the counters as they are now.
func (e *Engine) Stats() Stats {
	c := &e.counters
	s := Stats{
		Mode:        e.opts.Mode,
		Comparisons: c.comparisons.Load(), Missed: c.missed.Load(),
		Notifications: c.notifications.Load(), Overflows: c.overflows.Load(),
		Listings: c.listings.Load(), Questions: c.questions.Load(),
		Armed: c.armed.Load(), Lost: c.lost.Load(), Evicted: c.evicted.Load(),
		Told:     map[string]int64{},
		Repeated: c.repeated.Load(), Untold: c.untold.Load(),
	}
	for op := range c.told {
		s.Told[cache.Op(op).String()] = c.told[op].Load()
	}
	e.countWatches(&s)
	return s
}

// countWatches counts directories by how they are kept true.
func (e *Engine) countWatches(s *Stats) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.Watched, s.Budget = len(e.watches), e.budget
	s.Now, s.Why = e.effective()
	now, fresh := time.Now(), false
	s.Unseen = e.unseenDirs(now)
	for _, w := range e.watches {
		fresh = fresh || w.fresh(now)
		if e.pins[w.id] > 0 {
			s.Pinned++
		}
		if e.believed(w) {
			s.Notified++
		} else {
			s.Polled++
		}
		if !w.granted && e.notifiable() {
			s.OverBudget++
		}
	}
	if s.Now != Poll && s.Now != Off && s.Watched > 0 && s.Notified == 0 && !fresh {
		s.Now, s.Why = Poll, "no directory is notified of now"
		if !e.share.WatchesUp() {
			s.Why = "the connection for watches is down"
		}
	}
	if s.Now == Poll {
		s.Every = watchedSlowest * e.opts.Poll
	}
}

// effective says how changes are found now, and why if that is not as asked for.
// Preconditions: e.mu is held.
func (e *Engine) effective() (now Mode, why string) {
	switch m := e.opts.Mode; {
	case m == Off || m == Poll:
		return m, ""
	case e.refused && errors.Is(e.refusedErr, errWatchConnection):
		return Poll, e.refusedErr.Error()
	case e.refused:
		return Poll, "the server does not notify of changes"
	case e.trust.lost:
		return Poll, "the server does not tell of all changes"
	case e.byTree && m == Auto:
		return Tree, "the server lets nobody rename a directory while those below are watched"
	case m == Auto:
		return Dir, ""
	default:
		return m, ""
	}
}
