package notify

import (
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestComparisonBeforeNotification: what a comparison finds before its notification has come is not told before that has had the time to come: it may
// say that the file is another one, with the id of the one before it.
func TestComparisonBeforeNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s silence
		r, d := watched(t, Options{}, func(server *smbtest.Server) { server.Hook(wire.CommandChangeNotify, s.hook) })
		made := func(name string) {
			before := r.compared(d)
			r.write(`d\`+name, "hello")
			for start := time.Now(); r.compared(d) == before; time.Sleep(time.Millisecond) {
				if time.Since(start) > 5*time.Minute {
					t.Fatal("the directory is not compared")
				}
			}
			time.Sleep(10 * time.Millisecond)
			if n := r.count("create d/" + name); n != 0 {
				t.Errorf("%s was told before its notification", name)
			}
		}
		made("notified")
		s.tell(wire.ActionAdded, "notified")
		time.Sleep(5 * time.Millisecond)
		if n := r.count("create d/notified"); n != 1 {
			t.Errorf("the notified file was told %d times", n)
		}
		made("silent")
		time.Sleep(notifiedWithin)
		if n := r.count("create d/silent"); n != 1 {
			t.Errorf("the file of which no notification came was told %d times", n)
		}
	})
}
