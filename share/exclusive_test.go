package share

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestExclusiveCreateAnswerLost: an exclusive create whose answer was lost is never taken for somebody else's, nor somebody else's for it.
func TestExclusiveCreateAnswerLost(t *testing.T) {
	for _, c := range []struct {
		name            string
		arrived         bool   // the first attempt
		meanwhile, left string // made by somebody else; there in the end
		err             error
	}{
		{"arrived", true, "", "f", syscall.EIO},
		{"never arrived", false, "", "f", nil},
		{"never arrived, somebody else was first", false, "f", "f", syscall.EIO},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 10*time.Second)
				r.loseCreate(c.arrived, func() {
					if c.meanwhile != "" {
						r.server.Tree.WriteFile(c.meanwhile, nil)
					}
				})
				f, _, err := r.Open(t.Context(), "f", Opening{Write: true, Create: true, Exclusive: true})
				if !errors.Is(err, c.err) || errors.Is(err, syscall.EEXIST) {
					t.Fatalf("got %v, want %v", err, c.err)
				}
				if n := r.work.Status().Reconnects; n != 1 {
					t.Errorf("the connection came back %d times: no answer was lost", n)
				}
				if got := r.names(); got != c.left {
					t.Errorf("the server has %q, want %q", got, c.left)
				}
				if err != nil {
					return
				}
				if _, err := f.WriteAt(t.Context(), []byte("mine"), 0); err != nil || f.Action() != wire.ActionCreated {
					t.Errorf("write to what was made (%v): %v", f.Action(), err)
				}
			})
		})
	}
}

// loseCreate has the first CREATE of f lose its connection before the answer, or before it arrives.
func (r *rig) loseCreate(arrived bool, meanwhile func()) {
	var lost atomic.Bool
	done := make(chan struct{})
	r.work.restoreWith(func(context.Context, *smbclient.TreeConnect) {
		<-done
		meanwhile()
	})
	r.server.Hook(wire.CommandCreate, func(q *smbtest.Request) {
		var in wire.CreateRequest
		switch err := in.Decode(q.Body); {
		case err != nil || in.Name != "f" || lost.Swap(true):
			q.Serve()
		default:
			session := r.work.Status().Tree.Session()
			go session.Close()
			<-session.Connection().Done()
			if arrived {
				q.Serve()
			}
			close(done)
		}
	})
}
