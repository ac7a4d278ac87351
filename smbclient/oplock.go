package smbclient

import (
	"context"
	"fmt"

	"smbfs/smbclient/wire"
)

// BreakEvent says that the server takes back an oplock or a lease.
type BreakEvent struct {
	// Open and Level are those of an oplock: what it sinks to. Open is nil for a lease.
	Open  *Open
	Level wire.OplockLevel

	// Lease is the notification about a lease, nil for an oplock. It can come before the response to the CREATE that got the lease. Tree
	// is where to acknowledge it.
	Lease *wire.LeaseBreakNotification
	Tree  *TreeConnect

	held bool // the lease is known here
}

// OnBreak has f called for each break, in a goroutine of its own, instead of the default, which gives up what is asked back. f then
// has to acknowledge. A lease that is not held is given up all the same: it may be that of a CREATE that was abandoned.
func (c *Connection) OnBreak(f func(BreakEvent)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onBreak = f
}

// handleUnsolicited handles what the server sends without having been asked: breaks of oplocks and leases (MS-SMB2 3.2.5.19). They are
// not signed, and grant no credits.
func (c *Connection) handleUnsolicited(h *wire.Header, msg []byte) error {
	body := msg[wire.HeaderSize:]
	if h.Command != wire.CommandOplockBreak {
		return protocolError("%v without a request", h.Command)
	}
	event, err := c.breakEvent(body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	if event == nil {
		c.log.Debug("break of what is not held")
		return nil
	}
	c.mu.Lock()
	f := c.onBreak
	c.mu.Unlock()
	if f == nil || event.Open == nil && !event.held {
		f = c.giveUp
	}
	if c.breaks.Add(1) > maxBreaks {
		return protocolError("more than %d breaks at once", maxBreaks)
	}
	c.spawn(func() {
		defer c.breaks.Add(-1)
		f(*event)
	})
	return nil
}

// maxBreaks is how many breaks may be under way. It bounds what a server can have us do that it never answers.
const maxBreaks = 8192

// breakEvent decodes a break, which takes effect here at once. It is nil if there is nothing to break.
func (c *Connection) breakEvent(body []byte) (*BreakEvent, error) {
	var event BreakEvent
	if wire.IsLeaseBreak(body) {
		event.Lease = new(wire.LeaseBreakNotification)
		if err := event.Lease.Decode(body); err != nil {
			return nil, err
		}
		if l := c.leases.broken(event.Lease); l != nil {
			event.Tree, event.held = l.tree, true
		} else {
			event.Tree = c.leases.any()
		}
		return &event, nil
	}
	var in wire.OplockBreakNotification
	if err := in.Decode(body); err != nil {
		return nil, err
	}
	c.mu.Lock()
	event.Open, event.Level = c.oplocks[in.FileID], in.OplockLevel
	c.mu.Unlock()
	if event.Open == nil {
		return nil, nil
	}
	return &event, nil
}

// giveUp acknowledges a break that nobody here has to do with.
func (c *Connection) giveUp(e BreakEvent) {
	if e.Open != nil {
		e.Level = wire.OplockNone
	}
	if err := e.Acknowledge(context.Background()); err != nil {
		c.log.Debug("acknowledge a break", "error", err)
	}
}

// AcknowledgeBreak tells the server that the oplock has sunk to level (MS-SMB2 3.2.4.23). It uses the credits kept for it.
func (o *Open) AcknowledgeBreak(ctx context.Context, level wire.OplockLevel) error {
	body := &wire.OplockBreakRequest{OplockBreak: wire.OplockBreak{OplockLevel: level, FileID: o.id}}
	return o.tree.acknowledge(ctx, o.name, body)
}

// acknowledge sends an OPLOCK_BREAK by the credits kept for it.
func (t *TreeConnect) acknowledge(ctx context.Context, name string, body appender) error {
	const op = "oplock break"
	c := t.session.conn
	m := single(t.session, t.id, newRequest(wire.CommandOplockBreak, body))
	m.seal = t.seal
	if !c.credit.tryAcquire(1) {
		if _, err := c.credit.acquire(ctx, 1, 1); err != nil {
			return opError(op, err)
		}
	}
	if err := c.sendCharged(ctx, m); err != nil {
		return opError(op, err)
	}
	if err := c.wait(ctx, m.requests); err != nil {
		return opError(op, err)
	}
	return statusError(op, name, &m.requests[0].response)
}
