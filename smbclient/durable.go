package smbclient

import (
	"context"

	"smbfs/smbclient/wire"
)

// Durability is how long an open is kept by a server whose client has gone.
type Durability uint8

// Durabilities, from the least.
const (
	NotDurable Durability = iota
	DurableV1             // MS-SMB2 2.2.14.2.3
	DurableV2             // MS-SMB2 2.2.14.2.12: recognised by its create GUID
	Persistent            // the same, and the server's own end does not end it
)

// withDurable adds to a CREATE what asks for durability, in the words of the dialect. The server grants it only with a lease that has
// LeaseHandle; one without leases wants a batch oplock instead (MS-SMB2 3.3.5.9.6, 3.3.5.9.10).
func (t *TreeConnect) withDurable(p CreateParams) CreateParams {
	if p.Durable == (wire.GUID{}) {
		return p
	}
	if !t.session.conn.Leases() {
		p.Oplock = wire.OplockBatch
	}
	asked := (&wire.DurableRequest{}).Context()
	if t.session.conn.negotiated.dialect >= wire.Dialect300 {
		d := wire.DurableV2Request{CreateGUID: p.Durable}
		if t.info.Capabilities&wire.ShareCapContinuousAvailability != 0 {
			d.Flags = wire.DurablePersistent
		}
		asked = d.Context()
	}
	p.Contexts = append(p.Contexts[:len(p.Contexts):len(p.Contexts)], asked)
	return p
}

// durability says what was granted of that.
func durability(contexts []wire.CreateContext) Durability {
	for _, c := range contexts {
		var v2 wire.DurableV2Response
		switch {
		case c.Name == wire.CreateContextDurable:
			return DurableV1
		case c.Name != wire.CreateContextDurableV2 || v2.Decode(c.Data) != nil:
		case v2.Flags&wire.DurablePersistent != 0:
			return Persistent
		default:
			return DurableV2
		}
	}
	return NotDurable
}

// Reconnect takes up, on this connection, an open that was made on another one which was lost (MS-SMB2 3.2.4.4). name is the file's name
// now. The connection must have the ClientGUID of the former. The error is fs.ErrNotExist if the server has not kept the open.
func (t *TreeConnect) Reconnect(ctx context.Context, former *Open, name string) (*Open, error) {
	const op = "reconnect"
	if err := checkName(op, name); err != nil {
		return nil, err
	}
	lease := former.Lease()
	full := former.params
	full.Disposition, full.Lease, full.Oplock, full.Contexts = wire.DispositionOpen, lease, former.Oplock, nil
	var l *heldLease
	var broke int
	if former.Oplock == wire.OplockLease {
		full = t.withLease(name, full)
		l, broke = t.session.conn.leases.use(t, name, lease)
	}
	full.Contexts = append(full.Contexts, former.reconnectContext()) // a server refuses others beside these
	o, err := t.createWith(ctx, op, name, full)
	if err != nil {
		l.leave(name)
		return nil, err
	}
	o.params, o.Durability = former.params, former.Durability
	if o.lease = l; l != nil {
		l.granted(o.Contexts, broke)
	}
	former.forget()
	return o, nil
}

// reconnectContext is what takes an open up again (MS-SMB2 2.2.13.2.4, 2.2.13.2.12).
func (o *Open) reconnectContext() wire.CreateContext {
	if o.Durability == DurableV1 {
		return (&wire.DurableReconnect{FileID: o.id}).Context()
	}
	d := wire.DurableReconnectV2{FileID: o.id, CreateGUID: o.params.Durable}
	if o.Durability == Persistent {
		d.Flags = wire.DurablePersistent
	}
	return d.Context()
}

// forget is for an open whose connection has gone: no CLOSE is sent any more.
func (o *Open) forget() {
	if !o.closed.Swap(true) {
		o.lease.leave(o.name)
	}
}
