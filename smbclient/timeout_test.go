package smbclient

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestTimeouts runs in virtual time.
func TestTimeouts(t *testing.T) {
	drop := func(*smbtest.Request) {}
	for _, c := range []struct {
		name    string
		command wire.Command
		hook    smbtest.Hook
		after   time.Duration // 0: lives
	}{
		// The ECHO after 10 s is answered, which shows that the server has seen the request: 30 s from there.
		{"one request is lost", wire.CommandFlush, drop, 40 * time.Second},
		{"everything is lost", wire.CommandEcho, drop, 40 * time.Second},
		{"an answer is late", wire.CommandFlush, func(r *smbtest.Request) {
			go func() { time.Sleep(25 * time.Second); r.Serve() }()
		}, 0},
		{"an interim response", wire.CommandFlush, func(r *smbtest.Request) {
			r.Interim()
			go func() { time.Sleep(900 * time.Second); r.Final(wire.StatusSuccess, &wire.FlushResponse{}) }()
		}, 0},
		{"an interim response and no more", wire.CommandFlush, func(r *smbtest.Request) { r.Interim() }, extendedTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := smbtest.NewServer(smbtest.Options{})
				defer server.Close()
				session, err := Connect(context.Background(), scriptedConfig(server))
				if err != nil {
					t.Fatal(err)
				}
				defer session.Close()
				tree, err := session.TreeConnect(context.Background(), smbtest.Share)
				if err != nil {
					t.Fatal(err)
				}
				o, err := tree.Create(context.Background(), "f", createFile)
				if err != nil {
					t.Fatal(err)
				}
				server.Hook(c.command, c.hook)
				start := time.Now()
				if c.command == wire.CommandEcho {
					<-session.conn.Done()
					err = session.conn.Err()
				} else {
					err = o.Flush(context.Background())
				}
				took := time.Since(start)
				if c.after == 0 {
					if err != nil {
						t.Fatalf("after %v: %v", took, err)
					}
					return
				}
				// A tick of the timer late at most, twice.
				if !errors.Is(err, ErrTimeout) || !errors.Is(err, net.ErrClosed) || took < c.after || took > c.after+3*time.Second {
					t.Fatalf("after %v, not %v: %v", took, c.after, err)
				}
			})
		})
	}
}

// TestNotifyHasNoTimeout leaves a CHANGE_NOTIFY pending for a day, in virtual time; the ECHOs keep the connection alive.
func TestNotifyHasNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := smbtest.NewServer(smbtest.Options{})
		defer server.Close()
		session, err := Connect(context.Background(), scriptedConfig(server))
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		tree, err := session.TreeConnect(context.Background(), smbtest.Share)
		if err != nil {
			t.Fatal(err)
		}
		dir, err := tree.Create(context.Background(), "", openDir)
		if err != nil {
			t.Fatal(err)
		}
		n, err := dir.StartChangeNotify(context.Background(), NotifyParams{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		if silent := time.Since(session.conn.LastReceived()); silent > 2*DefaultEchoInterval {
			t.Fatalf("silent for %v", silent)
		}
		server.Tree.WriteFile("f", nil)
		if events, err := n.Wait(context.Background()); err != nil || len(events) != 1 {
			t.Fatalf("%v, %v", events, err)
		}
	})
}

// virtual connects in a bubble of virtual time.
func virtual(t *testing.T, test func(*smbtest.Server, *TreeConnect)) {
	synctest.Test(t, func(t *testing.T) {
		server := smbtest.NewServer(smbtest.Options{})
		defer server.Close()
		session, err := Connect(context.Background(), scriptedConfig(server))
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		tree, err := session.TreeConnect(context.Background(), smbtest.Share)
		if err != nil {
			t.Fatal(err)
		}
		test(server, tree)
	})
}

// TestSlowTransport reads over a line on which each MiB takes almost as long as a request may wait.
func TestSlowTransport(t *testing.T) {
	virtual(t, func(server *smbtest.Server, tree *TreeConnect) {
		const size = 6 << 20
		server.Tree.WriteFile("f", make([]byte, size))
		o, err := tree.Create(context.Background(), "f", createFile)
		if err != nil {
			t.Fatal(err)
		}
		server.Hook(wire.CommandRead, func(r *smbtest.Request) {
			resp := r.Response(wire.StatusSuccess, &wire.ReadResponse{Data: make([]byte, 1<<20)})
			resp.Transmit = func(c *smbtest.Conn, message []byte) {
				c.WriteRaw(message[:1<<19])
				time.Sleep(28 * time.Second)
				c.WriteRaw(message[1<<19:])
			}
			resp.Send()
		})
		if n, err := o.ReadAt(context.Background(), make([]byte, size), 0); n != size || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	})
}

// TestDribble is a server that begins an answer and goes on with a byte every few seconds, for good.
func TestDribble(t *testing.T) {
	virtual(t, func(server *smbtest.Server, tree *TreeConnect) {
		o, err := tree.Create(context.Background(), "f", createFile)
		if err != nil {
			t.Fatal(err)
		}
		server.Hook(wire.CommandFlush, func(r *smbtest.Request) {
			resp := r.Response(wire.StatusSuccess, &wire.FlushResponse{})
			resp.Transmit = func(c *smbtest.Conn, message []byte) {
				for i := range message {
					c.WriteRaw(message[i : i+1])
					time.Sleep(5 * time.Second)
				}
			}
			resp.Send()
		})
		start := time.Now()
		if err := o.Flush(context.Background()); !errors.Is(err, ErrTimeout) || time.Since(start) > 2*DefaultRequestTimeout {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestStarved is a server that takes everything on and grants nothing any more.
func TestStarved(t *testing.T) {
	virtual(t, func(server *smbtest.Server, tree *TreeConnect) {
		server.Hook(wire.CommandChangeNotify, func(r *smbtest.Request) {
			resp := r.Response(wire.StatusPending, nil)
			resp.Header.Flags |= wire.FlagAsync
			resp.Header.AsyncID, resp.Header.Credits = r.Header.MessageID, 0
			resp.Send()
		})
		dir, err := tree.Create(context.Background(), "", openDir)
		if err != nil {
			t.Fatal(err)
		}
		for range creditTarget + 1 {
			if _, err = dir.StartChangeNotify(context.Background(), NotifyParams{}, nil); err != nil {
				break
			}
		}
		if !errors.Is(err, ErrCredits) || !errors.Is(err, net.ErrClosed) {
			t.Fatalf("got %v", err)
		}
	})
}
