package smbclient

import (
	"testing"

	"smbfs/smbclient/wire"
)

// TestLocks is what a real server does with locks, which package fs builds on.
func TestLocks(t *testing.T) {
	server := startSmbd(t, "", "")
	tree := server.tree(server.config())
	ctx := testContext(t)
	ours, theirs := mustCreate(t, tree, "locked", createFile), mustCreate(t, server.tree(server.config()), "locked", createFile)
	writeAt(t, ours, "0123456789", 0)
	shared, exclusive := Range{0, 5, false}, Range{0, 5, true}
	buf := make([]byte, 5)
	refused := func(what string, err error, status wire.Status) {
		t.Helper()
		if !HasStatus(err, status) {
			t.Errorf("%s: %v", what, err)
		}
	}
	granted := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	granted("exclusive", ours.Lock(ctx, exclusive))
	refused("another exclusive one of the same open", ours.Lock(ctx, exclusive), wire.StatusLockNotGranted)
	refused("theirs", theirs.Lock(ctx, Range{4, 1, false}), wire.StatusLockNotGranted)
	_, err := theirs.ReadAt(ctx, buf, 0)
	refused("their read", err, wire.StatusFileLockConflict)
	_, err = ours.ReadAt(ctx, buf, 0)
	granted("our read", err)
	refused("unlock of a part", ours.Unlock(ctx, Range{0, 4, true}), wire.StatusRangeNotLocked)

	granted("shared above it", ours.Lock(ctx, shared))
	granted("unlock", ours.Unlock(ctx, exclusive))
	granted("their shared one, when the exclusive one is unlocked", theirs.Lock(ctx, shared))
	refused("their exclusive one, while ours is shared", theirs.Lock(ctx, exclusive), wire.StatusLockNotGranted)
	refused("our exclusive one, while theirs is shared", ours.Lock(ctx, exclusive), wire.StatusLockNotGranted)
	_, err = theirs.WriteAt(ctx, buf, 0)
	refused("their write", err, wire.StatusFileLockConflict)
	granted("unlock", ours.Unlock(ctx, shared))
	refused("all or none", ours.Lock(ctx, Range{20, 5, true}, exclusive), wire.StatusLockNotGranted)
	granted("none was left", theirs.Lock(ctx, Range{20, 5, true}))
	granted("the whole file that a local lock has", ours.Lock(ctx, Range{100, 1<<63 - 100, true}))
	if _, err := theirs.Close(ctx); err != nil {
		t.Error(err)
	}
	granted("a close unlocks", ours.Lock(ctx, exclusive))
}

// TestLocksOfDurableOpens: what has a lock is taken up again with it.
func TestLocksOfDurableOpens(t *testing.T) {
	server := startSmbd(t, "", "kernel oplocks = no\n kernel share modes = no\n posix locking = no")
	m := mode{dialect: wire.Dialect311, sign: true}
	cfg := m.apply(server.config())
	cfg.ClientGUID = wire.GUID{1, 99}
	tree := server.tree(cfg)
	former := durableOpen(t, tree, m)
	if err := former.Lock(testContext(t), Range{0, 5, true}); err != nil {
		t.Fatal(err)
	}
	tree.session.Close()
	cfg.PreviousSession = tree.session.ID()
	again := server.tree(cfg)
	o, err := again.Reconnect(testContext(t), former, "durable")
	if err != nil {
		t.Fatal(err)
	}
	theirs := mustCreate(t, server.tree(server.config()), "durable", createFile)
	if err := theirs.Lock(testContext(t), Range{4, 1, false}); !HasStatus(err, wire.StatusLockNotGranted) {
		t.Errorf("their lock: %v", err)
	}
	if err := o.Unlock(testContext(t), Range{0, 5, true}); err != nil {
		t.Error(err)
	}
}
