package share

import "sync"

// probes keeps the handles by which files are only looked at out of the way of removals: the
// server keeps a name as long as any handle is open, and shows it to everybody meanwhile.
type probes struct {
	mu       sync.Mutex
	open     map[string]int           // guarded by mu: probes under way, by path
	removals map[string]int           // guarded by mu: removals under way or waiting, by path
	idle     map[string]chan struct{} // guarded by mu: closed when the last probe of a path has ended
}

// begin reports false if the file is being removed. Else end must follow.
func (p *probes) begin(path string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.removals[path] > 0 {
		return false
	}
	if p.open == nil {
		p.open = map[string]int{}
	}
	p.open[path]++
	return true
}

func (p *probes) end(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[path]--; p.open[path] > 0 {
		return
	}
	delete(p.open, path)
	if ch := p.idle[path]; ch != nil {
		close(ch)
		delete(p.idle, path)
	}
}

// keepAway waits until nothing probes the file, or the other channel says to stop waiting. No
// probe begins until the function it returns is called.
func (p *probes) keepAway(path string, stop <-chan struct{}) (done func()) {
	p.mu.Lock()
	if p.removals == nil {
		p.removals = map[string]int{}
		p.idle = map[string]chan struct{}{}
	}
	p.removals[path]++
	var wait chan struct{}
	if p.open[path] > 0 {
		if wait = p.idle[path]; wait == nil {
			wait = make(chan struct{})
			p.idle[path] = wait
		}
	}
	p.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-stop:
		}
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.removals[path]--; p.removals[path] == 0 {
			delete(p.removals, path)
		}
	}
}
