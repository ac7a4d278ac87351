package smbclient

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"smbfs/smbclient/wire"
)

// NotifyParams say which changes of a directory are wanted.
type NotifyParams struct {
	Filter    wire.CompletionFilter // zero: CompletionFilterAll. The first request on an Open fixes it.
	WatchTree bool                  // changes in directories below, too. Likewise.
	MaxOutput int                   // bytes of events at once; zero: 64 KiB, which costs one credit and is Windows's limit
}

// NotifyRequest is a CHANGE_NOTIFY that was sent.
type NotifyRequest struct {
	opening sync.Mutex // held until the message that opens the directory too has done so, also over the network: callbacks wait for it
	open    *Open      // set before any callback
	conn    *Connection
	r       *request
}

// StartChangeNotify sends a CHANGE_NOTIFY and returns: nobody waits for what may never come. ctx
// bounds the sending only.
//
// done, if it is not nil, is called once when the request has ended, also by Cancel and by the end of the connection; where the connection ends while
// the request is on its way, StartChangeNotify may fail besides. All such calls
// of a connection come from one goroutine, in the order of the responses. done may send the next request; it must not wait
// long, since it holds up the others, and must not call Connection.Close. With done nil use Wait.
func (o *Open) StartChangeNotify(ctx context.Context, p NotifyParams, done func(*NotifyRequest)) (*NotifyRequest, error) {
	const op = "change notify"
	if o.closed.Load() {
		return nil, opError(op, fs.ErrClosed)
	}
	c := o.tree.session.conn
	n := c.newNotify(o.id, p, done)
	n.open = o
	n.r.watches.Store(o)
	m := single(o.tree.session, o.tree.id, n.r)
	m.seal = o.tree.seal
	if err := c.send(ctx, m); err != nil {
		return nil, opError(op, err)
	}
	return n, nil
}

// newNotify prepares a CHANGE_NOTIFY, whose end has done called by the dispatcher.
func (c *Connection) newNotify(id wire.FileID, p NotifyParams, done func(*NotifyRequest)) *NotifyRequest {
	n := &NotifyRequest{conn: c, r: p.request(id, c.negotiated.maxTransact)}
	if done != nil {
		n.r.done = nil // until Done wants it: many directories may be watched for long
		n.r.finished = func(*request) { c.events.put(func() { done(n) }) }
	}
	return n
}

func (p *NotifyParams) request(id wire.FileID, limit int) *request {
	body := &wire.ChangeNotifyRequest{FileID: id, CompletionFilter: p.Filter, OutputBufferLength: uint32(min(p.MaxOutput, limit))}
	if body.CompletionFilter == 0 {
		body.CompletionFilter = wire.CompletionFilterAll
	}
	if body.OutputBufferLength == 0 {
		body.OutputBufferLength = creditUnit
	}
	if p.WatchTree {
		body.Flags = wire.WatchTree
	}
	return newRequest(wire.CommandChangeNotify, body).charged(int(body.OutputBufferLength))
}

// Open returns the directory it is about.
func (n *NotifyRequest) Open() *Open { return n.open }

// Pending is closed when the server has taken the request on (its interim response came), or when the request has ended. That it
// is pending does not mean that the server watches yet, or that it ever will.
func (n *NotifyRequest) Pending() <-chan struct{} {
	n.conn.mu.Lock()
	defer n.conn.mu.Unlock()
	pending := n.r.pending
	if pending == nil {
		pending = make(chan struct{})
		n.r.pending = pending
		n.r.begun()
	}
	return pending
}

// Done is closed when the request has ended.
func (n *NotifyRequest) Done() <-chan struct{} {
	n.conn.mu.Lock()
	defer n.conn.mu.Unlock()
	if n.r.done == nil {
		n.r.done = make(chan struct{})
		if n.r.ended {
			close(n.r.done)
		}
	}
	return n.r.done
}

// Cancel has the server end the request, which then ends with STATUS_CANCELLED unless something else came first.
func (n *NotifyRequest) Cancel() { n.conn.abandon(n.r) }

// Wait waits until the request has ended. If ctx ends first, the request is cancelled.
func (n *NotifyRequest) Wait(ctx context.Context) ([]wire.NotifyEvent, error) {
	done := n.Done()
	select {
	case <-done:
	case <-ctx.Done():
		if n.conn.abandon(n.r) {
			return nil, opError("change notify", context.Cause(ctx))
		}
		<-done
	}
	return n.Result()
}

// Result returns what came. It must be called once, after Done is closed. ErrNotifyEnumDir means that the directory has to be listed
// again; there may be events besides, if one name could not be read.
func (n *NotifyRequest) Result() ([]wire.NotifyEvent, error) {
	const op = "change notify"
	if n.r.err != nil {
		return nil, opError(op, n.r.err)
	}
	resp := &n.r.response
	defer resp.release()
	if err := statusError(op, n.open.name, resp); err != nil {
		return nil, err
	}
	var out wire.ChangeNotifyResponse
	if err := out.Decode(resp.body); err != nil {
		return nil, opError(op, n.conn.broken(err))
	}
	if len(out.Output) == 0 {
		return nil, opError(op, ErrNotifyEnumDir)
	}
	events, err := wire.DecodeNotifyEvents(out.Output)
	var badName *wire.UTF16Error
	switch {
	case err == nil:
		return events, nil
	case errors.As(err, &badName):
		return events, opError(op, ErrNotifyEnumDir)
	}
	return nil, opError(op, n.conn.broken(err))
}

// ChangeNotify waits for the next changes of the directory. The end of ctx cancels the request.
func (o *Open) ChangeNotify(ctx context.Context, filter wire.CompletionFilter, watchTree bool, max int) ([]wire.NotifyEvent, error) {
	n, err := o.StartChangeNotify(ctx, NotifyParams{Filter: filter, WatchTree: watchTree, MaxOutput: max}, nil)
	if err != nil {
		return nil, err
	}
	return n.Wait(ctx)
}
