package smbclient

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"smbfs/smbclient/auth"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// scripted starts a scripted server, and checks at the end of the test that nobody broke the protocol.
func scripted(t testing.TB, o smbtest.Options) *smbtest.Server {
	server := smbtest.NewServer(o)
	t.Cleanup(func() {
		server.Close()
		for _, v := range server.Violations() {
			t.Errorf("violation: %s", v)
		}
	})
	return server
}

func scriptedConfig(server *smbtest.Server) Config {
	return Config{Address: "server:445", Dial: server.Dial, Credentials: server.Credentials()}
}

// scriptedTree connects to a scripted server.
func scriptedTree(t testing.TB, server *smbtest.Server, cfg Config) *TreeConnect {
	t.Helper()
	session, err := Connect(testContext(t), cfg)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(session.Close)
	tree, err := session.TreeConnect(testContext(t), smbtest.Share)
	if err != nil {
		t.Fatalf("tree connect: %v", err)
	}
	return tree
}

// sameCredits waits until both sides count the same: every credit was booked, and none twice.
func sameCredits(t testing.TB, server *smbtest.Server, c *Connection) {
	t.Helper()
	conns := server.Conns()
	eventually(t, func() bool {
		available, inFlight := c.credit.owned()
		return inFlight == 0 && available == conns[len(conns)-1].Credits()
	})
}

func TestScriptedModes(t *testing.T) {
	for _, m := range allModes() {
		t.Run(m.String(), func(t *testing.T) {
			server := scripted(t, smbtest.Options{})
			tree := scriptedTree(t, server, m.apply(scriptedConfig(server)))
			scriptedRoundTrip(t, server, tree)
			sameCredits(t, server, tree.session.conn)
		})
	}
	for _, signing := range offeredSigning {
		t.Run(signing.String(), func(t *testing.T) {
			server := scripted(t, smbtest.Options{Signing: signing, SecurityMode: wire.SigningRequired})
			scriptedRoundTrip(t, server, scriptedTree(t, server, scriptedConfig(server)))
		})
	}
	for _, cipher := range offeredCiphers {
		t.Run(cipher.String(), func(t *testing.T) {
			server := scripted(t, smbtest.Options{Cipher: cipher, SessionFlags: wire.SessionEncryptData})
			scriptedRoundTrip(t, server, scriptedTree(t, server, scriptedConfig(server)))
		})
	}
	t.Run("without large MTU", func(t *testing.T) {
		server := scripted(t, smbtest.Options{NoLargeMTU: true})
		scriptedRoundTrip(t, server, scriptedTree(t, server, scriptedConfig(server)))
	})
	t.Run("one credit at a time", func(t *testing.T) {
		server := scripted(t, smbtest.Options{Grant: func(h *wire.Header) uint16 { return min(h.Credits, max(h.CreditCharge, 1)) }})
		tree := scriptedTree(t, server, scriptedConfig(server))
		o := mustCreate(t, tree, "f", createFile)
		writeRead(t, o, 1<<20)
	})
}

func writeRead(t *testing.T, o *Open, size int) {
	t.Helper()
	ctx := testContext(t)
	data, back := make([]byte, size), make([]byte, size+1)
	_, _ = rand.Read(data)
	if n, err := o.WriteAt(ctx, data, 10); n != size || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
	if n, err := o.ReadAt(ctx, back, 10); n != size || err != io.EOF || !bytes.Equal(back[:size], data) {
		t.Fatalf("read: %d, %v", n, err)
	}
}

