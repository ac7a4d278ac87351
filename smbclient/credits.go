package smbclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrCredits says that the server granted fewer credits than a request needs, and that nothing is in flight that could
// bring more. It ends the connection only if there is no credit at all.
var ErrCredits = errors.New("the server granted too few credits")

// errNoCredits is ErrCredits where there is none: nothing can ever be sent again.
var errNoCredits = fmt.Errorf("%w: none is left", ErrCredits)

const (
	// creditTarget is what the client tries to own: at 64 KiB a credit (MS-SMB2 3.1.5.2), 32 MiB in flight.
	creditTarget = 512

	// creditReserve is kept back from ordinary requests once creditReserveFrom credits are owned, so that an ECHO or
	// the acknowledgement of a break never waits behind them.
	creditReserve     = 2
	creditReserveFrom = 16

	// creditCap bounds what is kept of a server's generosity: a window of message ids as large as
	// the field of the wire.
	creditCap = 1 << 16
)

// creditPool counts the message ids that the server lets the client use (MS-SMB2 3.2.4.1.2, 3.2.5.1.4), and hands them
// out first come, first served, so that a small request does not starve a large one.
type creditPool struct {
	mu        sync.Mutex
	available int             // guarded by mu
	inFlight  int             // guarded by mu: charges of requests that have had no response yet
	parked    int             // guarded by mu: requests that had an interim response and no final one
	waiters   []*creditWaiter // guarded by mu: in order of arrival
	closed    error           // guarded by mu
}

type creditWaiter struct {
	want, least int
	ready       chan struct{} // closed once granted or err is set
	granted     int
	err         error
}

// newCreditPool returns a pool with the one credit that a connection starts with (MS-SMB2 3.2.4.1.2).
func newCreditPool() *creditPool { return &creditPool{available: 1} }

// acquire takes want credits, waiting for them as long as ctx allows. It returns fewer, but no less than least, only if
// there is nothing in flight that could bring more.
func (p *creditPool) acquire(ctx context.Context, want, least int) (int, error) {
	p.mu.Lock()
	if p.closed != nil {
		defer p.mu.Unlock()
		return 0, p.closed
	}
	w := &creditWaiter{want: want, least: least}
	if len(p.waiters) == 0 && p.serve(w) {
		defer p.mu.Unlock()
		return w.granted, w.err
	}
	w.ready = make(chan struct{})
	p.waiters = append(p.waiters, w)
	p.mu.Unlock()
	select {
	case <-w.ready:
	case <-ctx.Done():
		if p.withdraw(w) {
			return 0, context.Cause(ctx)
		}
	}
	return w.granted, w.err
}

// tryAcquire takes n credits if they are there, the reserve included, past everyone who waits.
func (p *creditPool) tryAcquire(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil || p.available < n {
		return false
	}
	p.take(n)
	return true
}

// withdraw removes a waiter whose context ended. It reports false if the waiter was served meanwhile.
func (p *creditPool) withdraw(w *creditWaiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.waiters {
		if other == w {
			p.waiters = append(p.waiters[:i], p.waiters[i+1:]...)
			p.pump()
			return true
		}
	}
	return false
}

// serve decides about one waiter and reports whether it is done with.
//
// Preconditions: mu is held.
func (p *creditPool) serve(w *creditWaiter) bool {
	free := p.available
	if p.available+p.inFlight >= creditReserveFrom {
		free -= creditReserve
	}
	switch {
	case free >= w.want:
		w.granted = w.want
	case p.inFlight > 0:
		return false
	case free >= w.least:
		w.granted = free
	case p.parked > 0:
		return false
	case p.available == 0:
		w.err = errNoCredits
		return true
	default:
		w.err = ErrCredits
		return true
	}
	p.take(w.granted)
	return true
}

// take moves n credits from available to inFlight.
//
// Preconditions: mu is held.
func (p *creditPool) take(n int) {
	p.available -= n
	p.inFlight += n
}

// pump serves waiters in their order until one has to go on waiting.
//
// Preconditions: mu is held.
func (p *creditPool) pump() {
	for len(p.waiters) > 0 && p.serve(p.waiters[0]) {
		close(p.waiters[0].ready)
		p.waiters[0] = nil
		p.waiters = p.waiters[1:]
	}
}

// answered books one response: the credits it grants and, if it is the first one of its request, that the request's charge is no
// longer in flight. An interim response parks the request, a final one after an interim unparks it.
func (p *creditPool) answered(granted int, charge int, parked int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight -= charge
	p.parked += parked
	p.available = min(p.available+granted, creditCap)
	p.pump()
}

// request says what to ask for in a message that is charged n credits: as many again, and what is missing to the target.
func (p *creditPool) request(n int) uint16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return uint16(min(n+max(0, creditTarget-p.available-p.inFlight), 1<<16-1))
}

// starved reports whether somebody waits and only an answer to a parked request, which may never come, could help.
func (p *creditPool) starved() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiters) > 0 && p.inFlight == 0
}

// owned returns the credits at hand and in flight.
func (p *creditPool) owned() (available, inFlight int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.available, p.inFlight
}

// close fails everyone who waits, and who will ask.
func (p *creditPool) close(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = err
	for _, w := range p.waiters {
		w.err = err
		close(w.ready)
	}
	p.waiters = nil
}
