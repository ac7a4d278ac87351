package smbclient

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"testing"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestHostile has the server answer a STAT, or a READ, in ways that end the connection at once, with a typed error.
func TestHostile(t *testing.T) {
	mutate := func(f func(msg []byte) []byte) smbtest.Hook {
		return func(r *smbtest.Request) {
			resp := r.Response(wire.StatusSuccess, &wire.ReadResponse{Data: []byte("0123456789")})
			resp.Mutate = f
			resp.Send()
		}
	}
	raw := func(b []byte) smbtest.Hook {
		return func(r *smbtest.Request) { r.Conn.WriteRaw(b) }
	}
	header := func(f func(h *wire.Header)) smbtest.Hook {
		return func(r *smbtest.Request) {
			resp := r.Response(wire.StatusSuccess, &wire.ReadResponse{Data: []byte("0123456789")})
			f(&resp.Header)
			resp.Send()
		}
	}
	for _, c := range []struct {
		name string
		hook smbtest.Hook
		want error
	}{
		{"closed", func(r *smbtest.Request) { r.Conn.Close() }, net.ErrClosed},
		{"cut off", func(r *smbtest.Request) { r.Conn.WriteRaw([]byte{0, 0, 1, 0, 0xFE, 'S', 'M', 'B'}); r.Conn.Close() }, net.ErrClosed},
		{"no SMB2", raw(smbtest.Message([]byte("HTTP/1.1 200 OK, and so on"))), ErrProtocol},
		{"SMB1", raw(smbtest.Message(append([]byte{0xFF, 'S', 'M', 'B'}, make([]byte, 60)...))), ErrProtocol},
		{"compressed", raw(smbtest.Message(append([]byte{0xFC, 'S', 'M', 'B'}, make([]byte, 60)...))), ErrProtocol},
		{"empty", raw(smbtest.Message(nil)), ErrProtocol},
		{"oversized", raw([]byte{0, 0xFF, 0xFF, 0xFF}), ErrProtocol},
		{"not a session message", raw([]byte{0x81, 0, 0, 4, 1, 2, 3, 4}), ErrProtocol},
		{"short header", raw(smbtest.Message([]byte{0xFE, 'S', 'M', 'B', 64, 0, 0, 0})), ErrProtocol},
		{"a request", header(func(h *wire.Header) { h.Flags &^= wire.FlagServerToRedir }), ErrProtocol},
		{"other command", header(func(h *wire.Header) { h.Command = wire.CommandWrite }), ErrProtocol},
		{"NextCommand beyond", header(func(h *wire.Header) { h.NextCommand = 1 << 20 }), ErrProtocol},
		{"NextCommand too small", header(func(h *wire.Header) { h.NextCommand = 8 }), ErrProtocol},
		{"NextCommand unaligned", header(func(h *wire.Header) { h.NextCommand = 65 }), ErrProtocol},
		{"pending, not async", header(func(h *wire.Header) { h.Status = wire.StatusPending }), ErrProtocol},
		{"unsolicited", header(func(h *wire.Header) { h.MessageID = ^uint64(0) }), ErrProtocol},
		{"truncated body", mutate(func(msg []byte) []byte { return msg[:70] }), ErrProtocol},
		{"data beyond", mutate(func(msg []byte) []byte {
			binary.LittleEndian.PutUint32(msg[wire.HeaderSize+4:], 1<<30)
			return msg
		}), ErrProtocol},
		{"more data than asked for", func(r *smbtest.Request) {
			r.Reply(wire.StatusSuccess, &wire.ReadResponse{Data: make([]byte, 2000)})
		}, ErrProtocol},
		{"encrypted with no key", raw(smbtest.Message(append((&wire.TransformHeader{
			OriginalMessageSize: 64, Flags: 1, SessionID: 99}).Append(nil), make([]byte, 64)...))), ErrSignature},
		{"transform size", raw(smbtest.Message(append((&wire.TransformHeader{
			OriginalMessageSize: 1 << 31, Flags: 1, SessionID: 0x51}).Append(nil), make([]byte, 64)...))), ErrProtocol},
		{"encrypted badly", raw(smbtest.Message(append((&wire.TransformHeader{
			OriginalMessageSize: 64, Flags: 1, SessionID: 0x51}).Append(nil), make([]byte, 64)...))), ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := scripted(t, smbtest.Options{})
			tree := scriptedTree(t, server, scriptedConfig(server))
			checkFatal(t, server, tree, c.hook, c.want)
		})
	}
}

