package share

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// rig is a share on a scripted server, whose connections come back. It lives in a synctest bubble.
type rig struct {
	*Share
	t      *testing.T
	server *smbtest.Server
	refuse atomic.Bool // new connections
	dials  atomic.Int64
}

func newRig(t *testing.T, wait time.Duration) *rig {
	r := &rig{t: t, server: smbtest.NewServer(smbtest.Options{})}
	lines := make([]*Line, 2)
	for i, o := range []LineOptions{{Name: "work", Wait: wait}, {Name: "watch"}} {
		var err error
		if lines[i], err = r.line(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	r.Share = New(lines[0], lines[1], "")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r.Close()
		r.work.Close(ctx)
		r.watches.first.Close(ctx)
		r.server.Close()
	})
	return r
}

// line makes a connection that comes back.
func (r *rig) line(ctx context.Context, o LineOptions) (*Line, error) {
	o.Logger = slog.New(slog.DiscardHandler)
	o.Dial = func(ctx context.Context, previous uint64) (*smbclient.TreeConnect, error) {
		r.dials.Add(1)
		if r.refuse.Load() {
			return nil, syscall.ECONNREFUSED
		}
		s, err := smbclient.Connect(ctx, smbclient.Config{
			Address: "server:445", Dial: r.server.Dial, Credentials: r.server.Credentials(), PreviousSession: previous,
		})
		if err != nil {
			return nil, err
		}
		return s.TreeConnect(ctx, smbtest.Share)
	}
	tree, err := o.Dial(ctx, 0)
	if err != nil {
		return nil, err
	}
	return NewLine(tree, o), nil
}

// cut ends all connections.
func (r *rig) cut() {
	for _, l := range []*Line{r.work, r.watches.first} {
		l.Status().Tree.Session().Close()
	}
	synctest.Wait()
}

// answer has the next requests of a command answered so, one after the other, and the rest served.
func (r *rig) answer(command wire.Command, statuses ...wire.Status) {
	var n atomic.Int64
	r.server.Hook(command, func(q *smbtest.Request) {
		if i := int(n.Add(1)) - 1; i < len(statuses) {
			q.Reply(statuses[i], nil)
			return
		}
		q.Serve()
	})
}

// loseAnswer has the next compound carried out to its end, and its connection lost before the answer. What others do meanwhile comes before
// the connection is back.
func (r *rig) loseAnswer(meanwhile func()) {
	var lost, refused atomic.Bool
	done := make(chan struct{})
	r.server.Hook(wire.CommandSetInfo, func(q *smbtest.Request) {
		var in wire.SetInfoRequest
		refused.Store(in.Decode(q.Body) == nil && in.Class == wire.ClassFileDispositionEx) // the server has only the plain kind
		q.Serve()
	})
	r.work.restoreWith(func(context.Context, *smbclient.TreeConnect) {
		<-done
		meanwhile()
	})
	r.server.Hook(wire.CommandClose, func(q *smbtest.Request) {
		if refused.Load() || lost.Swap(true) {
			q.Serve()
			return
		}
		session := r.work.Status().Tree.Session()
		go session.Close()
		<-session.Connection().Done()
		q.Serve()
		close(done)
	})
}

// id is the file id at a path.
func (r *rig) id(path string) uint64 {
	e, err := r.StatPath(r.t.Context(), path)
	if err != nil {
		r.t.Fatal(err)
	}
	return e.FileID
}

func TestSessionExpiryIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Second)
		r.server.Tree.Mkdir("d")
		r.answer(wire.CommandFlush, wire.StatusNetworkSessionExpired)
		f, _, err := r.Open(t.Context(), "f", Opening{Read: true, Write: true, Create: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Errorf("flush in a session that had expired: %v", err)
		}
		if n := r.dials.Load(); n != 2 {
			t.Errorf("%d connections were made, want the first two", n)
		}
	})
}

func TestTreeLossConnectsTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Second)
		f, _, err := r.Open(t.Context(), "f", Opening{Read: true, Write: true, Create: true})
		if err != nil {
			t.Fatal(err)
		}
		r.answer(wire.CommandFlush, wire.StatusNetworkNameDeleted)
		if err := f.Flush(t.Context()); err != nil {
			t.Errorf("flush on a tree that was lost: %v", err)
		}
		if n := r.dials.Load(); n != 2 {
			t.Errorf("%d connections were made: the session was alive", n)
		}
		if st := r.FileStats(); st.Reopened != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestFlushFindsTheLoss: a FLUSH that is the first request to find the tree lost fails only if the server does not have what was written, and once.
func TestFlushFindsTheLoss(t *testing.T) {
	for name, has := range map[string]string{"the server has it": "written", "the server lost it": "writ"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, time.Second)
				f, _, err := r.Open(t.Context(), "f", Opening{Read: true, Write: true, Create: true})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := f.WriteAt(t.Context(), []byte("written"), 0); err != nil {
					t.Fatal(err)
				}
				r.work.restoreWith(func(ctx context.Context, tree *smbclient.TreeConnect) {
					r.server.Tree.WriteFile("f", []byte(has))
					r.restore(ctx, tree)
				})
				r.answer(wire.CommandFlush, wire.StatusNetworkNameDeleted)
				if err := f.Flush(t.Context()); errors.Is(err, ErrDoubt) != (has != "written") || err != nil && !errors.Is(err, ErrDoubt) {
					t.Errorf("flush: %v", err)
				}
				if err := f.Flush(t.Context()); err != nil {
					t.Errorf("the flush after it: %v", err)
				}
			})
		})
	}
}

// TestUnfriendlyServer: one that takes everybody in and then says to each request that the session has expired, that the share or the session is gone, or
// hangs up. A request waits no longer than for a server that is away, and the server is not beset.
func TestUnfriendlyServer(t *testing.T) {
	for name, hook := range map[string]smbtest.Hook{
		"session expired": func(q *smbtest.Request) { q.Reply(wire.StatusNetworkSessionExpired, nil) },
		"share gone":      func(q *smbtest.Request) { q.Reply(wire.StatusNetworkNameDeleted, nil) },
		"session gone":    func(q *smbtest.Request) { q.Reply(wire.StatusUserSessionDeleted, nil) },
		"hangs up":        func(q *smbtest.Request) { q.Conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const wait = 10 * time.Second
				r := newRig(t, wait)
				f, _, err := r.Open(t.Context(), "f", Opening{Read: true, Write: true, Create: true})
				if err != nil {
					t.Fatal(err)
				}
				var asked, setups atomic.Int64
				r.server.Hook(wire.CommandFlush, func(q *smbtest.Request) { asked.Add(1); hook(q) })
				r.server.Hook(wire.CommandSessionSetup, func(q *smbtest.Request) { setups.Add(1); q.Serve() })
				start := time.Now()
				err = f.Flush(t.Context())
				if took := time.Since(start); !IsDown(err) || took > wait+lastPause+lastPause/4 {
					t.Errorf("%v after %v, want a DownError after %v", err, took, wait)
				}
				if n, m := asked.Load(), setups.Load(); n > 20 || m > 80 {
					t.Errorf("the server was asked %d times, with %d messages of authentication", n, m)
				}
				r.server.Hook(wire.CommandFlush, nil)
				time.Sleep(2 * lastPause)
				if err := f.Flush(t.Context()); err != nil {
					t.Errorf("when the server has come to its senses: %v", err)
				}
			})
		})
	}
}

