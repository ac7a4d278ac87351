package fs

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestPatience: a request is given up a while after its interrupt, and what waits for it is called then; nothing looks after requests once they
// have ended.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole, unmount := context.WithCancel(context.Background())
		f := &FileSystem{ctx: whole, waits: newWaits(whole)}
		interrupt := make(chan struct{})
		ctx, end := f.within(interrupt)
		derived, cancel := context.WithCancel(ctx)
		defer cancel()
		start := time.Now()
		close(interrupt)
		<-derived.Done()
		if waited := time.Since(start); waited < grace || waited > grace+2*graceTick || ctx.Err() != context.Canceled || derived.Err() == nil {
			t.Errorf("given up after %v with %v", waited, ctx.Err())
		}
		end()

		ctx, end = f.within(make(chan struct{}))
		if ctx.Err() != nil {
			t.Errorf("without an interrupt: %v", ctx.Err())
		}
		called := make(chan bool, 2)
		stop := context.AfterFunc(ctx, func() { called <- true })
		if context.AfterFunc(ctx, func() { called <- false }); !stop() || stop() {
			t.Error("what was not called yet is stopped, once")
		}
		end()
		if <-ctx.Done(); <-called {
			t.Error("what was stopped is called")
		}
		if context.AfterFunc(ctx, func() { called <- true }); !<-called {
			t.Error("what comes too late is called at once")
		}

		ctx, end = f.within(nil)
		go unmount()
		<-ctx.Done()
		end()
		ctx, end = f.within(nil)
		<-ctx.Done()
		end()
		synctest.Wait()
		if len(f.waits.set) > 0 || f.waits.tick != nil {
			t.Errorf("%d requests are waited for still", len(f.waits.set))
		}
	})
}
