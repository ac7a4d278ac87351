package smbclient

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"sync/atomic"
	"testing"

	"smbfs/smbclient/wire"
)

// TestReauthenticate authenticates the user again on a live session: what is open stays open.
func TestReauthenticate(t *testing.T) {
	server := startSmbd(t, "", "")
	for _, m := range allModes() {
		t.Run(m.String(), func(t *testing.T) {
			tree := server.tree(m.apply(server.config()))
			o := mustCreate(t, tree, "f", createFile)
			for range 2 {
				if err := tree.session.Reauthenticate(testContext(t), tree.session.Authentications()); err != nil {
					t.Fatal(err)
				}
				writeRead(t, o, 1000)
			}
			if _, err := o.Close(testContext(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDurable takes an open up on another connection after the first was broken off: in each dialect's way, without and with a session
// that the server believes to be alive.
func TestDurable(t *testing.T) {
	server := startSmbd(t, "", "kernel oplocks = no\n kernel share modes = no\n posix locking = no")
	guids := byte(0)
	for _, m := range allModes() {
		for _, noticed := range []bool{true, false} {
			t.Run(m.String()+map[bool]string{true: "", false: ", unnoticed"}[noticed], func(t *testing.T) {
				cfg := m.apply(server.config())
				guids++
				cfg.ClientGUID = wire.GUID{1, guids}
				var conn atomic.Pointer[silent]
				cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					c, err := new(net.Dialer).DialContext(ctx, network, address)
					s := &silent{Conn: c}
					conn.Store(s)
					return s, err
				}
				tree := server.tree(cfg)
				former := durableOpen(t, tree, m)
				writeAt(t, former, "first", 0)
				first := conn.Load()
				first.quiet.Store(!noticed) // the server never hears of the end
				tree.session.Close()
				t.Cleanup(func() { first.Conn.Close() })

				cfg.PreviousSession = tree.session.ID()
				again := server.tree(cfg)
				o, err := again.Reconnect(testContext(t), former, "durable")
				if err != nil {
					t.Fatal(err)
				}
				writeAt(t, o, " second", 5)
				buf := make([]byte, 12)
				if _, err := o.ReadAt(testContext(t), buf, 0); err != nil || !bytes.Equal(buf, []byte("first second")) {
					t.Errorf("%q, %v", buf, err)
				}
				if _, err := again.Reconnect(testContext(t), former, "durable"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("taken up twice: %v", err)
				}
				if _, err := o.Close(testContext(t)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// silent is a connection whose end can be kept from the other side.
type silent struct {
	net.Conn
	quiet, ended atomic.Bool
}

func (s *silent) Close() error {
	if !s.quiet.Load() {
		return s.Conn.Close()
	}
	s.ended.Store(true)
	return s.Conn.SetReadDeadline(past)
}

func (s *silent) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if s.ended.Load() {
		return 0, net.ErrClosed
	}
	return n, err
}

func durableOpen(t *testing.T, tree *TreeConnect, m mode) *Open {
	t.Helper()
	p := createFile
	p.Durable = wire.GUID{2, byte(m.dialect), byte(m.dialect >> 8)}
	p.Lease = Lease{Key: wire.LeaseKey{3, byte(m.dialect)}, State: wire.LeaseRead | wire.LeaseHandle}
	o := mustCreate(t, tree, "durable", p)
	want := DurableV2
	if m.dialect < wire.Dialect300 {
		want = DurableV1
	}
	if o.Durability != want || o.Lease().State&wire.LeaseHandle == 0 {
		t.Fatalf("durability %d with %+v", o.Durability, o.Lease())
	}
	return o
}

func writeAt(t *testing.T, o *Open, text string, off int64) {
	t.Helper()
	if _, err := o.WriteAt(testContext(t), []byte(text), off); err != nil {
		t.Fatal(err)
	}
}
