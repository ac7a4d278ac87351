package smbclient

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"

	"smbfs/smbclient/wire"
)

// CreateParams say how to open or make a file (MS-SMB2 2.2.13).
type CreateParams struct {
	Access        wire.AccessMask
	Attributes    wire.FileAttributes // of a file that is made
	Share         wire.ShareAccess
	Disposition   wire.CreateDisposition // the zero value is DispositionSupersede
	Options       wire.CreateOptions
	Impersonation wire.ImpersonationLevel // zero: ImpersonationImpersonation
	Oplock        wire.OplockLevel
	Contexts      []wire.CreateContext
	Lease         Lease // to ask for, unless its State is LeaseNone: then that which the connection has on the name, if any, is shared

	// Durable, if not zero, names the open for ever, and asks the server to keep it should the connection be lost.
	Durable wire.GUID
}

// request builds the CREATE for name.
func (p *CreateParams) request(name string) *request {
	level := p.Impersonation
	if level == 0 {
		level = wire.ImpersonationImpersonation
	}
	return newRequest(wire.CommandCreate, &wire.CreateRequest{
		OplockLevel:        p.Oplock,
		ImpersonationLevel: level,
		DesiredAccess:      p.Access,
		FileAttributes:     p.Attributes,
		ShareAccess:        p.Share,
		Disposition:        p.Disposition,
		Options:            p.Options,
		Name:               name,
		Contexts:           p.Contexts,
	})
}

// FileInfo is what the responses to CREATE and CLOSE say of a file.
type FileInfo struct {
	CreationTime   wire.Filetime
	LastAccessTime wire.Filetime
	LastWriteTime  wire.Filetime
	ChangeTime     wire.Filetime
	AllocationSize uint64
	EndOfFile      uint64
	Attributes     wire.FileAttributes
}

// Open is an open file or directory (MS-SMB2 3.2.1.6). Its exported fields are constant.
type Open struct {
	Info       FileInfo             // as of the CREATE
	Contexts   []wire.CreateContext // of the response
	Action     wire.CreateAction    // opened, created, overwritten
	Oplock     wire.OplockLevel     // as granted
	Reparse    bool                 // the name is that of a reparse point (3.x)
	Durability Durability           // as granted

	tree   *TreeConnect
	id     wire.FileID
	name   string
	params CreateParams
	lease  *heldLease // nil: none was asked for
	closed atomic.Bool
}

// FileID is the server's number of the open.
func (o *Open) FileID() wire.FileID { return o.id }

// Name is the name it was opened by, relative to the share.
func (o *Open) Name() string { return o.name }

// Params are those it was opened with.
func (o *Open) Params() CreateParams { return o.params }

// Tree returns the share it is on.
func (o *Open) Tree() *TreeConnect { return o.tree }

