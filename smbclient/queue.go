package smbclient

import "sync"

// queue hands functions to one goroutine, in order. It is as long as it has to be: what is put into it is bounded by the requests
// outstanding.
type queue struct {
	mu    sync.Mutex
	items []func() // guarded by mu
	wake  chan struct{}
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put appends f. It never blocks.
func (q *queue) put(f func()) {
	q.mu.Lock()
	q.items = append(q.items, f)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) take() []func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items = nil
	return items
}

// run calls what was put. Once stop is closed it calls what is left, and returns.
func (q *queue) run(stop <-chan struct{}) {
	for {
		for _, f := range q.take() {
			f()
		}
		select {
		case <-q.wake:
		case <-stop:
			for _, f := range q.take() {
				f()
			}
			return
		}
	}
}
