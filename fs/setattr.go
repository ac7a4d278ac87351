package fs

import (
	"context"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
	"smbfs/share"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// SetAttr answers SETATTR: size, times, and of the mode what SMB carries: whether anybody may
// write. Owner and group are what the mount says, and changing them is accepted without effect,
// as mount.cifs does, so that programs that restore them go on.
func (f *FileSystem) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if f.opts.ReadOnly {
		return fuse.EROFS
	}
	if !storable(in.GetATime()) || !storable(in.GetMTime()) {
		return fuse.EINVAL
	}
	ctx, done := f.within(cancel)
	defer done()
	id := cache.ID(in.NodeId)
	v := f.tree.Object(id, time.Now(), f.opts.AttrTimeout)
	if v.ID == 0 {
		return fuse.Status(syscall.ESTALE)
	}
	if size, ok := in.GetSize(); ok {
		var err error
		if v, err = f.truncate(ctx, id, in, size); err != nil {
			return errno(err)
		}
	}
	if basic, ok := f.basic(in, v.Entry); ok {
		var err error
		if v, err = f.setBasic(ctx, id, basic); err != nil {
			return errno(err)
		}
	} else if !v.Known {
		var err error
		if v, err = f.getattr(ctx, id); err != nil {
			return errno(err)
		}
	}
	f.attrOut(v, out)
	return fuse.OK
}

// storable reports whether SMB has a time for t, if one is given: from 1601 to 30828 (MS-DTYP 2.3.3). Another would become one of these unseen.
func storable(t time.Time, given bool) bool {
	return !given || wire.FiletimeOf(t).Time().Sub(t).Abs() < time.Second
}

// setBasic sets times and attributes, through a handle that may write if there is one.
func (f *FileSystem) setBasic(ctx context.Context, id cache.ID, b wire.FileBasicInformation) (cache.View, error) {
	if h := f.handles.writer(id); h != nil {
		return f.setBasicOpen(ctx, h, b)
	}
	if err := f.settle(ctx, id); err != nil {
		return cache.View{}, err
	}
	path, ok := f.tree.Path(id)
	if !ok {
		return cache.View{}, f.gone(id)
	}
	begun := f.tree.BeginSet(id)
	defer f.tree.EndSet(id)
	e, err := f.share.SetBasic(ctx, path, b)
	if err != nil {
		return cache.View{}, err
	}
	return f.tree.Set(id, begun, e.Attr, time.Now()), nil
}

// setBasicOpen does it after all writes through h. The last of them goes in the same message if it waits for more.
func (f *FileSystem) setBasicOpen(ctx context.Context, h *handle, b wire.FileBasicInformation) (cache.View, error) {
	var begun cache.Stamp
	var v cache.View
	var failed error
	err := h.file.back.after(ctx, h, func() { begun = f.tree.BeginSet(h.id) }, func(last smbclient.Last) (wrote error) {
		defer f.tree.EndSet(h.id)
		if len(last.Bytes) > 0 {
			ctx = h.ctx // whoever set the times may go, but not what was written
		}
		e, n, err := h.setBasic(ctx, last, b)
		if n < len(last.Bytes) && share.IsLocked(err) {
			if n, err = h.put(ctx, last.Bytes, last.Offset); err == nil {
				e, _, err = h.setBasic(ctx, smbclient.Last{}, b)
			}
		}
		if failed = err; err == nil {
			v = f.tree.Set(h.id, begun, e.Attr, time.Now())
		}
		if n < len(last.Bytes) {
			return err
		}
		return nil
	})
	if err != nil {
		return cache.View{}, err
	}
	return v, failed
}

func (h *handle) setBasic(ctx context.Context, last smbclient.Last, b wire.FileBasicInformation) (cache.Entry, int, error) {
	h.use.RLock()
	defer h.use.RUnlock()
	return h.open.SetBasic(ctx, last, b)
}

// basic returns what of the request SMB can carry (MS-FSCC 2.4.7).
func (f *FileSystem) basic(in *fuse.SetAttrIn, e cache.Entry) (b wire.FileBasicInformation, any bool) {
	if t, ok := in.GetATime(); ok {
		b.LastAccessTime, any = wire.FiletimeOf(t), true
	}
	if t, ok := in.GetMTime(); ok {
		b.LastWriteTime, any = wire.FiletimeOf(t), true
	}
	mode, ok := in.GetMode()
	flags := wire.FileAttributes(e.Flags)
	if !ok || e.Kind != cache.File || (mode&0o222 == 0) == (flags&wire.AttributeReadonly != 0) {
		return b, any
	}
	b.FileAttributes = flags ^ wire.AttributeReadonly
	if b.FileAttributes == 0 {
		b.FileAttributes = wire.AttributeNormal
	}
	return b, true
}

// truncate sets a file's size, through a handle that may write if there is one.
func (f *FileSystem) truncate(ctx context.Context, id cache.ID, in *fuse.SetAttrIn, size uint64) (cache.View, error) {
	if err := f.settle(ctx, id); err != nil {
		return cache.View{}, err
	}
	h := f.handles.writer(id)
	if fh, ok := in.GetFh(); ok {
		if own := f.handles.get(fh); own != nil && own.writer {
			h = own
		}
	}
	if h != nil {
		h.use.RLock()
		defer h.use.RUnlock()
		if err := f.truncateOpen(ctx, id, h.open, size); err != nil {
			return cache.View{}, err
		}
		return f.tree.Object(id, time.Now(), f.opts.AttrTimeout), nil
	}
	path, ok := f.tree.Path(id)
	if !ok {
		return cache.View{}, f.gone(id)
	}
	begun := f.tree.BeginSet(id)
	defer f.tree.EndSet(id)
	e, err := f.share.Truncate(ctx, path, size)
	if err != nil {
		return cache.View{}, err
	}
	return f.tree.Set(id, begun, e.Attr, time.Now()), nil
}

// truncateOpen sets a file's size through an open handle, and learns what that made of its times.
func (f *FileSystem) truncateOpen(ctx context.Context, id cache.ID, o *share.File, size uint64) error {
	if err := f.settle(ctx, id); err != nil {
		return err
	}
	begun := f.tree.BeginSet(id)
	defer f.tree.EndSet(id)
	e, err := o.SetEndOfFile(ctx, size)
	if err != nil {
		return err
	}
	f.tree.Set(id, begun, e.Attr, time.Now())
	return nil
}

// pathIn returns the server's path for a name in a directory, as a local program means it.
func (f *FileSystem) pathIn(p cache.Place) (string, error) {
	if !share.ValidLocal(p.Name) {
		return "", syscall.EINVAL
	}
	path, ok := f.tree.PathOf(p.Dir, p.Name)
	if !ok {
		return "", f.gone(p.Dir)
	}
	return path, nil
}

// gone is the error for an object that the server has no more. At ESTALE the kernel looks the path up
// once again: where that was told already it finds what is there now. Where it is yet to be told
// the answer is that of any file system.
func (f *FileSystem) gone(id cache.ID) error {
	if _, _, told := f.tree.Exists(id); told {
		return syscall.ENOENT
	}
	return syscall.ESTALE
}
