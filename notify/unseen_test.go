package notify

import (
	"context"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/share"
	"smbfs/smbclient"
	"smbfs/smbclient/smbtest"
)

// switched is a line that can be made anew while on is set.
func switched(r **rig, on *atomic.Bool) share.LineOptions {
	return share.LineOptions{Dial: func(ctx context.Context, _ uint64) (*smbclient.TreeConnect, error) {
		if !on.Load() {
			return nil, syscall.ECONNREFUSED
		}
		s, err := smbclient.Connect(ctx, smbclient.Config{Address: "server:445", Dial: (*r).dial, Credentials: (*r).server.Credentials()})
		if err != nil {
			return nil, err
		}
		return s.TreeConnect(ctx, smbtest.Share)
	}}
}

// TestUnseen: directories that somebody watches count as unseen when they have been neither notified of nor compared for a moment, and no longer.
func TestUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r *rig
		var up atomic.Bool
		r = newRigOn(t, switched(&r, &up), Options{Poll: time.Second}, nil)
		r.watched(2)
		r.look("d0") // in use, and of interest to nobody
		time.Sleep(time.Minute)
		if s := r.engine.Stats(); s.Unseen != 0 || s.Now != Dir {
			t.Errorf("all is well, and %d are unseen in mode %s", s.Unseen, s.Now)
		}
		r.conns[0].Close()
		r.conns[1].Close()
		time.Sleep(time.Second)
		if s := r.engine.Stats(); s.Unseen != 0 {
			t.Errorf("%d are unseen after a second", s.Unseen)
		}
		time.Sleep(3 * time.Second)
		if s := r.engine.Stats(); s.Unseen != 2 || s.Now != Poll || s.Every != 2*time.Second {
			t.Errorf("the server is away, and %d are unseen in mode %s, compared every %v", s.Unseen, s.Now, s.Every)
		}
		up.Store(true)
		time.Sleep(10 * time.Second)
		if s := r.engine.Stats(); s.Unseen != 0 || s.Now != Dir {
			t.Errorf("the server is back, and %d are unseen in mode %s (%s)", s.Unseen, s.Now, s.Why)
		}
	})
}
