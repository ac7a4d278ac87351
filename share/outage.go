package share

import "sync"

// outage is the loss of the connection for watches. It is over when both connections are up: who is told of a change looks at it
// through the other one.
type outage struct {
	mu sync.Mutex
	on bool // guarded by mu
}

// OnWatches has f called when the connection for watches has gone down, and when both are up again. f must not wait.
func (s *Share) OnWatches(f func(up bool)) {
	over := func() {
		s.outage.mu.Lock()
		over := s.outage.on && s.watch.isUp() && s.work.isUp()
		s.outage.on = s.outage.on && !over
		s.outage.mu.Unlock()
		if over {
			f(true)
		}
	}
	s.watch.notify(func(up bool) {
		if up {
			over()
			return
		}
		s.outage.mu.Lock()
		s.outage.on = true
		s.outage.mu.Unlock()
		f(false)
		over() // it may have come back before f knew
	})
	s.work.notify(func(up bool) {
		if up {
			over()
		}
	})
}

// WatchesUp reports whether directories can be watched. If not, OnWatches tells when they can.
func (s *Share) WatchesUp() bool {
	s.outage.mu.Lock()
	defer s.outage.mu.Unlock()
	return !s.outage.on
}
