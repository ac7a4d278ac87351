package notify

import (
	"context"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/share"
	"smbfs/smbclient"
	"smbfs/smbclient/smbtest"
)

// TestWatchConnectionFails: a connection for watches that is lost and cannot be had again, or is lost each time as soon as it is used,
// leaves no directory unseen: each change is told within five seconds by comparison, and notification comes back when the connection does.
func TestWatchConnectionFails(t *testing.T) {
	for name, flaps := range map[string]bool{"refused": false, "lost each time": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r *rig
				var broken atomic.Bool
				broken.Store(true)
				dial := func(ctx context.Context, _ uint64) (*smbclient.TreeConnect, error) {
					if broken.Load() && !flaps {
						return nil, syscall.ECONNREFUSED
					}
					s, err := smbclient.Connect(ctx, smbclient.Config{Address: "server:445", Dial: r.dial, Credentials: r.server.Credentials()})
					if err != nil {
						return nil, err
					}
					if broken.Load() {
						c := r.conns[len(r.conns)-1]
						time.AfterFunc(400*time.Millisecond, func() { c.Close() })
					}
					return s.TreeConnect(ctx, smbtest.Share)
				}
				r = newRigOn(t, share.LineOptions{Dial: dial}, Options{Poll: time.Second}, nil)
				r.watched(2)
				time.Sleep(time.Minute)
				r.conns[1].Close() // that for watches
				time.Sleep(10 * time.Second)
				if s := r.engine.Stats(); s.Now != Poll || !strings.Contains(s.Why, "connection for watches") {
					t.Errorf("the mode is %s (%s) while nothing is armed", s.Now, s.Why)
				}
				for _, f := range []string{"a", "b", "c"} {
					r.write(`d0\`+f, "")
					r.within(5*time.Second, "create d0/"+f)
				}
				broken.Store(false)
				time.Sleep(15 * time.Minute)
				if s := r.engine.Stats(); s.Now != Auto && s.Now != Dir || s.Notified != s.Watched {
					t.Errorf("the connection is back; the mode is %s (%s), %d of %d notified of", s.Now, s.Why, s.Notified, s.Watched)
				}
			})
		})
	}
}

// TestBreakerPauses: the pauses before notification is tried again double up to askAgainAfter, and begin anew after a long time that was good.
func TestBreakerPauses(t *testing.T) {
	var b breaker
	now := time.Unix(1e9, 0)
	for _, want := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second} {
		if d := b.pause(now); d != want {
			t.Errorf("the pause is %v, want %v", d, want)
		}
		now = now.Add(want)
	}
	for range 10 {
		now = now.Add(b.pause(now))
	}
	if d := b.pause(now); d != askAgainAfter {
		t.Errorf("the longest pause is %v, want %v", d, askAgainAfter)
	}
	if d := b.pause(now.Add(time.Hour)); d != firstRetry {
		t.Errorf("after an hour the pause is %v, want %v", d, firstRetry)
	}
}
