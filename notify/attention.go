package notify

import (
	"container/list"
	"time"
)

// urgency is why a directory is to be looked at, the most urgent first.
type urgency uint8

const (
	notified  urgency = iota // something in it is known to have changed
	unheard                  // nothing that changes in it is notified yet
	routine                  // to be sure
	urgencies = iota         // how many there are
)

// attention is what waits for a worker: a line for each urgency, in which each watch is once. What is notified does not wait behind the
// comparisons of ten thousand directories, and while it does wait, the server's silence proves nothing.
type attention [urgencies]list.List // of *watch

// waits reports whether any waits that is not less urgent than least.
func (a *attention) waits(least urgency) bool {
	for u := range least + 1 {
		if a[u].Len() > 0 {
			return true
		}
	}
	return false
}

// next takes out the watch that is to be looked at next, nil if none waits, of those that are not less urgent than least; backwards: beginning with
// the least urgent.
func (a *attention) next(least urgency, backwards bool) *watch {
	for u := range least + 1 {
		if backwards {
			u = least - u
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

const (
	// routineShare is the part of one worker's time that goes into comparisons while anything more urgent waits or directories are being armed.
	routineShare = 0.1
	// routinePause is how long it pauses for that at most.
	routinePause = time.Second
	// oneByOne is how long after a directory was armed the next one is expected: who goes through a tree uses one after the other.
	oneByOne = 20 * time.Millisecond
)

// worker looks at directories until the engine closes. One of them looks at what is least urgent first, so that comparisons are
// made at any time, the others at nothing that can wait while directories are being armed.
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
		start, hasty := time.Now(), false
		e.process(w)
		e.mu.Lock()
		w.working = false
		switch {
		case w.urgency == unheard:
			e.unheardAt = time.Now()
		case w.urgency == routine && backwards:
			hasty = e.attention.waits(unheard) || e.arming()
		}
		w.looked()
		if w.again {
			w.again = false
			e.attend(w)
		}
		e.mu.Unlock()
		if hasty {
			e.pause(min(time.Duration(float64(time.Since(start))/routineShare), routinePause))
		}
	}
}

// arming reports whether directories are being armed. Preconditions: e.mu is held.
func (e *Engine) arming() bool { return time.Since(e.unheardAt) < oneByOne }

// take takes the watch that is to be looked at next, nil if there is none.
func (e *Engine) take(backwards bool) *watch {
	e.mu.Lock()
	defer e.mu.Unlock()
	least := routine
	if e.arming() && !backwards {
		least = unheard
	}
	w := e.attention.next(least, backwards)
	if w != nil {
		w.working = true
	}
	if e.attention.waits(least) {
		e.wake()
	}
	return w
}
