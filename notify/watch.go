package notify

import (
	"container/list"
	"time"

	"smbfs/cache"
	"smbfs/share"
)

// watch is one directory that is watched. All fields are guarded by Engine.mu; the worker that
// holds it (working) is the only one that asks the server about it. There may be a hundred thousand: what is small stands together.
type watch struct {
	engine *Engine
	id     cache.ID
	dir    *share.Directory // nil: not armed yet
	former *share.Directory // handles from before a move, kept until it is armed again
	used   *list.Element    // in Engine.oldest
	plan
	debt
	own *ownWork // nil: there was none

	next      func()                // sends the next request, if that was not sent meanwhile; nil: none is due
	hints     map[string]cache.Hint // names to be asked for
	armedAt   time.Time
	recheck   uint8 // how many of the last pauses of compareAfter are not over since then
	list      bool  // the whole directory is to be listed
	unsettled bool  // counted in Engine.unsettled
	live      bool  // armed, listed and compared: what is not notified has not happened
	known     bool  // was live and believed when the connection was lost, and has not been listed since

	// blindAt is since when its content cannot be seen: not notified of, and not listed since. Nanoseconds since 1970; 0: it can.
	blindAt int64

	// surely is since when each change was notified, whatever a comparison could see of it; zero: that cannot be said.
	surely time.Time

	queued  *list.Element // its place in Engine.attention; nil: it does not wait
	urgency urgency       // the line there
	working bool          // a worker holds it
	again   bool          // something came while a worker held it
	gone    bool          // taken out of all tables
	turn    bool          // secure is its turn

	alarm    int32 // its place in Engine.alarms, from 1; 0: it has none
	failures int32 // attempts to arm that failed, in a row
	alarmAt  time.Time
	listedAt time.Time            // end of the last listing
	listCost time.Duration        // how long it took
	arriving map[string]time.Time // names that may have been moved to w: when they were first seen
	doubted  map[string]struct{}  // names whose security descriptors may not be what is known of them
	secure   time.Time            // when to read security descriptors for later comparison; zero: need not
}

// Armed is a process: a server's interim response comes before its watch exists, so the
// directory is listed and compared some more times before it is believed.
var compareAfter = [...]time.Duration{300 * time.Millisecond, 2 * time.Second, 10 * time.Second}

// recheckAt is when w is listed again after arming; zero: not any more. Preconditions: Engine.mu is held.
func (w *watch) recheckAt() time.Time {
	if w.recheck == 0 {
		return time.Time{}
	}
	return w.armedAt.Add(compareAfter[len(compareAfter)-int(w.recheck)])
}

func newWatch(e *Engine, id cache.ID) *watch {
	return &watch{engine: e, id: id, blindAt: time.Now().UnixNano()}
}

// hintsMost bounds the names that are noted in all watches together: a server may tell of more of them than it answers questions about.
const hintsMost = 1 << 17

// hint notes a name to be asked for. Where that are too many the directory is listed. Preconditions: Engine.mu is held.
func (w *watch) hint(name string, h cache.Hint) {
	w.owe()
	if _, noted := w.hints[name]; !noted && w.engine.hinted >= hintsMost {
		w.setHints(nil)
		w.overflowed()
		return
	} else if !noted {
		w.engine.hinted++
	}
	if w.hints == nil {
		w.hints = map[string]cache.Hint{}
	}
	w.hints[name] = w.hints[name].Then(h)
}

// setHints has other names noted than were. Preconditions: Engine.mu is held.
func (w *watch) setHints(hints map[string]cache.Hint) {
	w.engine.hinted += len(hints) - len(w.hints)
	w.hints = hints
}

// overflowed says that more has changed than was told: the whole directory is to be listed. Preconditions: Engine.mu is held.
func (w *watch) overflowed() {
	w.list, w.suspects, w.surely = true, nil, time.Time{}
	w.owe()
}

// hintAgain notes a name to be asked for once more: h was said before what is noted of it by now.
// Preconditions: Engine.mu is held.
func (w *watch) hintAgain(name string, h cache.Hint) {
	newer := w.hints[name]
	w.oweStill()
	w.hint(name, 0)
	if _, noted := w.hints[name]; noted { // else the directory is listed
		w.hints[name] = h.Then(newer)
	}
}

// lru orders watches by their last use.
type lru struct{ l list.List }

func (o *lru) touch(w *watch) {
	if w.used == nil {
		w.used = o.l.PushBack(w)
		return
	}
	o.l.MoveToBack(w.used)
}

func (o *lru) first() *watch {
	if f := o.l.Front(); f != nil {
		return f.Value.(*watch)
	}
	return nil
}

func (o *lru) remove(w *watch) {
	if w.used != nil {
		o.l.Remove(w.used)
		w.used = nil
	}
}
