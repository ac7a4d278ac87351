package smbclient

import (
	"context"

	"smbfs/smbclient/wire"
)

// A file system with block cloning copies without copying: both files share the blocks until one of them is written. Only whole blocks can be
// shared (MS-FSCC 2.3.7.2); what is left over is copied.

const (
	// cloneLeast is how many bytes are worth the requests that cloning takes.
	cloneLeast = 256 << 10
	// noCloning stands for a file system that cannot.
	noCloning = -1
)

// cloneBlock returns the size of the blocks that can be shared, in bytes, or noCloning.
func (t *TreeConnect) cloneBlock(ctx context.Context) int64 {
	if block := t.cloning.Load(); block != 0 {
		return block
	}
	info, err := t.StatFS(ctx)
	if err != nil {
		return noCloning // for this time
	}
	block := int64(noCloning)
	if info.Attributes&wire.FsSupportsBlockRefcounting != 0 && info.BlockSize < 1<<30 {
		block = int64(info.BlockSize)
	}
	t.cloning.Store(block)
	return block
}

// clone has o share the blocks with src that lie wholly in the range, from its beginning on. It returns how many bytes that were: none if the
// server does not do it; o may have grown then to hold the range, which is to be copied.
func (o *Open) clone(ctx context.Context, src *Open, from, to, n int64) int64 {
	if n < cloneLeast {
		return 0
	}
	block := o.tree.cloneBlock(ctx)
	if block == noCloning || from%block != 0 || to%block != 0 {
		return 0
	}
	n -= n % block
	st, err := o.Stat(ctx)
	if err != nil || n == 0 {
		return 0
	}
	if st.EndOfFile < uint64(to+n) { // The target's range has to be there. To set the size might cut off what others write meanwhile.
		if _, err := o.WriteAt(ctx, []byte{0}, to+n-1); err != nil {
			return 0
		}
	}
	in := wire.DuplicateExtents{SourceFileID: src.id, SourceFileOffset: uint64(from), TargetFileOffset: uint64(to), ByteCount: uint64(n)}
	if _, err = o.Ioctl(ctx, wire.FsctlDuplicateExtentsToFile, in.Append(nil), 0); err == nil {
		return n
	}
	if HasStatus(err, wire.StatusInvalidDeviceRequest, wire.StatusNotImplemented) {
		o.tree.cloning.Store(noCloning)
	}
	return 0
}
