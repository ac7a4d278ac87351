package notify

import (
	"context"
	"log/slog"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/cache"
	"smbfs/share"
	"smbfs/smbclient"
)

// TestOutageGathersNothing: a question that is asked again and again while the server is away, as about where a file was that turned up
// elsewhere, is not one more that waits each time.
func TestOutageGathersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigOn(t, share.LineOptions{
			Dial:   func(context.Context, uint64) (*smbclient.TreeConnect, error) { return nil, syscall.ECONNREFUSED },
			Wait:   share.Forever,
			Logger: slog.New(slog.DiscardHandler),
		}, Options{}, nil)
		r.watched(2)
		r.write(`d0\f`, "")
		r.within(time.Minute, "create d0/f")
		from, to := r.look("d0"), r.look("d1")
		for _, c := range r.conns {
			c.Close()
		}
		time.Sleep(time.Second)
		if r.share.Reachable() {
			t.Fatal("the loss goes unnoticed")
		}
		_, e := r.tree.TrueOccupant(cache.Place{Dir: from, Name: "f"})
		r.tree.Observe(to, r.tree.Now(), time.Now(), []cache.Observation{{Name: "g", Entry: &e}})
		time.Sleep(time.Minute)
		before := runtime.NumGoroutine()
		time.Sleep(time.Hour)
		if after := runtime.NumGoroutine(); after > before+5 {
			t.Errorf("an hour without a server took %d goroutines to %d", before, after)
		}
	})
}
