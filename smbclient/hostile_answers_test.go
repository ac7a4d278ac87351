package smbclient

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestStatuses has the statuses that callers branch on.
func TestStatuses(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	server.Tree.Mkdir("d")
	dir := mustCreate(t, tree, "d", openDir)
	for _, status := range []wire.Status{
		wire.StatusNotifyEnumDir, wire.StatusNotifyCleanup, wire.StatusDeletePending, wire.StatusInsufficientResources,
		wire.StatusNotSupported, wire.StatusNotImplemented, wire.StatusCancelled,
	} {
		n, err := dir.StartChangeNotify(testContext(t), NotifyParams{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		<-n.Pending()
		eventually(t, func() bool { return server.Tree.Notify("d", status) == 1 })
		_, err = n.Wait(testContext(t))
		var e *Error
		if !errors.As(err, &e) || e.Status != status || e.Name != "d" || errors.Is(err, ErrNotifyEnumDir) != (status == wire.StatusNotifyEnumDir) {
			t.Errorf("%v: %v", status, err)
		}
	}
	n, err := dir.StartChangeNotify(testContext(t), NotifyParams{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	<-n.Pending()
	eventually(t, func() bool { return server.Tree.Notify("d", wire.StatusSuccess) == 1 })
	if _, err := n.Wait(testContext(t)); !errors.Is(err, ErrNotifyEnumDir) {
		t.Fatalf("a success without entries: %v", err)
	}
}

// TestHostileListings are listings that are no listings.
func TestHostileListings(t *testing.T) {
	entries := func(names ...string) []byte {
		var list []wire.DirEntry
		for _, name := range names {
			list = append(list, wire.DirEntry{Name: name})
		}
		return wire.AppendDirEntries(nil, list)
	}
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	dir := mustCreate(t, tree, "", openDir)
	count := 0
	server.Hook(wire.CommandQueryDirectory, func(r *smbtest.Request) {
		if count++; count > 1 {
			r.Reply(wire.StatusNoMoreFiles, nil)
			return
		}
		r.Reply(wire.StatusSuccess, &wire.QueryDirectoryResponse{Output: entries(".", "..", "a/b", `c\d`, "e\x00f", "", "good", "...")})
	})
	list, err := dir.ReadDir(testContext(t), "")
	if err != nil || len(list) != 2 || list[0].Name != "good" || list[1].Name != "..." {
		t.Fatalf("%+v, %v", list, err)
	}

	var many []string
	for i := range 600 {
		many = append(many, fmt.Sprint("same", i))
	}
	endless := entries(many...)
	server.Hook(wire.CommandQueryDirectory, func(r *smbtest.Request) {
		r.Reply(wire.StatusSuccess, &wire.QueryDirectoryResponse{Output: endless})
	})
	tree.session.conn.maxList = 10_000
	if _, err := dir.ReadDir(testContext(t), ""); !errors.Is(err, ErrListingTooLong) {
		t.Fatalf("a listing without an end: %v", err)
	}

	server.Hook(wire.CommandQueryDirectory, func(r *smbtest.Request) {
		r.Reply(wire.StatusSuccess, &wire.QueryDirectoryResponse{Output: entries("other")})
	})
	if got, err := dir.Lookup(testContext(t), []string{"asked"}, nil); err != nil || got[0].Entry != nil || got[0].Err == nil {
		t.Fatalf("an entry of another name: %+v, %v", got, err)
	}

	server.Hook(wire.CommandQueryDirectory, func(r *smbtest.Request) {
		r.Reply(wire.StatusSuccess, &wire.QueryDirectoryResponse{})
	})
	if _, err := dir.ReadDir(testContext(t), ""); !errors.Is(err, ErrProtocol) {
		t.Fatalf("a listing of nothing: %v", err)
	}
}

// TestOplockBreak has an oplock granted that nobody asked for, and broken: it is given up.
func TestOplockBreak(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	id := wire.FileID{Persistent: 1, Volatile: 2}
	server.Hook(wire.CommandCreate, func(r *smbtest.Request) {
		r.Reply(wire.StatusSuccess, &wire.CreateResponse{OplockLevel: wire.OplockBatch, FileID: id})
	})
	server.Hook(wire.CommandClose, func(r *smbtest.Request) { r.Reply(wire.StatusSuccess, &wire.CloseResponse{}) })
	acknowledged := make(chan wire.OplockBreak, 1)
	server.Hook(wire.CommandOplockBreak, func(r *smbtest.Request) {
		var in wire.OplockBreakRequest
		_ = in.Decode(r.Body)
		acknowledged <- in.OplockBreak
		r.Reply(wire.StatusSuccess, &wire.OplockBreakResponse{OplockBreak: in.OplockBreak})
	})
	o := mustCreate(t, tree, "f", createFile)
	broken := &wire.OplockBreakNotification{OplockBreak: wire.OplockBreak{OplockLevel: wire.OplockII, FileID: id}}
	server.Conns()[0].Notify(wire.CommandOplockBreak, broken)
	if got := <-acknowledged; got != (wire.OplockBreak{OplockLevel: wire.OplockNone, FileID: id}) {
		t.Fatalf("%+v", got)
	}
	events := make(chan BreakEvent, 1)
	tree.session.conn.OnBreak(func(e BreakEvent) { events <- e })
	server.Conns()[0].Notify(wire.CommandOplockBreak, broken)
	if e := <-events; e.Open != o || e.Level != wire.OplockII {
		t.Fatalf("%+v", e)
	}
	if _, err := o.Close(testContext(t)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		c := tree.session.conn
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.oplocks) == 0
	})
}

// TestSessionLost has the server forget the session: the connection ends, and says why.
func TestSessionLost(t *testing.T) {
	const status = wire.StatusUserSessionDeleted
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	o := mustCreate(t, tree, "f", createFile)
	server.Hook(wire.CommandFlush, func(r *smbtest.Request) { r.Reply(status, nil) })
	if err := o.Flush(testContext(t)); !HasStatus(err, status) {
		t.Fatalf("got %v", err)
	}
	<-tree.session.conn.Done()
	if err := o.Flush(testContext(t)); !HasStatus(err, status) || !errors.Is(err, net.ErrClosed) {
		t.Fatalf("afterwards: %v", err)
	}
}

// TestSessionExpired has the server want the user authenticated again. The session goes on with its keys and its opens; of all who were
// refused one authenticates.
func TestSessionExpired(t *testing.T) {
	for _, m := range allModes() {
		t.Run(m.String(), func(t *testing.T) {
			server := scripted(t, smbtest.Options{})
			tree := scriptedTree(t, server, m.apply(scriptedConfig(server)))
			o := mustCreate(t, tree, "f", createFile)
			var expired atomic.Bool
			expired.Store(true)
			server.Hook(wire.CommandFlush, func(r *smbtest.Request) {
				if expired.Load() {
					r.Reply(wire.StatusNetworkSessionExpired, nil)
					return
				}
				r.Serve()
			})
			var setups atomic.Int64
			server.Hook(wire.CommandSessionSetup, func(r *smbtest.Request) {
				setups.Add(1)
				expired.Store(false)
				r.Serve()
			})
			seen := tree.session.Authentications()
			if err := o.Flush(testContext(t)); !HasStatus(err, wire.StatusNetworkSessionExpired) {
				t.Fatalf("got %v", err)
			}
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() {
					if err := tree.session.Reauthenticate(testContext(t), seen); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if err := o.Flush(testContext(t)); err != nil {
				t.Errorf("after the authentication: %v", err)
			}
			if n := setups.Load(); n != 2 {
				t.Errorf("%d SESSION_SETUPs, want the 2 of one authentication", n)
			}
			if n := len(server.Conns()); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// TestInvalidNames refuses names that would mean something else on the server.
func TestInvalidNames(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	for _, name := range []string{`\a`, "a/b", "a\x00b"} {
		_, statErr := tree.Stat(testContext(t), name, false)
		_, createErr := tree.Create(testContext(t), name, createFile)
		_, _, listErr := tree.CreateAndList(testContext(t), name, openDir, "")
		for _, err := range []error{
			statErr, createErr, listErr,
			tree.Rename(testContext(t), "a", name, false), tree.Rename(testContext(t), name, "a", false),
			tree.Link(testContext(t), "a", name, false), tree.Remove(testContext(t), name, false),
		} {
			if !errors.Is(err, ErrInvalidName) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}
