package notify

import (
	"container/heap"
	"time"
)

// alarms are the watches that are brought to attention later, the next one first. One timer serves them all: there may be a hundred thousand.
type alarms struct {
	list  []*watch
	timer *time.Timer // nil: none was needed yet
}

// Len implements heap.Interface.
func (a *alarms) Len() int { return len(a.list) }

// Less implements heap.Interface.
func (a *alarms) Less(i, j int) bool { return a.list[i].alarmAt.Before(a.list[j].alarmAt) }

// Swap implements heap.Interface.
func (a *alarms) Swap(i, j int) {
	a.list[i], a.list[j] = a.list[j], a.list[i]
	a.list[i].alarm, a.list[j].alarm = int32(i+1), int32(j+1)
}

// Push implements heap.Interface.
func (a *alarms) Push(x any) {
	w := x.(*watch)
	a.list = append(a.list, w)
	w.alarm = int32(len(a.list))
}

// Pop implements heap.Interface.
func (a *alarms) Pop() any {
	last := len(a.list) - 1
	w := a.list[last]
	a.list[last], a.list = nil, a.list[:last]
	w.alarm = 0
	return w
}

// set has w come at a time, in place of the one that it may have.
func (a *alarms) set(w *watch, at time.Time) {
	w.alarmAt = at
	if w.alarm == 0 {
		heap.Push(a, w)
	} else {
		heap.Fix(a, int(w.alarm)-1)
	}
}

// remove takes w out.
func (a *alarms) remove(w *watch) {
	if w.alarm > 0 {
		heap.Remove(a, int(w.alarm)-1)
	}
}

// due takes out the next watch whose time has come, nil if there is none.
func (a *alarms) due(now time.Time) *watch {
	if len(a.list) == 0 || a.list[0].alarmAt.After(now) {
		return nil
	}
	return heap.Pop(a).(*watch)
}

// attendAt queues w when the time has come, if nothing else does before.
// Preconditions: e.mu is held.
func (e *Engine) attendAt(w *watch, at time.Time) {
	if w.gone || w.alarm > 0 && w.alarmAt.Before(at) {
		return
	}
	if e.alarms.set(w, at); w.alarm == 1 {
		e.setTimer()
	}
}

// setTimer has the next alarm ring in time. Preconditions: e.mu is held.
func (e *Engine) setTimer() {
	a := &e.alarms
	switch {
	case len(a.list) == 0 || e.ctx.Err() != nil:
	case a.timer == nil:
		a.timer = time.AfterFunc(max(time.Until(a.list[0].alarmAt), 0), e.ring)
	default:
		a.timer.Reset(max(time.Until(a.list[0].alarmAt), 0))
	}
}

// ring brings to attention what is due.
func (e *Engine) ring() {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for w := e.alarms.due(now); w != nil; w = e.alarms.due(now) {
		e.attend(w)
	}
	e.setTimer()
}
