package smbclient

import (
	"context"
	"io"
	"io/fs"

	"smbfs/smbclient/wire"
)

const (
	// ioPart is the most that one READ or WRITE carries, whatever the server allows: smaller parts overlap better, and let
	// other requests in between.
	ioPart = 1 << 20

	// ioWindow is how many parts of one ReadAt or WriteAt are in flight.
	ioWindow = 16
)

// part is one READ or WRITE of a larger one.
type part struct {
	r *request
	n int // bytes it is about
}

// pipeline keeps parts in flight and adds up what they did, in their order.
type pipeline struct {
	open  *Open
	ctx   context.Context
	op    string
	parts []part

	n    int   // bytes done, without a gap
	stop error // what ended the progress: nothing behind it counts
}

// run sends the size bytes in parts made by start, which is told what has been sent already.
func (p *pipeline) run(size int, start func(sent int) (part, error)) (int, error) {
	if p.open.closed.Load() {
		return 0, opError(p.op, fs.ErrClosed)
	}
	for sent := 0; sent < size && p.stop == nil; {
		if len(p.parts) == ioWindow {
			p.finishFirst()
			continue
		}
		next, err := start(sent)
		if err != nil {
			p.drain()
			return p.n, p.firstError(opError(p.op, err))
		}
		p.parts = append(p.parts, next)
		sent += next.n
	}
	p.drain()
	return p.n, p.stop
}

func (p *pipeline) firstError(err error) error {
	if p.stop != nil {
		return p.stop
	}
	return err
}

// drain waits for all parts: they use the caller's memory.
func (p *pipeline) drain() {
	for len(p.parts) > 0 {
		p.finishFirst()
	}
}

// finishFirst waits for the oldest part. If the context ends, that and all others are abandoned, one after the other.
func (p *pipeline) finishFirst() {
	first := p.parts[0]
	p.parts = p.parts[1:]
	err := p.open.tree.session.conn.wait(p.ctx, []*request{first.r})
	if p.stop != nil {
		return
	}
	if err != nil {
		p.stop = opError(p.op, err)
		return
	}
	n, err := p.result(first)
	p.n += n
	p.stop = err
}

// result reads what one part did. Less than was asked is an end: of the file, or of what the server could write.
func (p *pipeline) result(done part) (int, error) {
	resp := &done.r.response
	if done.r.command == wire.CommandRead {
		if resp.status == wire.StatusEndOfFile || resp.status == wire.StatusSuccess && resp.filled < done.n {
			return resp.filled, io.EOF
		}
		return resp.filled, statusError(p.op, p.open.name, resp)
	}
	if err := statusError(p.op, p.open.name, resp); err != nil {
		return 0, err
	}
	var out wire.WriteResponse
	if err := out.Decode(resp.body); err != nil {
		return 0, opError(p.op, p.open.tree.session.conn.broken(err))
	}
	if int64(out.Count) > int64(done.n) {
		err := protocolError("WRITE of %d bytes answered with %d", done.n, out.Count)
		return 0, opError(p.op, p.open.tree.session.conn.broken(err))
	}
	if int(out.Count) < done.n {
		return int(out.Count), opError(p.op, io.ErrShortWrite)
	}
	return done.n, nil
}

// ReadAt reads len(p) bytes at off, as io.ReaderAt does: with fewer there is an error, io.EOF at the end of the file. A response with
// fewer bytes than asked for counts as the end of the file. The parts of a large read are in flight together; what does not have
// to be decrypted goes from the socket straight into p. p is not written to once ReadAt has returned.
func (o *Open) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	c := o.tree.session.conn
	limit := min(c.negotiated.maxRead, ioPart)
	line := pipeline{open: o, ctx: ctx, op: "read"}
	return line.run(len(p), func(sent int) (part, error) {
		body := &wire.ReadRequest{Length: uint32(min(limit, len(p)-sent)), Offset: uint64(off) + uint64(sent), FileID: o.id}
		r := newRequest(wire.CommandRead, body).charged(int(body.Length))
		r.sink = p[sent : sent+int(body.Length)]
		shrink := func(credits int) {
			body.Length = uint32(credits * creditUnit)
			r.sink = r.sink[:body.Length]
		}
		return o.start(ctx, r, shrink, func() int { return int(body.Length) })
	})
}

// WriteAt writes p at off, as io.WriterAt does. The parts of a large write are in flight together; the count says how many bytes, from
// the start, the server is known to have written: after an error it may have written some of those behind it, too.
func (o *Open) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	c := o.tree.session.conn
	limit := min(c.negotiated.maxWrite, ioPart)
	line := pipeline{open: o, ctx: ctx, op: "write"}
	return line.run(len(p), func(sent int) (part, error) {
		body := &wire.WriteRequest{Length: uint32(min(limit, len(p)-sent)), Offset: uint64(off) + uint64(sent), FileID: o.id}
		r := newRequest(wire.CommandWrite, body).charged(int(body.Length))
		r.payload = p[sent : sent+int(body.Length)]
		shrink := func(credits int) {
			body.Length = uint32(credits * creditUnit)
			r.payload = r.payload[:body.Length]
		}
		return o.start(ctx, r, shrink, func() int { return int(body.Length) })
	})
}

// start sends one part, which shrinks if credits are short.
func (o *Open) start(ctx context.Context, r *request, shrink func(int), size func() int) (part, error) {
	m := single(o.tree.session, o.tree.id, r)
	m.seal, m.shrink = o.tree.seal, shrink
	if err := o.tree.session.conn.send(ctx, m); err != nil {
		return part{}, err
	}
	return part{r: r, n: size()}, nil
}