// checkName refuses what would not mean on the server what it means here.
func checkName(op, name string) error {
	if strings.ContainsAny(name, "\x00/") || strings.HasPrefix(name, `\`) {
		return opError(op, fmt.Errorf("%w: %q", ErrInvalidName, name))
	}
	return nil
}

// Create opens or makes a file or directory. name is relative to the share, separated by backslashes; "" is the share's root. If ctx ends
// while the server opens the file all the same, it is closed again.
func (t *TreeConnect) Create(ctx context.Context, name string, p CreateParams) (*Open, error) {
	const op = "create"
	if err := checkName(op, name); err != nil {
		return nil, err
	}
	return t.createAnd(ctx, name, p, nil)
}

// createAnd makes an Open, by a message in which what also returns comes after the CREATE.
func (t *TreeConnect) createAnd(ctx context.Context, name string, p CreateParams, also func() []*request) (*Open, error) {
	carrying := t.withLease(name, p).Lease.State != wire.LeaseNone
	o, err := t.create(ctx, name, p, also)
	if carrying && HasStatus(err, wire.StatusInvalidParameter) {
		p.Lease = Lease{} // the key is known to the server as another file's
		t.session.conn.leases.forget(t, name)
		return t.create(ctx, name, p, also)
	}
	return o, err
}

func (t *TreeConnect) create(ctx context.Context, name string, p CreateParams, also func() []*request) (*Open, error) {
	const op = "create"
	full := t.withLease(name, p)
	var l *heldLease
	var broke int
	if full.Lease.State != wire.LeaseNone {
		l, broke = t.session.conn.leases.use(t, name, full.Lease)
	}
	var related []*request
	if also != nil {
		related = also()
	}
	o, err := t.createWith(ctx, op, name, t.withDurable(full), related...)
	if err != nil {
		l.leave(name)
		return nil, err
	}
	o.params, o.Durability = p, durability(o.Contexts)
	if o.lease = l; l != nil {
		l.granted(o.Contexts, broke)
	}
	return o, nil
}

func (t *TreeConnect) createWith(ctx context.Context, op, name string, p CreateParams, related ...*request) (*Open, error) {
	r := p.request(name)
	r.orphan = t.closeOrphan
	if err := t.callRelated(ctx, append([]*request{r}, related...)...); err != nil {
		t.closeUnused(r)
		return nil, opError(op, err)
	}
	if err := statusError(op, name, &r.response); err != nil {
		return nil, err
	}
	return t.opened(name, p, &r.response)
}

// opened makes an Open of the response to a CREATE.
func (t *TreeConnect) opened(name string, p CreateParams, r *response) (*Open, error) {
	c := t.session.conn
	var resp wire.CreateResponse
	if err := resp.Decode(r.body); err != nil {
		return nil, opError("create", c.broken(err))
	}
	o := &Open{
		Info: FileInfo{
			CreationTime:   resp.CreationTime,
			LastAccessTime: resp.LastAccessTime,
			LastWriteTime:  resp.LastWriteTime,
			ChangeTime:     resp.ChangeTime,
			AllocationSize: resp.AllocationSize,
			EndOfFile:      resp.EndOfFile,
			Attributes:     resp.FileAttributes,
		},
		Action:   resp.Action,
		Oplock:   resp.OplockLevel,
		Contexts: resp.Contexts,
		Reparse:  resp.Flags&wire.CreateFlagReparsePoint != 0,
		tree:     t,
		id:       resp.FileID,
		name:     name,
		params:   p,
	}
	if o.Oplock != wire.OplockNone && o.Oplock != wire.OplockLease {
		c.mu.Lock()
		c.oplocks[o.id] = o
		c.mu.Unlock()
	}
	return o, nil
}

// closeOrphan closes what a CREATE opened for nobody.
func (t *TreeConnect) closeOrphan(r *request) { t.closeOrphanIn(context.Background(), r) }

// closeUnused closes what the CREATE of a compound has opened that was abandoned after that: it is an orphan, too.
func (t *TreeConnect) closeUnused(r *request) {
	select {
	case <-r.done:
		if r.err == nil && r.response.status == wire.StatusSuccess {
			t.session.conn.spawn(func() { t.closeOrphan(r) })
		}
	default:
	}
}

func (t *TreeConnect) closeOrphanIn(ctx context.Context, r *request) {
	var resp wire.CreateResponse
	if resp.Decode(r.response.body) == nil {
		_, _ = t.closeFile(ctx, resp.FileID, 0)
	}
}

// closeFile sends a CLOSE, which the server gets even if ctx ends first, and waits for the answer as long as ctx allows.
func (t *TreeConnect) closeFile(ctx context.Context, id wire.FileID, flags uint16) (*response, error) {
	r := closeRequest(id, flags)
	resp, err := t.call(ctx, r)
	if err != nil && r.session == nil { // never sent
		t.session.conn.spawn(func() { _, _ = t.call(context.Background(), closeRequest(id, 0)) })
	}
	return resp, err
}

func closeRequest(id wire.FileID, flags uint16) *request {
	return newRequest(wire.CommandClose, &wire.CloseRequest{FileID: id, Flags: flags})
}

// CloseInfo is the state of a file after a CLOSE.
type CloseInfo struct {
	Valid bool // the server told
	FileInfo
}

// Close closes the file. Closing it again does nothing. Whatever the error, the Open cannot be used any more; the server gets
// the CLOSE even if ctx ends first.
func (o *Open) Close(ctx context.Context) (CloseInfo, error) {
	const op = "close"
	if o.closed.Swap(true) {
		return CloseInfo{}, nil
	}
	c := o.tree.session.conn
	o.lease.leave(o.name)
	if o.Oplock != wire.OplockNone {
		c.mu.Lock()
		delete(c.oplocks, o.id)
		c.mu.Unlock()
	}
	resp, err := o.tree.closeFile(ctx, o.id, wire.ClosePostQueryAttrib)
	if err != nil {
		return CloseInfo{}, opError(op, err)
	}
	if err := statusError(op, o.name, resp); err != nil {
		return CloseInfo{}, err
	}
	return o.tree.closeInfo(resp)
}

func (t *TreeConnect) closeInfo(resp *response) (CloseInfo, error) {
	var in wire.CloseResponse
	if err := in.Decode(resp.body); err != nil {
		return CloseInfo{}, opError("close", t.session.conn.broken(err))
	}
	return CloseInfo{
		Valid: in.Flags&wire.ClosePostQueryAttrib != 0,
		FileInfo: FileInfo{
			CreationTime:   in.CreationTime,
			LastAccessTime: in.LastAccessTime,
			LastWriteTime:  in.LastWriteTime,
			ChangeTime:     in.ChangeTime,
			AllocationSize: in.AllocationSize,
			EndOfFile:      in.EndOfFile,
			Attributes:     in.FileAttributes,
		},
	}, nil
}

// call sends one request about the open, unless that is closed.
func (o *Open) call(ctx context.Context, op string, r *request) (*response, error) {
	if o.closed.Load() {
		return nil, opError(op, fs.ErrClosed)
	}
	resp, err := o.tree.call(ctx, r)
	if err != nil {
		return nil, opError(op, err)
	}
	return resp, statusError(op, o.name, resp)
}

// Flush has the server bring to stable storage what was written.
func (o *Open) Flush(ctx context.Context) error {
	_, err := o.call(ctx, "flush", newRequest(wire.CommandFlush, &wire.FlushRequest{FileID: o.id}))
	return err
}
