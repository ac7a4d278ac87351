package smbclient

import (
	"context"

	"smbfs/smbclient/wire"
)

// A directory is opened to be listed, or to be watched, a small file to be read: all save a round trip by travelling with the CREATE
// (MS-SMB2 3.2.4.1.4).

// CreateAndList opens a directory and lists it, as Create and Open.ReadDir do, in one round trip if the listing is not long. If the listing
// fails, the directory is closed again.
func (t *TreeConnect) CreateAndList(ctx context.Context, name string, p CreateParams, pattern string) (*Open, []wire.DirEntry, error) {
	const op = "create"
	if err := checkName(op, name); err != nil {
		return nil, nil, err
	}
	if pattern == "" {
		pattern = "*"
	}
	create := p.request(name)
	create.orphan = t.closeOrphan
	parts := t.dirRequests(wire.RelatedFileID, pattern, 0)
	if err := t.callRelated(ctx, append([]*request{create}, parts...)...); err != nil {
		t.closeUnused(create)
		return nil, nil, opError(op, err)
	}
	if err := statusError(op, name, &create.response); err != nil {
		return nil, nil, err
	}
	o, err := t.opened(name, p, &create.response)
	if err != nil {
		return nil, nil, err
	}
	list, end, err := o.dirParts(parts)
	if err == nil && !end {
		list, err = o.readDirFrom(ctx, list, pattern, 0)
	}
	if err != nil {
		_, _ = o.Close(ctx)
		return nil, nil, err
	}
	return o, list, nil
}

// CreateAndRead opens a file and reads its beginning, as Create and Open.ReadAt do, in one message. n is how many bytes of b were read, less
// than there is room for if the file has no more. It is -1 if the file is open and reading it failed.
func (t *TreeConnect) CreateAndRead(ctx context.Context, name string, p CreateParams, b []byte) (o *Open, n int, err error) {
	if err := checkName("create", name); err != nil {
		return nil, 0, err
	}
	b = b[:min(len(b), t.session.conn.negotiated.maxRead)]
	var read *request
	o, err = t.createAnd(ctx, name, p, func() []*request {
		read = newRequest(wire.CommandRead, &wire.ReadRequest{Length: uint32(len(b)), FileID: wire.RelatedFileID}).charged(len(b))
		read.sink = b
		return []*request{read}
	})
	if err != nil {
		return nil, 0, err
	}
	switch read.response.status {
	case wire.StatusSuccess:
		return o, read.response.filled, nil
	case wire.StatusEndOfFile:
		return o, 0, nil
	}
	return o, -1, nil
}

// ListOnce lists a directory that is not open in one message: CREATE, two QUERY_DIRECTORY, CLOSE. The Open says what the CREATE said, and is
// closed. ListOnce reports false if the listing is not whole: then it is too long for that.
func (t *TreeConnect) ListOnce(ctx context.Context, name string, p CreateParams, pattern string) (o *Open, list []wire.DirEntry, whole bool, err error) {
	const op = "list"
	if err := checkName(op, name); err != nil {
		return nil, nil, false, err
	}
	parts := t.dirRequests(wire.RelatedFileID, pattern, 0)
	create, err := t.callWithFile(ctx, p.request(name), parts)
	if err != nil {
		return nil, nil, false, opError(op, err)
	}
	if err := statusError(op, name, &create.response); err != nil {
		return nil, nil, false, err
	}
	if o, err = t.opened(name, p, &create.response); err != nil {
		return nil, nil, false, err
	}
	o.closed.Store(true)
	list, whole, err = o.dirParts(parts)
	return o, list, whole, err
}

// CreateAndNotify opens a directory and sends a CHANGE_NOTIFY on it, as Create and Open.StartChangeNotify do, in one message. It returns
// once the directory is open. done is not called if that fails.
func (t *TreeConnect) CreateAndNotify(ctx context.Context, name string, p CreateParams, np NotifyParams,
	done func(*NotifyRequest)) (*Open, *NotifyRequest, error) {
	const op = "create"
	if err := checkName(op, name); err != nil {
		return nil, nil, err
	}
	c := t.session.conn
	create := p.request(name)
	create.orphan = t.closeOrphan
	n := c.newNotify(wire.RelatedFileID, np, func(n *NotifyRequest) {
		// A server that keeps the order has answered the CREATE: whoever waits for that is about to tell. From any other one
		// it comes in time, too, or the connection ends.
		n.opening.Lock()
		o := n.open
		n.opening.Unlock()
		if o != nil && done != nil {
			done(n)
		}
	})
	n.opening.Lock()
	defer n.opening.Unlock()
	m := &message{requests: []*request{create, n.r}, session: t.session, treeID: t.id, related: true, seal: t.seal}
	o, err := t.createAndNotify(ctx, name, p, m, create)
	if err != nil {
		return nil, nil, err
	}
	n.open = o
	n.r.watches.Store(o)
	return o, n, nil
}

func (t *TreeConnect) createAndNotify(ctx context.Context, name string, p CreateParams, m *message, create *request) (*Open, error) {
	const op = "create"
	c := t.session.conn
	if err := c.send(ctx, m); err != nil {
		return nil, opError(op, err)
	}
	if err := c.wait(ctx, []*request{create}); err != nil {
		return nil, opError(op, err)
	}
	if err := statusError(op, name, &create.response); err != nil {
		return nil, err
	}
	return t.opened(name, p, &create.response)
}
