package fs

import (
	"errors"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// copyMost is how much one COPY_FILE_RANGE copies at most, in bytes: between two of them a program can be interrupted.
const copyMost = 256 << 20

// CopyFileRange answers COPY_FILE_RANGE: the server copies by itself (FSCTL_SRV_COPYCHUNK_WRITE, MS-SMB2 2.2.31.1). Where it will not,
// the kernel is told so and reads and writes instead.
func (f *FileSystem) CopyFileRange(cancel <-chan struct{}, in *fuse.CopyFileRangeIn) (uint32, fuse.Status) {
	src, dst := f.handles.get(in.FhIn), f.handles.get(in.FhOut)
	if src == nil || dst == nil || !dst.writer {
		return 0, fuse.EBADF
	}
	ctx, done := f.within(cancel)
	defer done()
	for _, h := range []*handle{src, dst} {
		if err := h.file.back.flush(ctx, everything); err != nil {
			return 0, errno(err)
		}
	}
	defer holdBoth(src, in.FhIn, dst, in.FhOut)()
	f.touch(dst)
	f.tree.BeginSet(dst.id)
	defer f.tree.EndSet(dst.id)
	n, err := dst.open.CopyFrom(ctx, src.open, int64(in.OffIn), int64(in.OffOut), int64(min(in.Len, copyMost)))
	if n > 0 {
		f.changed(dst.id)
		f.tree.Wrote(dst.id, in.OffOut+uint64(n), time.Now())
		return uint32(n), fuse.OK
	}
	if copyRefused(err) {
		return 0, fuse.Status(syscall.EOPNOTSUPP)
	}
	return 0, errno(err)
}

// copyRefused reports whether err says that the server does not copy by itself, or not this.
func copyRefused(err error) bool {
	return errors.Is(err, smbclient.ErrNotCopied) || smbclient.HasStatus(err, wire.StatusNotSupported, wire.StatusNotImplemented, wire.StatusInvalidDeviceRequest, wire.StatusInvalidParameter,
		wire.StatusInvalidViewSize, wire.StatusObjectNameNotFound, wire.StatusAccessDenied)
}

// holdBoth holds two handles for reading, the older one first, as suspend takes them: whoever waits for one that suspend has holds
// none that suspend wants.
func holdBoth(a *handle, fhA uint64, b *handle, fhB uint64) (release func()) {
	if a == b {
		a.use.RLock()
		return a.use.RUnlock
	}
	if fhB < fhA {
		a, b = b, a
	}
	a.use.RLock()
	b.use.RLock()
	return func() {
		b.use.RUnlock()
		a.use.RUnlock()
	}
}
