package cache

import (
	"container/heap"
	"time"
)

// timer is an object that is looked at again when its time has come.
type timer struct {
	at  time.Time
	o   *object
	why reason
}

type reason uint8

const (
	lookAgain  reason = iota // a directory whose changes had to wait
	tellModify               // a MODIFY came too soon after another
	tellRest                 // CLOSE_WRITE if nothing changed since
)

type timers []timer

func (h timers) Len() int           { return len(h) }
func (h timers) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timers) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timers) Push(x any)        { *h = append(*h, x.(timer)) }
func (h *timers) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = timer{}
	*h = old[:len(old)-1]
	return x
}

// lookAgain has the directory looked at at that time, if nothing calls for it sooner.
// Preconditions: t.mu is held.
func (t *Tree) lookAgain(dir *object, at time.Time) {
	d := dir.dir
	if d.again.IsZero() || at.Before(d.again) {
		d.again = at
		heap.Push(&t.later, timer{at, dir, lookAgain})
	}
}

// rest has a CLOSE_WRITE told when the content of o rests. Preconditions: t.mu is held.
func (t *Tree) rest(o *object) {
	if r := o.rhythmOf(); !r.resting {
		r.resting = true
		heap.Push(&t.later, timer{r.restAt, o, tellRest})
	}
}

// deferModify has a MODIFY of o told when its time has come. Preconditions: t.mu is held.
func (t *Tree) deferModify(o *object) {
	r := o.rhythmOf()
	if after := r.modifyAt.Add(time.Millisecond); r.restAt.Before(after) {
		r.restAt = after
	}
	if !r.deferred {
		r.deferred = true
		heap.Push(&t.later, timer{r.modifyAt, o, tellModify})
	}
}

// due queues what was put off up to now. Preconditions: t.mu is held.
func (t *Tree) due(now time.Time) {
	for len(t.later) > 0 && !t.later[0].at.After(now) {
		tm := heap.Pop(&t.later).(timer)
		o := tm.o
		switch {
		case tm.why == lookAgain:
			if d := o.dir; tm.at.Equal(d.again) {
				d.again = time.Time{}
			}
			t.enqueue(o)
		case tm.why == tellModify:
			o.rhythm.deferred = false
			t.note(o, o.rhythm.at, todoModify)
		case now.Before(o.rhythm.restAt):
			heap.Push(&t.later, timer{o.rhythm.restAt, o, tellRest})
		default:
			o.rhythm.resting = false
			t.note(o, o.rhythm.at, todoClose)
		}
	}
}

// untilDue is the time to the next thing that was put off; 0: there is none.
// Preconditions: t.mu is held.
func (t *Tree) untilDue(now time.Time) time.Duration {
	if len(t.later) == 0 {
		return 0
	}
	return max(t.later[0].at.Sub(now), time.Millisecond)
}
