package notify

import "time"

// unseenAfter is how long a directory that somebody watches may be neither notified of nor compared before that is said: arming it anew, or
// one listing, takes a moment.
const unseenAfter = 2 * time.Second

// blind takes note that what happens in w cannot be seen until it is listed again. Preconditions: Engine.mu is held.
func (w *watch) blind() {
	if w.blindAt == 0 {
		w.blindAt = time.Now().UnixNano()
	}
}

// fresh reports whether w has not been seen for a moment only. Preconditions: Engine.mu is held.
func (w *watch) fresh(now time.Time) bool {
	return w.blindAt != 0 && now.Sub(time.Unix(0, w.blindAt)) <= unseenAfter
}

// unseen reports whether changes in w reach nobody: it is neither notified of nor compared. Preconditions: e.mu is held.
func (e *Engine) unseen(w *watch, now time.Time) bool {
	switch began, listing := e.pace[w.line].turns[w]; {
	case w.blindAt != 0:
		return !w.fresh(now)
	case e.believed(w):
		return !w.dir.Hears()
	case listing:
		return now.Sub(began) > unseenAfter+2*w.listCost
	}
	return false
}

// unseenDirs counts those of the directories that somebody watches which are unseen, also those that may not be read. Preconditions:
// e.mu is held.
func (e *Engine) unseenDirs(now time.Time) (n int) {
	if e.opts.Mode == Off {
		return 0
	}
	for id := range e.pins {
		if w := e.watches[id]; w != nil && e.unseen(w, now) {
			n++
		} else if at := e.absent[id]; w == nil && at.After(now) {
			n++
		}
	}
	return n
}
