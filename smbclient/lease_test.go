package smbclient

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

const leaseAll = wire.LeaseRead | wire.LeaseHandle | wire.LeaseWrite

// leased opens a file for reading and writing with a lease.
func leased(key byte) CreateParams {
	return CreateParams{
		Access:      wire.FileReadData | wire.FileWriteData | wire.FileReadAttributes | wire.Synchronize,
		Share:       wire.ShareAll,
		Disposition: wire.DispositionOpenIf,
		Options:     wire.OptionNonDirectoryFile,
		Lease:       Lease{Key: wire.LeaseKey{key}, State: leaseAll},
	}
}

func wantState(t *testing.T, o *Open, want wire.LeaseState) {
	t.Helper()
	if got := o.Lease().State; got != want {
		t.Errorf("the lease is %x, want %x", got, want)
	}
}

// breaks collects breaks and acknowledges them.
func breaks(t *testing.T, c *Connection) <-chan BreakEvent {
	events := make(chan BreakEvent, 16)
	c.OnBreak(func(e BreakEvent) {
		if err := e.Acknowledge(testContext(t)); err != nil {
			t.Errorf("acknowledge: %v", err)
		}
		events <- e
	})
	return events
}

// A lease is granted, shared by all opens with its key, carried by operations on the name, and broken by another client, who does not
// have to wait.
func TestLease(t *testing.T) {
	s := startSmbd(t, "", "")
	for _, version := range []struct {
		name    string
		dialect wire.Dialect
	}{{"2.1", wire.Dialect210}, {"3.1.1", wire.Dialect311}} {
		t.Run(version.name, func(t *testing.T) {
			cfg := s.config()
			cfg.MinDialect, cfg.MaxDialect = version.dialect, version.dialect
			tree, other, ctx := s.tree(cfg), s.tree(s.config()), testContext(t)
			events := breaks(t, tree.session.conn)
			name := "f" + version.name
			first := mustCreate(t, tree, name, leased(1))
			wantState(t, first, leaseAll)
			second := mustCreate(t, tree, name, leased(1))
			wantState(t, second, leaseAll)
			plain := leased(0)
			plain.Lease = Lease{}
			third := mustCreate(t, tree, name, plain) // carries what the name has
			for _, err := range []error{
				tree.SetFile(ctx, name, wire.FileWriteData, wire.ClassFileEndOfFile, (&wire.FileEndOfFileInformation{EndOfFile: 5}).Append(nil)),
				tree.Rename(ctx, name, name+"x", false),
				tree.Rename(ctx, name+"x", name, false),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			wantState(t, first, leaseAll)
			if _, err := other.Stat(ctx, name, false); err != nil {
				t.Fatal(err)
			}
			wantState(t, first, leaseAll)
			began := time.Now()
			foreign := mustCreate(t, other, name, plain)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("the other client waited %v", took)
			}
			if e := <-events; e.Lease == nil || e.Lease.LeaseKey != (wire.LeaseKey{1}) {
				t.Errorf("%+v", e)
			}
			wantState(t, first, wire.LeaseRead|wire.LeaseHandle)
			if _, err := foreign.WriteAt(ctx, []byte("x"), 0); err != nil {
				t.Fatal(err)
			}
			<-events
			wantState(t, first, wire.LeaseNone)
			for _, o := range []*Open{first, second, third, foreign} {
				if _, err := o.Close(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(tree.session.conn.leases.byKey); n != 0 {
				t.Errorf("%d leases are left", n)
			}
		})
	}
}

// The key of a file that was moved away on the server's own disk does not keep its old name from being used.
func TestLeaseOfAnotherFile(t *testing.T) {
	s := startSmbd(t, "", "")
	tree, ctx := s.tree(s.config()), testContext(t)
	old := mustCreate(t, tree, "f", leased(1))
	wantState(t, old, leaseAll)
	if err := os.Rename(filepath.Join(s.root, "f"), filepath.Join(s.root, "moved")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.root, "f"), []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	again := mustCreate(t, tree, "f", leased(1))
	if again.Info.EndOfFile != 7 {
		t.Errorf("a file of %d bytes", again.Info.EndOfFile)
	}
	if _, err := again.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := tree.Remove(ctx, "f", false); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(s.root, "moved")); err != nil {
		t.Error(err)
	}
}

// A server whose break overtakes the answer to the CREATE, and breaks what was abandoned.
func TestLeaseBreakOvertakes(t *testing.T) {
	server := scripted(t, smbtest.Options{Leases: true})
	tree := scriptedTree(t, server, scriptedConfig(server))
	acknowledged := make(chan wire.LeaseBreak, 1)
	server.Hook(wire.CommandOplockBreak, func(r *smbtest.Request) {
		var in wire.LeaseBreakRequest
		_ = in.Decode(r.Body)
		acknowledged <- in.LeaseBreak
		r.Reply(wire.StatusSuccess, &wire.LeaseBreakResponse{LeaseBreak: in.LeaseBreak})
	})
	down := func(key byte, epoch uint16) *wire.LeaseBreakNotification {
		return &wire.LeaseBreakNotification{
			NewEpoch: epoch, Flags: wire.LeaseBreakAckRequired, LeaseKey: wire.LeaseKey{key},
			CurrentLeaseState: leaseAll, NewLeaseState: wire.LeaseRead,
		}
	}
	server.Hook(wire.CommandCreate, func(r *smbtest.Request) {
		r.Conn.Notify(wire.CommandOplockBreak, down(1, 2))
		lease := wire.LeaseContext{Version: 2, LeaseKey: wire.LeaseKey{1}, LeaseState: leaseAll, Epoch: 1}
		r.Reply(wire.StatusSuccess, &wire.CreateResponse{
			OplockLevel: wire.OplockLease, FileID: wire.FileID{Volatile: 1}, Contexts: []wire.CreateContext{lease.Context()},
		})
	})
	o := mustCreate(t, tree, "f", leased(1))
	want := wire.LeaseBreak{LeaseKey: wire.LeaseKey{1}, LeaseState: wire.LeaseRead}
	if got := <-acknowledged; got != want {
		t.Errorf("%+v", got)
	}
	wantState(t, o, wire.LeaseRead)

	server.Conns()[0].Notify(wire.CommandOplockBreak, down(2, 1)) // nobody's
	want.LeaseKey = wire.LeaseKey{2}
	if got := <-acknowledged; got != want {
		t.Errorf("%+v", got)
	}
}
