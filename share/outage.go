package share

import "sync"

// outage is the loss of a connection for watches. It is over when the first of these and that for work are up: who is told of a change looks at
// it through the latter.
type outage struct {
	tell    func(up bool) // set before use; nil: nobody wants to know
	telling sync.Mutex    // held while tell is called: the losses of several connections are told one after the other
	mu      sync.Mutex
	on      bool // guarded by mu
}

// OnWatches has f called when a connection for watches has gone down, and when the outage is over. f must not wait. It is called once, before the
// share is used.
func (s *Share) OnWatches(f func(up bool)) {
	s.outage.tell = f
	s.watches.first.notify(func(up bool) {
		if up {
			s.outageOver()
		} else {
			s.lostWatches()
		}
	})
	s.work.notify(func(up bool) {
		if up {
			s.watches.first.retryNow()
			s.outageOver()
		}
	})
}

// lostWatches takes note that a connection for watches was lost: one for all, what was known of directories on one depends on the others.
func (s *Share) lostWatches() {
	if s.outage.tell == nil {
		return
	}
	s.outage.telling.Lock()
	defer s.outage.telling.Unlock()
	s.outage.mu.Lock()
	s.outage.on = true
	s.outage.mu.Unlock()
	s.outage.tell(false)
	s.tellOver() // the connection may have come back before that was known, or another takes its place
}

// outageOver takes note that a connection has come back.
func (s *Share) outageOver() {
	s.outage.telling.Lock()
	defer s.outage.telling.Unlock()
	s.tellOver()
}

// tellOver tells the end of the outage, if it is over. Preconditions: s.outage.telling is held.
func (s *Share) tellOver() {
	s.outage.mu.Lock()
	over := s.outage.on && s.watches.first.isUp() && s.work.isUp()
	s.outage.on = s.outage.on && !over
	s.outage.mu.Unlock()
	if over {
		s.outage.tell(true)
	}
}

// WatchesUp reports whether directories can be watched. If not, OnWatches tells when they can.
func (s *Share) WatchesUp() bool {
	s.outage.mu.Lock()
	defer s.outage.mu.Unlock()
	return !s.outage.on
}
