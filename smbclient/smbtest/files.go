package smbtest

import (
	"slices"

	"smbfs/smbclient/wire"
)

// answer is what a handler decided under Tree.mu, to be sent when that has been given back.
type answer struct {
	status wire.Status
	body   Body
	also   []completion
}

func fail(status wire.Status) answer { return answer{status: status} }

func (r *Request) send(a answer) {
	send(a.also)
	if a.status != wire.StatusSuccess {
		a.body = nil
	}
	r.Reply(a.status, a.body)
}

// withOpen serves a request about an open, under Tree.mu.
func (r *Request) withOpen(id wire.FileID, serve func(*Tree, *open) answer) {
	t := r.Conn.server.Tree
	id = r.related(id)
	t.mu.Lock()
	o := t.opens[id]
	if o == nil || o.conn != r.Conn {
		t.mu.Unlock()
		r.Reply(wire.StatusFileClosed, nil)
		return
	}
	a := serve(t, o)
	t.mu.Unlock()
	r.send(a)
}

func (r *Request) create() {
	var in wire.CreateRequest
	if !r.decode(&in) {
		return
	}
	t := r.Conn.server.Tree
	t.mu.Lock()
	a := t.create(r, &in)
	t.mu.Unlock()
	r.send(a)
}

// create opens or makes a file.
//
// Preconditions: mu is held.
func (t *Tree) create(r *Request, in *wire.CreateRequest) answer {
	dirPath, name := split(in.Name)
	dir := t.find(dirPath)
	if dir == nil || !dir.directory() {
		return fail(wire.StatusObjectPathNotFound)
	}
	n := t.find(in.Name)
	var also []completion
	action := wire.ActionOpened
	switch {
	case n == nil && (in.Disposition == wire.DispositionOpen || in.Disposition == wire.DispositionOverwrite):
		return fail(wire.StatusObjectNameNotFound)
	case n == nil:
		n = t.newNode(name, in.Options&wire.OptionDirectoryFile != 0)
		also = t.attach(dir, n, name)
		action = wire.ActionCreated
	case n.removing:
		return fail(wire.StatusDeletePending)
	case in.Disposition == wire.DispositionCreate:
		return fail(wire.StatusObjectNameCollision)
	case n.directory() && in.Options&wire.OptionNonDirectoryFile != 0:
		return fail(wire.StatusFileIsADirectory)
	case !n.directory() && in.Options&wire.OptionDirectoryFile != 0:
		return fail(wire.StatusNotADirectory)
	case in.Disposition != wire.DispositionOpen && in.Disposition != wire.DispositionOpenIf:
		n.data = nil
		also = t.modified(n)
		action = wire.ActionOverwritten
	}
	t.nextID++
	o := &open{id: wire.FileID{Persistent: t.nextID, Volatile: ^t.nextID}, conn: r.Conn, node: n}
	n.removing = in.Options&wire.OptionDeleteOnClose != 0
	t.opened(o)
	r.fileID = o.id
	resp := &wire.CreateResponse{
		Action: action, CreationTime: n.created, LastAccessTime: n.written, LastWriteTime: n.written, ChangeTime: n.written,
		AllocationSize: uint64(len(n.data)), EndOfFile: uint64(len(n.data)), FileAttributes: n.attr, FileID: o.id,
	}
	if r.lease != nil {
		resp.OplockLevel, resp.Contexts = wire.OplockLease, []wire.CreateContext{r.lease.Context()}
	}
	return answer{also: also, body: resp}
}

// Grant has a CREATE that is served next grant of the lease that it asks for what state says, in epoch 1. It returns the name and the key, and
// false if it asks for none.
func (r *Request) Grant(state wire.LeaseState) (name string, key wire.LeaseKey, asked bool) {
	var in wire.CreateRequest
	if in.Decode(r.Body) != nil {
		return "", key, false
	}
	for _, c := range in.Contexts {
		var l wire.LeaseContext
		if c.Name == wire.CreateContextLease && l.Decode(c.Data) == nil {
			r.lease = &wire.LeaseContext{Version: l.Version, LeaseKey: l.LeaseKey, LeaseState: l.LeaseState & state, Epoch: 1}
			return in.Name, l.LeaseKey, true
		}
	}
	return in.Name, key, false
}

func (r *Request) close() {
	var in wire.CloseRequest
	if !r.decode(&in) {
		return
	}
	r.withOpen(in.FileID, func(t *Tree, o *open) answer {
		n := o.node
		a := answer{}
		if o.waiting != nil {
			a.also = append(a.also, completion{o.waiting, wire.StatusNotifyCleanup, nil})
		}
		t.closed(o)
		if n.removing && len(n.opens) == 0 {
			a.also = append(a.also, t.detach(n)...)
		}
		out := &wire.CloseResponse{}
		if in.Flags&wire.ClosePostQueryAttrib != 0 {
			*out = wire.CloseResponse{
				Flags: in.Flags, CreationTime: n.created, LastAccessTime: n.written, LastWriteTime: n.written, ChangeTime: n.written,
				AllocationSize: uint64(len(n.data)), EndOfFile: uint64(len(n.data)), FileAttributes: n.attr,
			}
		}
		a.body = out
		return a
	})
}

func (r *Request) read() {
	var in wire.ReadRequest
	if !r.decode(&in) {
		return
	}
	r.withOpen(in.FileID, func(_ *Tree, o *open) answer {
		switch {
		case o.node.directory():
			return fail(wire.StatusInvalidDeviceRequest)
		case in.Offset >= uint64(len(o.node.data)):
			return fail(wire.StatusEndOfFile)
		}
		data := o.node.data[in.Offset:]
		return answer{body: &wire.ReadResponse{Data: slices.Clone(data[:min(len(data), int(in.Length))])}}
	})
}

// maxFile bounds a file in memory.
const maxFile = 256 << 20

func (r *Request) write() {
	var in wire.WriteRequest
	if !r.decode(&in) {
		return
	}
	r.withOpen(in.FileID, func(t *Tree, o *open) answer {
		n := o.node
		end := in.Offset + uint64(len(in.Data))
		switch {
		case n.directory():
			return fail(wire.StatusInvalidDeviceRequest)
		case in.Offset > maxFile || end > maxFile:
			return fail(wire.StatusDiskFull)
		}
		n.resize(max(int(end), len(n.data)))
		copy(n.data[in.Offset:], in.Data)
		return answer{body: &wire.WriteResponse{Count: uint32(len(in.Data))}, also: t.modified(n)}
	})
}

func (n *node) resize(size int) {
	if size <= len(n.data) {
		n.data = n.data[:size]
		return
	}
	n.data = append(n.data, make([]byte, size-len(n.data))...)
}