func TestWaitIsBounded(t *testing.T) {
	for _, wait := range []time.Duration{0, 10 * time.Second, Forever} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, wait)
			r.refuse.Store(true)
			r.cut()
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err := r.StatFS(ctx)
			took := time.Since(start)
			var down *DownError
			switch {
			case wait == Forever && (took != time.Hour || !errors.Is(err, context.DeadlineExceeded)):
				t.Errorf("%v after %v, want a wait until the caller gives up", err, took)
			case wait != Forever && (took != wait || !errors.As(err, &down) || !errors.Is(err, net.ErrClosed)):
				t.Errorf("%v after %v, want a DownError after %v", err, took, wait)
			}
			if n := r.dials.Load(); wait == Forever && n > 2*(20+3600/5) {
				t.Errorf("%d attempts in an hour", n)
			}
			r.refuse.Store(false)
			time.Sleep(2 * lastPause)
			if _, err := r.StatFS(ctx); wait != Forever && err != nil {
				t.Errorf("after it came back: %v", err)
			}
		})
	}
}

// TestShortLivedConnections: one that is lost time and again is made anew at once each time; one that is lost as soon as it is made is made ever
// more seldom.
func TestShortLivedConnections(t *testing.T) {
	for _, c := range []struct {
		lives       time.Duration
		least, most int64 // connections in a minute
	}{
		{300 * time.Millisecond, 150, 220},
		{10 * time.Millisecond, 10, 25},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 0)
			before := r.dials.Load()
			for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(c.lives) {
				for !r.work.isUp() {
					time.Sleep(time.Millisecond)
				}
				r.work.Status().Tree.Session().Close()
				synctest.Wait()
			}
			if n := r.dials.Load() - before; n < c.least || n > c.most {
				t.Errorf("connections that live %v: %d were made in a minute", c.lives, n)
			}
		})
	}
}

func TestRefusedUserIsNotInsistedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0)
		r.server.Hook(wire.CommandSessionSetup, func(q *smbtest.Request) { q.Reply(wire.StatusLogonFailure, nil) })
		r.cut()
		before := r.dials.Load()
		time.Sleep(time.Hour)
		if n := r.dials.Load() - before; n > 2*13 {
			t.Errorf("%d log-ons in an hour of refusals: the account may be locked", n)
		}
	})
}

// TestAnswerLost: what was done and whose answer was lost is not done twice, and what cannot be known fails with EIO.
func TestAnswerLost(t *testing.T) {
	type attempt func(r *rig, id uint64) error
	remove := func(r *rig, id uint64) error { return r.Remove(r.t.Context(), "f", false, id) }
	rename := func(r *rig, id uint64) error { return r.Rename(r.t.Context(), "f", "g", true, id) }
	for _, c := range []struct {
		name      string
		do        attempt
		meanwhile string // made by somebody else
		unknown   bool   // the id of f is
		left      string
		err       error
	}{
		{"remove", remove, "", false, "", nil},
		{"remove, name used again", remove, "f", false, "f", nil},
		{"remove of who knows what", remove, "f", true, "f", syscall.EIO},
		{"rename", rename, "", false, "g", nil},
		{"rename, name used again", rename, "f", false, "f g", nil},
		{"rename of who knows what", rename, "f", true, "f g", syscall.EIO},
		{"mkdir", func(r *rig, _ uint64) error { _, err := r.Make(r.t.Context(), "d", true, false); return err }, "", false, "d f", syscall.EIO},
		{"truncate", func(r *rig, _ uint64) error { _, err := r.Truncate(r.t.Context(), "f", 3); return err }, "", false, "f", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 10*time.Second)
				r.server.Tree.WriteFile("f", nil)
				id := r.id("f")
				if c.unknown {
					id = 0
				}
				r.loseAnswer(func() {
					if c.meanwhile != "" {
						r.server.Tree.WriteFile(c.meanwhile, nil)
					}
				})
				if err := c.do(r, id); !errors.Is(err, c.err) {
					t.Errorf("got %v, want %v", err, c.err)
				}
				if n := r.work.Status().Reconnects; n != 1 {
					t.Errorf("the connection came back %d times: its answer was not lost", n)
				}
				if got := r.names(); got != c.left {
					t.Errorf("the server has %q, want %q", got, c.left)
				}
			})
		})
	}
}

// names lists the root.
func (r *rig) names() string {
	list, err := r.List(r.t.Context(), "", 0)
	if err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, o := range list {
		names = append(names, o.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
