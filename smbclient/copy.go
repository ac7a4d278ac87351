package smbclient

import (
	"context"
	"errors"

	"smbfs/smbclient/wire"
)

// What servers take in one FSCTL_SRV_COPYCHUNK unless told otherwise (MS-SMB2 3.3.3: ServerSideCopyMaxChunkSize and
// ServerSideCopyMaxDataSize, by default).
const (
	copyChunk   = 1 << 20
	copyRequest = 16 * copyChunk
)

// ErrOtherShare says that two opens are not of one share on one connection.
var ErrOtherShare = errors.New("the two files are not of one share")

// ErrNotCopied says that the server has copied nothing, and why it would not say.
var ErrNotCopied = errors.New("the server has copied nothing, and reported success")

// CopyRange has the server copy n bytes at from in src to o, at to, and returns how many it copied. Nothing of them passes through here. The
// range has to lie within src. src needs the right to read, o that to write. Where the file system clones blocks, it copies those that are whole
// and leaves the rest to the next call.
func (o *Open) CopyRange(ctx context.Context, src *Open, from, to, n int64) (int64, error) {
	const op = "copy"
	if src.tree != o.tree {
		return 0, opError(op, ErrOtherShare)
	}
	if cloned := o.clone(ctx, src, from, to, n); cloned > 0 {
		return cloned, nil
	}
	out, err := src.Ioctl(ctx, wire.FsctlSrvRequestResumeKey, nil, 32)
	if err != nil {
		return 0, opError(op, err)
	}
	var key wire.SrvRequestResumeKeyResponse
	if err := key.Decode(out); err != nil {
		return 0, opError(op, o.tree.session.conn.broken(err))
	}
	var done int64
	for done < n {
		part := min(n-done, copyRequest)
		copied, err := o.copyChunks(ctx, key.ResumeKey, from+done, to+done, part)
		done += copied
		if err != nil {
			return done, opError(op, err)
		}
		switch {
		case done == 0:
			return 0, opError(op, ErrNotCopied)
		case copied < part:
			return done, nil
		}
	}
	return done, nil
}

// copyChunks sends one request.
func (o *Open) copyChunks(ctx context.Context, key wire.ResumeKey, from, to, n int64) (int64, error) {
	in := wire.SrvCopychunkCopy{SourceKey: key}
	for at := int64(0); at < n; at += copyChunk {
		in.Chunks = append(in.Chunks, wire.SrvCopychunk{
			SourceOffset: uint64(from + at), TargetOffset: uint64(to + at), Length: uint32(min(copyChunk, n-at)),
		})
	}
	out, err := o.Ioctl(ctx, wire.FsctlSrvCopychunkWrite, in.Append(nil), 12)
	if err != nil {
		return 0, err
	}
	var resp wire.SrvCopychunkResponse
	if err := resp.Decode(out); err != nil {
		return 0, o.tree.session.conn.broken(err)
	}
	if int64(resp.TotalBytesWritten) > n {
		return 0, o.tree.session.conn.broken(protocolError("%d bytes copied of %d", resp.TotalBytesWritten, n))
	}
	return int64(resp.TotalBytesWritten), nil
}