func scriptedRoundTrip(t *testing.T, server *smbtest.Server, tree *TreeConnect) {
	ctx := testContext(t)
	server.Tree.Mkdir("dir")
	writeRead(t, mustCreate(t, tree, `dir\file`, createFile), 2<<20+3)
	st, err := tree.Stat(ctx, `dir\file`, false)
	if err != nil || st.EndOfFile != 2<<20+13 {
		t.Fatalf("stat: %+v, %v", st, err)
	}
	for i := range 2000 {
		server.Tree.WriteFile(fmt.Sprintf(`dir\%04d`, i), nil)
	}
	dir := mustCreate(t, tree, "dir", openDir)
	entries, err := dir.ReadDir(ctx, "")
	if err != nil || len(entries) != 2001 {
		t.Fatalf("list: %d, %v", len(entries), err)
	}
	scriptedTogether(t, server, tree)
	found, err := dir.Lookup(ctx, []string{"0001", "absent", "0002"}, nil)
	if err != nil || found[0].Entry == nil || found[1].Entry != nil || found[1].Err != nil || found[2].Entry == nil {
		t.Fatalf("lookup: %+v, %v", found, err)
	}
	if err := tree.Rename(ctx, `dir\0001`, `dir\renamed`, false); err != nil {
		t.Fatal(err)
	}
	if err := tree.Remove(ctx, `dir\renamed`, false); err != nil {
		t.Fatal(err)
	}
	n, err := dir.StartChangeNotify(ctx, NotifyParams{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	<-n.Pending()
	server.Tree.WriteFile(`dir\new`, nil)
	if events, err := n.Wait(ctx); err != nil || events[0] != (wire.NotifyEvent{Action: wire.ActionAdded, Name: "new"}) {
		t.Fatalf("notify: %v, %v", events, err)
	}
}

// scriptedTogether opens directories in one message with what they are opened for.
func scriptedTogether(t *testing.T, server *smbtest.Server, tree *TreeConnect) {
	t.Helper()
	ctx := testContext(t)
	o, entries, err := tree.CreateAndList(ctx, "dir", openDir, "")
	if err != nil || len(entries) != 2001 {
		t.Fatalf("list: %d, %v", len(entries), err)
	}
	if _, err := o.Close(ctx); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 1)
	done := func(n *NotifyRequest) {
		_, err := n.Result()
		told <- err
	}
	if _, _, err := tree.CreateAndList(ctx, "absent", openDir, ""); !HasStatus(err, wire.StatusObjectNameNotFound) {
		t.Fatalf("list of nothing: %v", err)
	}
	if _, _, err := tree.CreateAndNotify(ctx, "absent", openDir, NotifyParams{}, done); !HasStatus(err, wire.StatusObjectNameNotFound) {
		t.Fatalf("notify of nothing: %v", err)
	}
	o, n, err := tree.CreateAndNotify(ctx, "dir", openDir, NotifyParams{}, done)
	if err != nil {
		t.Fatal(err)
	}
	<-n.Pending()
	server.Tree.WriteFile(`dir\together`, nil)
	server.Tree.Remove(`dir\together`)
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	if _, err := o.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestGuest(t *testing.T) {
	server := scripted(t, smbtest.Options{SessionFlags: wire.SessionIsGuest})
	if s, err := Connect(testContext(t), scriptedConfig(server)); !errors.Is(err, ErrGuest) {
		t.Fatalf("%v, %v", s, err)
	}
	cfg := scriptedConfig(server)
	cfg.Credentials.Guest = true
	tree := scriptedTree(t, server, cfg)
	if !tree.session.Guest() || tree.session.signer != nil {
		t.Fatal("not a guest")
	}
	writeRead(t, mustCreate(t, tree, "f", createFile), 1000)
	cfg.Sign = true
	if _, err := Connect(testContext(t), cfg); !errors.Is(err, ErrGuest) {
		t.Fatalf("a guest cannot sign: %v", err)
	}
	cfg = scriptedConfig(server)
	cfg.Credentials = auth.Credentials{Anonymous: true}
	if !scriptedTree(t, server, cfg).session.Guest() {
		t.Fatal("not anonymous")
	}
}

// TestDowngrade is a negotiation that was tampered with: the server remembers another one.
func TestDowngrade(t *testing.T) {
	server := scripted(t, smbtest.Options{Dialect: wire.Dialect302})
	server.Hook(wire.CommandIoctl, func(r *smbtest.Request) {
		info := wire.ValidateNegotiateInfoResponse{Dialect: wire.Dialect302, SecurityMode: wire.SigningRequired}
		r.Reply(wire.StatusSuccess, &wire.IoctlResponse{CtlCode: wire.FsctlValidateNegotiateInfo, Output: info.Append(nil)})
	})
	session, err := Connect(testContext(t), scriptedConfig(server))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if _, err := session.TreeConnect(testContext(t), smbtest.Share); !errors.Is(err, ErrDowngrade) || !errors.Is(err, net.ErrClosed) {
		t.Fatalf("got %v", err)
	}
	server.Hook(wire.CommandIoctl, func(r *smbtest.Request) { r.Reply(wire.StatusNotSupported, nil) })
	tree := scriptedTree(t, server, scriptedConfig(server))
	if _, err := tree.StatFS(testContext(t)); err != nil {
		t.Fatalf("an older server: %v", err)
	}
}

// TestReordered answers requests in the opposite order.
func TestReordered(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	o := mustCreate(t, tree, "f", createFile)
	data := make([]byte, 8<<20)
	_, _ = rand.Read(data)
	if _, err := o.WriteAt(testContext(t), data, 0); err != nil {
		t.Fatal(err)
	}
	var held []*smbtest.Request
	server.Hook(wire.CommandRead, func(r *smbtest.Request) {
		if held = append(held, r); len(held) < 8 {
			return
		}
		for len(held) > 0 {
			held[len(held)-1].Serve()
			held = held[:len(held)-1]
		}
	})
	back := make([]byte, len(data))
	if _, err := o.ReadAt(testContext(t), back, 0); err != nil || !bytes.Equal(back, data) {
		t.Fatalf("read: %v", err)
	}
	sameCredits(t, server, tree.session.conn)
}

// TestInterim answers everything with an interim response first. The credits come with that one.
func TestInterim(t *testing.T) {
	server := scripted(t, smbtest.Options{SecurityMode: wire.SigningRequired})
	tree := scriptedTree(t, server, scriptedConfig(server))
	for _, command := range []wire.Command{wire.CommandCreate, wire.CommandRead, wire.CommandWrite, wire.CommandEcho} {
		server.Hook(command, func(r *smbtest.Request) { r.Interim(); r.Serve() })
	}
	writeRead(t, mustCreate(t, tree, "f", createFile), 3<<20)
	if err := tree.session.conn.Echo(testContext(t)); err != nil {
		t.Fatal(err)
	}
	sameCredits(t, server, tree.session.conn)
}

// TestPartFails lets one part of a large transfer fail: the count is that of what came before it.
func TestPartFails(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	o := mustCreate(t, tree, "f", createFile)
	data := make([]byte, 5<<20)
	server.Hook(wire.CommandWrite, func(r *smbtest.Request) {
		var in wire.WriteRequest
		switch _ = in.Decode(r.Body); in.Offset {
		case 2 << 20:
			r.Reply(wire.StatusDiskFull, nil)
		default:
			r.Serve()
		}
	})
	if n, err := o.WriteAt(testContext(t), data, 0); n != 2<<20 || !HasStatus(err, wire.StatusDiskFull) {
		t.Fatalf("%d, %v", n, err)
	}
	server.Hook(wire.CommandWrite, func(r *smbtest.Request) { r.Reply(wire.StatusSuccess, &wire.WriteResponse{Count: 100}) })
	if n, err := o.WriteAt(testContext(t), data[:1000], 0); n != 100 || !errors.Is(err, io.ErrShortWrite) {
		t.Fatalf("%d, %v", n, err)
	}
	server.Hook(wire.CommandRead, func(r *smbtest.Request) {
		var in wire.ReadRequest
		if _ = in.Decode(r.Body); in.Offset == 1<<20 {
			r.Reply(wire.StatusFileLockConflict, nil)
			return
		}
		r.Serve()
	})
	if n, err := o.ReadAt(testContext(t), data, 0); n != 1<<20 || !HasStatus(err, wire.StatusFileLockConflict) {
		t.Fatalf("%d, %v", n, err)
	}
	sameCredits(t, server, tree.session.conn)
}

// TestParallel has many callers at once, on few credits.
func TestParallel(t *testing.T) {
	server := scripted(t, smbtest.Options{Grant: func(h *wire.Header) uint16 { return min(max(h.Credits, 1), max(h.CreditCharge, 1)) }})
	grow := 0
	server.Hook(wire.CommandTreeConnect, func(r *smbtest.Request) {
		resp := r.Response(wire.StatusSuccess, &wire.TreeConnectResponse{ShareType: wire.ShareTypeDisk})
		resp.Header.TreeID, resp.Header.Credits = 1, 40
		grow++
		resp.Send()
	})
	tree := scriptedTree(t, server, scriptedConfig(server))
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			name := fmt.Sprint("f", i)
			o, err := tree.Create(testContext(t), name, createFile)
			if err != nil {
				t.Error(err)
				return
			}
			data := bytes.Repeat([]byte{byte(i)}, 2<<20)
			back := make([]byte, len(data))
			for range 3 {
				if _, err := o.WriteAt(context.Background(), data, 0); err != nil {
					t.Error(err)
				}
				if _, err := o.ReadAt(context.Background(), back, 0); err != nil || !bytes.Equal(back, data) {
					t.Error("read", err)
				}
				if _, err := tree.Stat(context.Background(), name, false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	sameCredits(t, server, tree.session.conn)
}
