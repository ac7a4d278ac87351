package replay

import "sync"

// statusSlot is what Status reports; the supervisor writes it.
type statusSlot struct {
	mu       sync.Mutex
	process  *process // guarded by mu
	running  bool     // guarded by mu
	restarts int      // guarded by mu
}

func (s *statusSlot) set(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process, s.running = p, true
}

func (s *statusSlot) restarted(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process, s.running = p, true
	s.restarts++
}

func (s *statusSlot) lost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
}

func (s *statusSlot) status() Status {
	s.mu.Lock()
	p := s.process
	st := Status{Running: s.running, Restarts: s.restarts}
	s.mu.Unlock()
	if p == nil {
		return st
	}
	st.Pid = p.pid
	for _, w := range p.allWorkers() {
		st.Workers++
		if w.stalled.Load() {
			st.Stalled++
		}
	}
	return st
}
