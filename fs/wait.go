package fs

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// grace is how long an interrupted request goes on waiting for the server. Go programs' threads
	// get signals all the time, which the kernel passes on as interrupts: an operation must not fail
	// for one. A request that waits for a server that does not answer has to end when its caller is
	// killed, since the kernel waits for it even then.
	grace = 2 * time.Second
	// graceTick is how often it is looked who was interrupted.
	graceTick = 250 * time.Millisecond
)

// waits are the requests that somebody waits for. None has a goroutine: a timer looks at all of them as long as there are any.
type waits struct {
	ctx context.Context // the file system's

	mu   sync.Mutex
	set  map[*patience]struct{} // guarded by mu
	tick *time.Timer            // guarded by mu; nil: nobody looks
}

// newWaits returns none, which end with ctx.
func newWaits(ctx context.Context) *waits {
	w := &waits{ctx: ctx, set: map[*patience]struct{}{}}
	context.AfterFunc(ctx, w.look)
	return w
}

// add has p looked at.
func (w *waits) add(p *patience) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set[p] = struct{}{}
	if w.tick == nil {
		w.tick = time.AfterFunc(graceTick, w.look)
	}
}

func (w *waits) remove(p *patience) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.set, p)
}

// look gives up those whose time is over.
func (w *waits) look() {
	now := time.Now()
	w.mu.Lock()
	var over []*patience
	for p := range w.set {
		if p.isOver(now) {
			over = append(over, p)
		}
	}
	if w.tick != nil {
		w.tick.Stop()
		w.tick = nil
	}
	if len(w.set) > len(over) {
		w.tick = time.AfterFunc(graceTick, w.look)
	}
	w.mu.Unlock()
	for _, p := range over {
		p.end()
	}
}

// patience is the context of a request. It costs next to nothing until somebody waits on it: most
// requests are answered from memory.
type patience struct {
	context.Context // the file system's
	waits           *waits
	interrupt       <-chan struct{}
	interruptedAt   time.Time // of waits.look alone; zero: it was not seen

	mu    sync.Mutex
	err   error         // guarded by mu: it has ended
	done  chan struct{} // guarded by mu; nil: nobody waits
	after []*func()     // guarded by mu: to be called at the end
}

// within returns a context for a request and a function to be called at its end.
func (f *FileSystem) within(interrupt <-chan struct{}) (context.Context, context.CancelFunc) {
	p := &patience{Context: f.ctx, waits: f.waits, interrupt: interrupt}
	return p, p.end
}

// isOver reports whether the file system has ended, or the request was interrupted a while ago.
//
// Preconditions: the caller is waits.look.
func (p *patience) isOver(now time.Time) bool {
	if p.Context.Err() != nil {
		return true
	}
	select {
	case <-p.interrupt:
	default:
		return false
	}
	if p.interruptedAt.IsZero() {
		p.interruptedAt = now
	}
	return now.Sub(p.interruptedAt) >= grace
}

// end ends the request: who still waits is let go, and nobody waits any more.
func (p *patience) end() {
	p.mu.Lock()
	if p.err != nil {
		p.mu.Unlock()
		return
	}
	p.err = context.Canceled
	done, after := p.done, p.after
	p.after = nil
	p.mu.Unlock()
	if done == nil || done == over {
		return
	}
	p.waits.remove(p)
	close(done)
	for _, f := range after {
		go (*f)()
	}
}

// wait has the request looked after from now on.
//
// Preconditions: mu is held.
func (p *patience) wait() {
	switch {
	case p.done != nil:
	case p.err != nil, p.Context.Err() != nil:
		p.done = over
	default:
		p.done = make(chan struct{})
		p.waits.add(p)
	}
}

// over is the end of a request that has ended before anybody waited on it.
var over = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Done implements context.Context.
func (p *patience) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wait()
	return p.done
}

// Err implements context.Context.
func (p *patience) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return p.Context.Err()
	}
	return p.err
}

// AfterFunc has context.AfterFunc, and contexts made from this one, do without a goroutine of their own.
func (p *patience) AfterFunc(f func()) (stop func() bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wait(); p.err != nil || p.done == over {
		go f()
		return func() bool { return false }
	}
	p.after = append(p.after, &f)
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		i := slices.Index(p.after, &f)
		if i >= 0 {
			p.after = slices.Delete(p.after, i, i+1)
		}
		return i >= 0
	}
}
