package fs

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestPatience: a request is given up a while after its interrupt, and no goroutine outlives it.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &FileSystem{ctx: context.Background()}
		interrupt := make(chan struct{})
		ctx, end := f.within(interrupt)
		start := time.Now()
		close(interrupt)
		<-ctx.Done()
		if waited := time.Since(start); waited != grace || ctx.Err() != context.Canceled {
			t.Errorf("given up after %v with %v", waited, ctx.Err())
		}
		end()

		ctx, end = f.within(make(chan struct{}))
		if ctx.Err() != nil {
			t.Errorf("without an interrupt: %v", ctx.Err())
		}
		end()
		<-ctx.Done() // synctest fails if the watching goroutine does not end

		_, end = f.within(nil)
		end()
	})
}
