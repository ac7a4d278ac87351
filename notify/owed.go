package notify

import (
	"container/list"
	"time"
)

// What is notified is true only when the server has been asked about it. Of a rename between two directories one half may be
// known long before the other then: so the tree is told how far behind the questions are, and what has vanished from one
// directory is not believed to be gone before all is known that was notified up to then.

// debts are those about all directories. Guarded by Engine.mu.
type debts struct {
	owed       list.List // of *watch, the oldest debt first
	oldestOwed time.Time
}

// debt says since when the server owes answers about a directory.
type debt struct {
	since   time.Time     // the oldest notification that was not looked at; zero: none
	later   time.Time     // the oldest since a worker began to look
	looking bool          // a worker looks at what there was
	place   *list.Element // in Engine.owed
}

// owe notes that something is to be looked at. Preconditions: Engine.mu is held.
func (w *watch) owe() {
	switch now := time.Now(); {
	case w.gone: // nobody will look: the debt would never be paid, and everything wait for it
	case w.looking && w.later.IsZero():
		w.later = now
	case !w.looking && w.since.IsZero():
		w.engine.owes(w, now)
	}
}

// oweStill notes that what there was to look at is to be looked at once more: the debt is as old as it was. Preconditions: Engine.mu is held.
func (w *watch) oweStill() {
	if w.looking && !w.since.IsZero() {
		w.later = w.since
	}
}

// look is called when a worker takes what there is to look at, and looked when it has. Preconditions: Engine.mu is held.
func (w *watch) look() { w.looking, w.later = true, time.Time{} }

func (w *watch) looked() {
	switch {
	case w.dir == nil: // it is listed when it is armed again
		w.engine.owes(w, time.Time{})
	case w.looking:
		w.engine.owes(w, w.later)
	}
	w.looking = false
}

// owes says since when the server owes answers about w; zero: it does not. Preconditions: e.mu is held.
func (e *Engine) owes(w *watch, since time.Time) {
	if w.place != nil {
		e.owed.Remove(w.place)
		w.place = nil
	}
	if w.since = since; !since.IsZero() {
		before := e.owed.Back() // nearly always
		for before != nil && before.Value.(*watch).since.After(since) {
			before = before.Prev()
		}
		if before != nil {
			w.place = e.owed.InsertAfter(w, before)
		} else {
			w.place = e.owed.PushFront(w)
		}
	}
	oldest := time.Time{}
	if f := e.owed.Front(); f != nil {
		oldest = f.Value.(*watch).since
	}
	if oldest != e.oldestOwed {
		e.oldestOwed = oldest
		e.tree.Behind(oldest)
	}
}
