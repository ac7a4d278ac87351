package notify

import (
	"container/list"
	"time"
)

// class is the urgency of a comparison.
type class uint8

const (
	classSole       class = iota // nothing else finds changes
	classUnproven                // nothing else is known to
	classBackground              // to be sure
	classes
)

// pacer keeps comparisons to their share of the time. Guarded by Engine.mu.
type pacer [classes]pace

// pace has the comparisons of one class take turns: as many at a time as their share says, one after a pause where it is less than one. What a comparison takes is
// known when it has been made: a server that was busy is not taken for a slow one.
type pace struct {
	share   float64              // how many may be under way at a time, on average
	waiting list.List            // of *watch
	turns   map[*watch]time.Time // whose turn it is, and since when
	free    time.Time            // when the next one may begin
}

// saved is the time for which a share that was not used is saved up.
const saved = time.Second

// newPacer returns a pacer for an interval of background comparisons. Who asks for a short one is
// willing to pay for it.
func newPacer(compare time.Duration) (p pacer) {
	wanted := backgroundShare * float64(defaultCompare) / float64(compare)
	for c, share := range [classes]float64{soleShare, unprovenShare, min(max(wanted, backgroundShare), backgroundMost)} {
		p[c].share, p[c].turns = share, map[*watch]time.Time{}
	}
	return p
}

// class of the next comparison of w. Preconditions: e.mu is held.
func (e *Engine) class(w *watch) class {
	switch {
	case !e.believed(w):
		return classSole
	case !e.proven:
		return classUnproven
	}
	return classBackground
}

// begin reports whether it is the turn of w, which gets a place in the line if it has none.
func (p *pace) begin(w *watch, now time.Time) bool {
	if w.waits == nil {
		w.waits = p.waiting.PushBack(w)
	}
	if p.isFull() || p.waiting.Front() != w.waits || now.Before(p.free) {
		return false
	}
	p.waiting.Remove(w.waits)
	w.waits, p.turns[w] = nil, now
	if earliest := now.Add(-saved); p.free.Before(earliest) {
		p.free = earliest
	}
	return true
}

// end ends the turn of w, and reports whether it had one.
func (p *pace) end(w *watch, now time.Time) bool {
	since, ok := p.turns[w]
	if ok {
		delete(p.turns, w)
		p.free = p.free.Add(time.Duration(float64(now.Sub(since)) / p.share))
	}
	return ok
}

func (p *pace) isFull() bool { return len(p.turns) >= max(1, int(p.share)) }

// myTurn reports whether w may be compared now. If not, it is brought to attention when it may. Preconditions: e.mu is held.
func (e *Engine) myTurn(w *watch, now time.Time) bool {
	if w.waits == nil {
		w.line = e.class(w)
	}
	p := &e.pace[w.line]
	began := p.begin(w, now)
	e.callNext(p, now)
	return began
}

// endTurn has the next one of its class follow w, if it is the turn of w. Preconditions: e.mu is held.
func (e *Engine) endTurn(w *watch, now time.Time) {
	if p := &e.pace[w.line]; p.end(w, now) {
		e.callNext(p, now)
	}
}

// unplan calls the next comparison of w off. Preconditions: e.mu is held.
func (e *Engine) unplan(w *watch) {
	w.compareAt = time.Time{}
	if w.waits == nil {
		return
	}
	p := &e.pace[w.line]
	p.waiting.Remove(w.waits)
	w.waits = nil
	e.callNext(p, time.Now())
}

// callNext brings to attention whose turn is next. Preconditions: e.mu is held.
func (e *Engine) callNext(p *pace, now time.Time) {
	f := p.waiting.Front()
	if f == nil || p.isFull() {
		return
	}
	if w := f.Value.(*watch); now.Before(p.free) {
		e.attendAt(w, p.free)
	} else {
		e.attend(w)
	}
}