// checkFatal reads with the hook in place, and others wait meanwhile: all get the same error.
func checkFatal(t *testing.T, server *smbtest.Server, tree *TreeConnect, hook smbtest.Hook, want error) {
	t.Helper()
	ctx := testContext(t)
	o, err := tree.Create(ctx, "f", createFile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.WriteAt(ctx, make([]byte, 5000), 0); err != nil {
		t.Fatal(err)
	}
	dir, err := tree.Create(ctx, "", openDir)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 10)
	for range cap(ended) {
		d, err := tree.Create(ctx, "", openDir)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.StartChangeNotify(ctx, NotifyParams{}, func(n *NotifyRequest) {
			_, err := n.Result()
			ended <- err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	server.Hook(wire.CommandRead, hook)
	_, err = o.ReadAt(ctx, make([]byte, 1000), 0)
	if !errors.Is(err, want) || !errors.Is(err, net.ErrClosed) {
		t.Fatalf("got %v, want %v", err, want)
	}
	<-tree.session.conn.Done()
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("a waiting request: %v", err)
		}
	}
	if _, err := dir.Stat(ctx); !errors.Is(err, net.ErrClosed) {
		t.Errorf("afterwards: %v", err)
	}
	if n := len(tree.session.conn.pending); n != 0 {
		t.Errorf("%d requests are left", n)
	}
}

// TestNotAuthentic is about protection that is missing or wrong.
func TestNotAuthentic(t *testing.T) {
	unsigned := func(r *smbtest.Request) {
		resp := r.Response(wire.StatusSuccess, &wire.ReadResponse{Data: make([]byte, 1000)})
		resp.Sign, resp.Seal = false, false
		resp.Send()
	}
	changed := func(r *smbtest.Request) {
		resp := r.Response(wire.StatusSuccess, &wire.ReadResponse{Data: make([]byte, 1000)})
		resp.Mutate = func(msg []byte) []byte { msg[len(msg)-1] ^= 1; return msg }
		resp.Send()
	}
	errorStatus := func(r *smbtest.Request) {
		resp := r.Response(wire.StatusAccessDenied, nil)
		resp.Sign, resp.Seal = false, false
		resp.Send()
	}
	otherSession := func(r *smbtest.Request) {
		resp := r.Response(wire.StatusSuccess, &wire.ReadResponse{Data: make([]byte, 1000)})
		resp.Header.SessionID = 7
		resp.Send()
	}
	for _, c := range []struct {
		name string
		seal bool
		hook smbtest.Hook
	}{
		{"signed, not signed", false, unsigned},
		{"signed, changed", false, changed},
		{"signed, error not signed", false, errorStatus},
		{"signed, other session", false, otherSession},
		{"sealed, not sealed", true, unsigned},
		{"sealed, error not sealed", true, errorStatus},
		{"sealed, other session", true, otherSession},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := scripted(t, smbtest.Options{})
			cfg := scriptedConfig(server)
			cfg.Sign, cfg.Seal = !c.seal, c.seal
			checkFatal(t, server, scriptedTree(t, server, cfg), c.hook, ErrSignature)
		})
	}
}

// TestSessionSetupNotAuthentic changes the last response of the authentication, on which with 3.1.1 everything rests.
func TestSessionSetupNotAuthentic(t *testing.T) {
	for _, d := range allDialects {
		t.Run(d.String(), func(t *testing.T) {
			server := scripted(t, smbtest.Options{Dialect: d})
			server.Hook(wire.CommandSessionSetup, func(r *smbtest.Request) {
				r.Message = slices.Clone(r.Message)
				if r.Header.SessionID != 0 {
					r.Message[len(r.Message)-1] ^= 1 // the pre-authentication hashes differ from here on
				}
				r.Serve()
			})
			cfg := scriptedConfig(server)
			s, err := Connect(testContext(t), cfg)
			if err == nil {
				defer s.Close()
			}
			// Below 3.1.1 there is no such hash, and the exchange is good.
			if changed := errors.Is(err, ErrSignature); changed != (d == wire.Dialect311) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// TestHarmless is what a client has to survive.
func TestHarmless(t *testing.T) {
	for _, c := range []struct {
		name string
		hook smbtest.Hook
	}{
		{"unknown message id", func(r *smbtest.Request) {
			resp := r.Response(wire.StatusSuccess, &wire.ReadResponse{Data: make([]byte, 100)})
			resp.Header.MessageID, resp.Header.Credits = 1<<40, 0
			resp.Send()
			r.Serve()
		}},
		{"answered twice", func(r *smbtest.Request) {
			again := r.Response(wire.StatusAccessDenied, nil)
			again.Header.Credits = 0
			r.Serve()
			again.Send()
		}},
		{"two interim responses", func(r *smbtest.Request) { r.Interim(); r.Interim(); r.Serve() }},
		{"no credit in the interim response", func(r *smbtest.Request) {
			resp := r.Response(wire.StatusPending, nil)
			resp.Header.Flags |= wire.FlagAsync
			resp.Header.AsyncID, resp.Header.Credits = 5, 0
			resp.Send()
			r.Serve()
		}},
		{"absurd credits", func(r *smbtest.Request) {
			resp := r.Response(wire.StatusSuccess, &wire.ReadResponse{Data: make([]byte, 1000)})
			resp.Header.Credits = 65535
			resp.Send()
		}},
		{"break of an unknown oplock", func(r *smbtest.Request) {
			r.Conn.Notify(wire.CommandOplockBreak, &wire.OplockBreakNotification{})
			r.Conn.Notify(wire.CommandOplockBreak, &wire.LeaseBreakNotification{})
			r.Serve()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := scripted(t, smbtest.Options{})
			tree := scriptedTree(t, server, scriptedConfig(server))
			o := mustCreate(t, tree, "f", createFile)
			if _, err := o.WriteAt(testContext(t), make([]byte, 1000), 0); err != nil {
				t.Fatal(err)
			}
			server.Hook(wire.CommandRead, c.hook)
			for range 3 {
				if n, err := o.ReadAt(testContext(t), make([]byte, 1000), 0); n != 1000 || err != nil {
					t.Fatalf("%d, %v", n, err)
				}
			}
			if c.name != "absurd credits" {
				sameCredits(t, server, tree.session.conn)
			}
		})
	}
}

// TestNoCredits is a server that stops granting: nothing can ever be sent again.
func TestNoCredits(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	server.Hook(wire.CommandEcho, func(r *smbtest.Request) {
		resp := r.Response(wire.StatusSuccess, &wire.EchoResponse{})
		resp.Header.Credits = 0
		resp.Send()
	})
	c := tree.session.conn
	for range creditTarget + 1 {
		if err := c.Echo(testContext(t)); err != nil {
			if !errors.Is(err, ErrCredits) || !errors.Is(err, net.ErrClosed) {
				t.Fatalf("got %v", err)
			}
			return
		}
	}
	t.Fatal("credits do not end")
}
