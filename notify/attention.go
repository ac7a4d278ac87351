package notify

import "container/list"

// urgency is why a directory is to be looked at, the most urgent first.
type urgency uint8

const (
	notified  urgency = iota // something in it is known to have changed
	unheard                  // nothing that changes in it is notified yet
	routine                  // to be sure
	urgencies                // how many there are
)

// attention is what waits for a worker: a line for each urgency, in which each watch is once. What is notified does not wait behind the
// comparisons of ten thousand directories, and while it does wait, the server's silence proves nothing.
type attention [urgencies]list.List // of *watch

// empty reports whether none waits.
func (a *attention) empty() bool {
	for u := range a {
		if a[u].Len() > 0 {
			return false
		}
	}
	return true
}

// next takes out the watch that is to be looked at next, nil if none waits; backwards: beginning with what is least urgent.
func (a *attention) next(backwards bool) *watch {
	for u := range urgencies {
		if backwards {
			u = urgencies - 1 - u
		}
		if f := a[u].Front(); f != nil {
			w := f.Value.(*watch)
			a.remove(w)
			return w
		}
	}
	return nil
}

// add has w wait, in a more urgent line if it waits already.
func (a *attention) add(w *watch, u urgency) {
	if w.queued != nil && w.urgency <= u {
		return
	}
	a.remove(w)
	w.urgency, w.queued = u, a[u].PushBack(w)
}

// remove takes w out, if it waits.
func (a *attention) remove(w *watch) {
	if w.queued != nil {
		a[w.urgency].Remove(w.queued)
		w.queued = nil
	}
}

// attend queues w for a worker. Preconditions: e.mu is held.
func (e *Engine) attend(w *watch) {
	u := routine
	switch {
	case w.gone:
		return
	case w.working:
		w.again = true
		return
	case !w.since.IsZero():
		u = notified
	case !w.live:
		u = unheard
	}
	e.attention.add(w, u)
	e.wake()
}

// wake has a worker look whether there is work.
func (e *Engine) wake() {
	select {
	case e.work <- struct{}{}:
	default:
	}
}

// worker looks at directories until the engine closes. One of them looks at what is least urgent first, so that comparisons are
// made at any time.
func (e *Engine) worker(backwards bool) {
	for {
		w := e.take(backwards)
		if w == nil {
			select {
			case <-e.work:
				continue
			case <-e.ctx.Done():
				return
			}
		}
		if e.ctx.Err() != nil {
			return
		}
		e.process(w)
		e.mu.Lock()
		w.working = false
		w.looked()
		if w.again {
			w.again = false
			e.attend(w)
		}
		e.mu.Unlock()
	}
}

// take takes the watch that is to be looked at next, nil if there is none.
func (e *Engine) take(backwards bool) *watch {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.attention.next(backwards)
	if w != nil {
		w.working = true
	}
	if !e.attention.empty() {
		e.wake()
	}
	return w
}
