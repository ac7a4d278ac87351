package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"smbfs/share"
)

// Mode says how changes on the server are found.
type Mode string

// The modes there are.
const (
	Auto Mode = "auto" // Dir, or Tree where its handles prove to be in the way, and comparison wherever notification proves to be none
	Dir  Mode = "dir"  // a CHANGE_NOTIFY for each directory
	Tree Mode = "tree" // one CHANGE_NOTIFY for everything, by a handle on the root alone
	Poll Mode = "poll" // comparison alone
	Off  Mode = "off"
)

// Modes lists them all.
var Modes = []Mode{Auto, Dir, Tree, Poll, Off}

// ParseMode takes a mode by its name.
func ParseMode(s string) (Mode, error) {
	if m := Mode(s); slices.Contains(Modes, m) {
		return m, nil
	}
	names := make([]string, len(Modes))
	for i, m := range Modes {
		names[i] = string(m)
	}
	return "", fmt.Errorf("%q is not known; use %s", s, strings.Join(names, ", "))
}

// askAgainAfter is how long a server's refusal of CHANGE_NOTIFY is taken for its last word.
const askAgainAfter = 10 * time.Minute

// notifiable reports whether directories are to be notified of at all. Preconditions: e.mu is held.
func (e *Engine) notifiable() bool {
	return e.opts.Mode != Poll && e.opts.Mode != Off && !e.refused
}

// notified reports whether the server was asked to tell of changes in w, and took that on.
// Preconditions: e.mu is held.
func (e *Engine) isNotified(w *watch) bool {
	if !w.granted || w.dir == nil {
		return false
	}
	if e.byTree {
		return e.treeArmed
	}
	return w.dir.Standing()
}

// believed reports whether what is not notified in w has not happened. Preconditions: e.mu is held.
func (e *Engine) believed(w *watch) bool {
	return e.isNotified(w) && !w.trust.isLost() && !e.trust.lost
}

// refuse takes note that the server has no CHANGE_NOTIFY: everything is compared instead.
// Preconditions: e.mu is held.
func (e *Engine) refuse(err error) {
	if e.refused {
		return
	}
	e.refused, e.probing = true, false
	e.refusedAt, e.refusedFor, e.refusedErr = time.Now(), askAgainAfter, err
	if !e.refusedSaid {
		e.refusedSaid = true
		const instead = ": directories in use are compared instead, which finds a change within a second or two where somebody watches"
		if errors.Is(err, errWatchConnection) {
			e.log.Warn(err.Error()+instead, "every", e.opts.Poll)
		} else {
			e.log.Warn("the server does not notify of changes"+instead, "every", e.opts.Poll, "err", err)
		}
	}
	for _, w := range e.watches {
		e.revoke(w)
	}
}

// askAgain tries whether a server that refused notifies by now: with one directory, then with all.
// Preconditions: e.mu is held.
func (e *Engine) askAgain(now time.Time) {
	switch {
	case e.refused && now.Sub(e.refusedAt) >= e.refusedFor && e.share.WatchesUp():
		e.refused, e.probing = false, true
		e.probedAt = now
	case e.probing && e.held > 0 && now.Sub(e.probedAt) >= 5*time.Second:
		e.probing = false
		e.refusedSaid = false
		e.log.Info("the server notifies of changes again")
	}
}

// open opens a directory in the way that is the right one for it.
func (e *Engine) open(w *watch, path string) (*share.Directory, error) {
	e.mu.Lock()
	standing := w.granted && !e.byTree
	e.mu.Unlock()
	if standing {
		return e.share.OpenDirectory(e.ctx, path)
	}
	return e.share.Visit(path, e.tree.Object(w.id, time.Time{}, 0).Entry.FileID), nil
}

// fits reports whether that is still the right way. Preconditions: e.mu is held.
func (e *Engine) fits(w *watch, d *share.Directory) bool {
	return d.Standing() == (w.granted && !e.byTree) && !e.handles.Down(w.id)
}

// opened begins the comparisons of a directory that was just opened. Preconditions: e.mu is held.
func (e *Engine) opened(w *watch) {
	w.compared, w.quiet, w.suspects, w.untold = 0, 0, nil, nil
	e.unplan(w)
	w.comparing = false
	if !w.dir.Standing() {
		w.recheck = 0
	}
}

// denied deals with the server's refusal to notify of w, and reports whether err is one.
// Preconditions: e.mu is held.
func (e *Engine) denied(w *watch, err error) bool {
	switch {
	case !w.granted:
		return false
	case share.IsUnsupported(err):
		e.refuse(err)
	case share.IsExhausted(err):
		e.exhausted(w, err)
	default:
		return false
	}
	return true
}

// putOff has a pinned directory that cannot be opened left alone for a while. Preconditions: e.mu is held.
func (e *Engine) putOff(w *watch) {
	if _, ok := e.absent[w.id]; ok {
		e.absent[w.id] = time.Now().Add(forbiddenRetry)
	}
}
