package smbclient

import (
	"context"
	"testing"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// A server may fail the rest of a compound with the error of the request before (MS-SMB2 3.3.5.2.7.2), the CLOSE included: what was
// opened is closed all the same, and a removal that took two attempts does remove.
func TestFailedCompoundLeavesNothingOpen(t *testing.T) {
	server := smbtest.NewServer(smbtest.Options{})
	defer server.Close()
	ctx := context.Background()
	s, err := Connect(ctx, Config{Address: "server:445", Dial: server.Dial, Credentials: server.Credentials()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Connection().Close()
	tree, err := s.TreeConnect(ctx, smbtest.Share)
	if err != nil {
		t.Fatal(err)
	}
	server.Tree.WriteFile("a", nil)
	if err := tree.SetFile(ctx, "a", wire.FileWriteAttributes, 0xFE, []byte{1}); err == nil {
		t.Error("nonsense was set")
	}
	if n := server.Tree.Opens(); n != 0 {
		t.Errorf("%d left open", n)
	}
	if err := tree.Remove(ctx, "a", false); err != nil {
		t.Error(err)
	}
	if _, ok := server.Tree.ReadFile("a"); ok || server.Tree.Opens() != 0 {
		t.Errorf("it is still there: %v; %d left open", ok, server.Tree.Opens())
	}
}
