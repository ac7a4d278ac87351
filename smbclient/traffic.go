package smbclient

import (
	"sync/atomic"

	"smbfs/smbclient/wire"
)

// Traffic is what a connection has carried since it was made.
type Traffic struct {
	Messages       int64                  // sent, a compound counted once; CANCEL not counted
	Requests       map[wire.Command]int64 // in them
	Sent, Received int64                  // bytes
}

// traffic counts it.
type traffic struct {
	messages atomic.Int64
	sent     atomic.Int64
	requests [wire.CommandOplockBreak + 1]atomic.Int64
}

// count takes a message that is about to be sent, of size bytes.
func (t *traffic) count(m *message, size int) {
	t.messages.Add(1)
	t.sent.Add(int64(size))
	for _, r := range m.requests {
		t.requests[r.command].Add(1)
	}
}

// Traffic returns what the connection has carried so far.
func (c *Connection) Traffic() Traffic {
	t := Traffic{
		Messages: c.traffic.messages.Load(), Sent: c.traffic.sent.Load(), Received: c.socket.received.Load(),
		Requests: map[wire.Command]int64{},
	}
	for i := range c.traffic.requests {
		if n := c.traffic.requests[i].Load(); n > 0 {
			t.Requests[wire.Command(i)] = n
		}
	}
	return t
}
