package smbclient

import (
	"maps"
	"testing"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestTraffic: a compound is one message of several requests.
func TestTraffic(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	conn := tree.Session().Connection()
	before := conn.Traffic()
	if _, err := tree.Stat(testContext(t), "", false); err != nil {
		t.Fatal(err)
	}
	after := conn.Traffic()
	for command, n := range before.Requests {
		if after.Requests[command] -= n; after.Requests[command] == 0 {
			delete(after.Requests, command)
		}
	}
	want := map[wire.Command]int64{wire.CommandCreate: 1, wire.CommandQueryInfo: 1, wire.CommandClose: 1}
	if !maps.Equal(after.Requests, want) || after.Messages-before.Messages != 1 {
		t.Errorf("a stat sends %v in %d messages, want %v in one", after.Requests, after.Messages-before.Messages, want)
	}
	if after.Sent-before.Sent < 3*wire.HeaderSize || after.Received-before.Received < 3*wire.HeaderSize {
		t.Errorf("%d bytes sent, %d received", after.Sent-before.Sent, after.Received-before.Received)
	}
}
