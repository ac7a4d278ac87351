package fs

import (
	"context"
	"sync"
	"time"
)

// grace is how long an interrupted request goes on waiting for the server. Go programs' threads
// get signals all the time, which the kernel passes on as interrupts: an operation must not fail
// for one. A request that waits for a server that does not answer has to end when its caller is
// killed, since the kernel waits for it even then.
const grace = 2 * time.Second

// patience is the context of a request. It costs next to nothing until somebody waits on it: most
// requests are answered from memory.
type patience struct {
	context.Context // the file system's
	interrupt       <-chan struct{}

	once  sync.Once
	inner context.Context // made by once
	stop  context.CancelFunc
}

// within returns a context for a request and a function to be called at its end.
func (f *FileSystem) within(interrupt <-chan struct{}) (context.Context, context.CancelFunc) {
	p := &patience{Context: f.ctx, interrupt: interrupt}
	return p, p.end
}

// waited returns the context to wait on. It ends a while after an interrupt.
func (p *patience) waited() context.Context {
	p.once.Do(func() {
		p.inner, p.stop = context.WithCancel(p.Context)
		if p.interrupt != nil {
			go p.watch()
		}
	})
	return p.inner
}

// watch ends with the request, or a while after its interrupt.
func (p *patience) watch() {
	select {
	case <-p.inner.Done():
		return
	case <-p.interrupt:
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-p.inner.Done():
	case <-late.C:
		p.stop()
	}
}

// AfterFunc has context.AfterFunc, and contexts made from this one, do without a goroutine of their own.
func (p *patience) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(p.waited(), f) }

// end ends the request: who still waits is let go, and nobody waits any more.
func (p *patience) end() {
	p.once.Do(func() { p.inner, p.stop = over, func() {} })
	p.stop()
}

// over is the context of a request that has ended before anybody waited on it.
var over = func() context.Context {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	return ctx
}()

// Done implements context.Context.
func (p *patience) Done() <-chan struct{} { return p.waited().Done() }

// Err implements context.Context.
func (p *patience) Err() error { return p.waited().Err() }
