package smbclient

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// A CREATE brings the beginning of the file along, in one message, in each mode.
func TestCreateAndRead(t *testing.T) {
	s := startSmbd(t, "", "")
	for _, m := range allModes() {
		t.Run(m.String(), func(t *testing.T) {
			tree, ctx := s.tree(m.apply(s.config())), testContext(t)
			name := "f" + m.String()
			o := mustCreate(t, tree, name, createFile)
			if _, err := o.WriteAt(ctx, []byte("content"), 0); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				room int
				want string
			}{{3, "con"}, {7, "content"}, {100, "content"}} {
				b := make([]byte, c.room)
				before := tree.session.conn.Traffic().Messages
				o, n, err := tree.CreateAndRead(ctx, name, leased(0), b)
				if err != nil || n != len(c.want) || string(b[:n]) != c.want {
					t.Fatalf("%d bytes, %v, %q; want %q", n, err, b[:max(n, 0)], c.want)
				}
				if sent := tree.session.conn.Traffic().Messages - before; sent != 1 {
					t.Errorf("it took %d messages", sent)
				}
				if n, err := o.ReadAt(ctx, b[:1], 6); n != 1 || err != nil && err != io.EOF || b[0] != 't' {
					t.Errorf("a further read: %d, %v", n, err)
				}
				if _, err := o.Close(ctx); err != nil {
					t.Error(err)
				}
			}
			if _, _, err := tree.CreateAndRead(ctx, "none", openExisting(wire.FileReadData), make([]byte, 1)); !HasStatus(err, wire.StatusObjectNameNotFound) {
				t.Errorf("a file that is not there: %v", err)
			}
		})
	}
}

// A READ that fails leaves the file open; one that nobody waits for any more leaves nothing open.
func TestCreateAndReadFails(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	server.Tree.WriteFile("f", []byte("content"))
	tree, ctx := scriptedTree(t, server, scriptedConfig(server)), testContext(t)
	server.Hook(wire.CommandRead, func(r *smbtest.Request) { r.Reply(wire.StatusFileLockConflict, nil) })
	o, n, err := tree.CreateAndRead(ctx, "f", openExisting(wire.FileReadData), make([]byte, 7))
	if err != nil || n != -1 {
		t.Fatalf("%d, %v", n, err)
	}
	if _, err := o.Close(ctx); err != nil || server.Tree.Opens() != 0 {
		t.Errorf("%d left open (%v)", server.Tree.Opens(), err)
	}
	asked := make(chan *smbtest.Request, 1)
	server.Hook(wire.CommandRead, func(r *smbtest.Request) { asked <- r })
	short, stop := context.WithCancel(ctx)
	failed := make(chan error, 1)
	go func() {
		_, _, err := tree.CreateAndRead(short, "f", openExisting(wire.FileReadData), make([]byte, 7))
		failed <- err
	}()
	r := <-asked
	stop()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("after the end of its context: %v", err)
	}
	r.Reply(wire.StatusCancelled, nil)
	for end := time.Now().Add(10 * time.Second); server.Tree.Opens() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d left open", server.Tree.Opens())
		}
	}
}
