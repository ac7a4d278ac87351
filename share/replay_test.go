package share

import (
	"context"
	"encoding/binary"
	"errors"
	"reflect"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestExclusiveCreateAnswerLost: an exclusive create whose answer was lost succeeds if it is known to have been ours, and is never taken for
// somebody else's, nor somebody else's for it.
func TestExclusiveCreateAnswerLost(t *testing.T) {
	for _, c := range []struct {
		name            string
		arrived, kept   bool   // the first attempt; its open, by a server that knows what a replay is
		meanwhile, left string // made by somebody else; there in the end
		err             error
	}{
		{"kept", true, true, "", "f", nil},
		{"forgotten", true, false, "", "f", syscall.EIO},
		{"never arrived", false, false, "", "f", nil},
		{"never arrived, somebody else was first", false, false, "f", "f", syscall.EIO},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 10*time.Second)
				r.loseCreate(c.arrived, c.kept, func() {
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

// loseCreate has the first CREATE of f lose its connection before the answer, or before it arrives. The next one has to be its replay. A server
// that has kept the open of the first answers with it.
func (r *rig) loseCreate(arrived, kept bool, meanwhile func()) {
	var first wire.CreateRequest
	var lost, replayed atomic.Bool
	done := make(chan struct{})
	r.work.restoreWith(func(context.Context, *smbclient.TreeConnect) {
		<-done
		meanwhile()
	})
	r.server.Hook(wire.CommandCreate, func(q *smbtest.Request) {
		var in wire.CreateRequest
		switch err := in.Decode(q.Body); {
		case err != nil || in.Name != "f" || replayed.Load():
			q.Serve()
		case !lost.Swap(true):
			first = in
			session := r.work.Status().Tree.Session()
			go session.Close()
			<-session.Connection().Done()
			if arrived {
				q.Serve()
			}
			close(done)
		default:
			replayed.Store(true)
			if q.Header.Flags&wire.FlagReplayOperation == 0 || !reflect.DeepEqual(in, first) {
				r.t.Errorf("the second attempt is no replay: flags %#x, %+v after %+v", q.Header.Flags, in, first)
			}
			if kept {
				const disposition, action = 36, 4 // in the request, in the response (MS-SMB2 2.2.13, 2.2.14)
				binary.LittleEndian.PutUint32(q.Body[disposition:], uint32(wire.DispositionOpen))
				q.Alter(func(body []byte) { binary.LittleEndian.PutUint32(body[action:], uint32(wire.ActionCreated)) })
			}
			q.Serve()
		}
	})
}
