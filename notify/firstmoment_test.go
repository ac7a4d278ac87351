package notify

import (
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestFirstMoment: what happens in a directory before the server's watch of it exists is in the first listing alone, and is told to who watches by then.
func TestFirstMoment(t *testing.T) {
	for _, mode := range []Mode{Dir, Poll} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Options{Mode: mode}, nil)
				r.make("d")
				r.write(`d\old`, "old")
				r.write(`d\written`, "old")
				time.Sleep(time.Second)
				r.server.Hook(wire.CommandQueryDirectory, func(q *smbtest.Request) {
					time.Sleep(50 * time.Millisecond) // the server is slow
					q.Serve()
				})
				id := r.look("d")
				r.server.Tree.Mute(true)
				time.Sleep(time.Millisecond)
				r.write(`d\new`, "new")
				r.write(`d\written`, "new content")
				r.pin(id)
				r.within(time.Second, "create d/new", "modify d/new", "modify d/written")
				for _, line := range []string{"create d/old", "modify d/old", "create d/written"} {
					if r.count(line) > 0 {
						t.Errorf("told: %s", line)
					}
				}
			})
		})
	}
}
