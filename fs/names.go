package fs

import (
	"context"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
)

// Mknod answers MKNOD: SMB has no special files.
func (f *FileSystem) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	if in.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return fuse.EPERM
	}
	return f.makeName(cancel, &in.InHeader, name, out, (*cache.Own).Made, func(ctx context.Context, path string) (cache.Entry, error) {
		return f.share.Make(ctx, path, false, in.Mode&0o222 == 0)
	})
}

// Mkdir answers MKDIR.
func (f *FileSystem) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return f.makeName(cancel, &in.InHeader, name, out, (*cache.Own).Made, func(ctx context.Context, path string) (cache.Entry, error) {
		return f.share.Make(ctx, path, true, false)
	})
}

// Symlink answers SYMLINK. Servers that do not store symbolic links refuse it.
func (f *FileSystem) Symlink(cancel <-chan struct{}, header *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	status := f.makeName(cancel, header, name, out, (*cache.Own).Made, func(ctx context.Context, path string) (cache.Entry, error) {
		return f.share.Symlink(ctx, path, target)
	})
	if status == fuse.Status(syscall.EOPNOTSUPP) {
		return fuse.EPERM // symlink(2): the file system does not support symbolic links
	}
	return status
}

// makeName has make give an object a name. known says what that is to the tree: something new, or what has another name already.
func (f *FileSystem) makeName(cancel <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut,
	known func(*cache.Own, cache.Place, cache.Entry, time.Time) cache.View, make func(context.Context, string) (cache.Entry, error)) fuse.Status {
	if f.opts.ReadOnly {
		return fuse.EROFS
	}
	ctx, done := f.within(cancel)
	defer done()
	p := cache.Place{Dir: cache.ID(header.NodeId), Name: name}
	path, err := f.pathIn(p)
	if err != nil {
		return errno(err)
	}
	own := f.begin(p)
	defer own.End()
	e, err := make(ctx, path)
	if err != nil {
		return errno(err)
	}
	f.entryOut(known(own, p, e, time.Now()), out, f.namesFor(p.Dir))
	return fuse.OK
}

// begin starts an own operation on names.
func (f *FileSystem) begin(places ...cache.Place) *cache.Own {
	f.engine.Touched(places...)
	return f.tree.Begin(places...)
}

// Link answers LINK.
func (f *FileSystem) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	id := cache.ID(in.Oldnodeid)
	return f.makeName(cancel, &in.InHeader, name, out, (*cache.Own).Created, func(ctx context.Context, path string) (cache.Entry, error) {
		old, ok := f.tree.Path(id)
		if !ok {
			return cache.Entry{}, f.gone(id)
		}
		if err := f.share.Link(ctx, old, path); err != nil {
			return cache.Entry{}, err
		}
		return f.share.StatPath(ctx, path)
	})
}

// Unlink answers UNLINK.
func (f *FileSystem) Unlink(cancel <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	if f.opts.ReadOnly {
		return fuse.EROFS
	}
	ctx, done := f.within(cancel)
	defer done()
	p := cache.Place{Dir: cache.ID(header.NodeId), Name: name}
	path, err := f.pathIn(p)
	if err != nil {
		return errno(err)
	}
	own := f.begin(p)
	defer own.End()
	id, e := f.tree.TrueOccupant(p)
	var aside *asideFile
	if f.handles.awaitClosed(id) {
		if aside, err = f.setAside(ctx, id, p, path, e.FileID); err != nil {
			return errno(err)
		}
	}
	if aside != nil {
		if err = aside.remove(ctx); err != nil {
			aside.putBack(ctx)
		}
	} else {
		err = f.share.Remove(ctx, path, false, e.FileID)
	}
	if err != nil {
		return errno(err)
	}
	own.Removed(p)
	return fuse.OK
}

// Rmdir answers RMDIR. The handles by which the directory is watched are closed first: the server
// would keep the directory while they are open.
func (f *FileSystem) Rmdir(cancel <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	if f.opts.ReadOnly {
		return fuse.EROFS
	}
	ctx, done := f.within(cancel)
	defer done()
	p := cache.Place{Dir: cache.ID(header.NodeId), Name: name}
	path, err := f.pathIn(p)
	if err != nil {
		return errno(err)
	}
	own := f.begin(p)
	defer own.End()
	id, e := f.tree.TrueOccupant(p)
	defer f.engine.Release(ctx, id)()
	if id != 0 {
		f.handles.awaitAside(id, settleFor)
	}
	if err := f.share.Remove(ctx, path, true, e.FileID); err != nil {
		if id != 0 {
			f.engine.Use(id)
		}
		return errno(err)
	}
	own.Removed(p)
	return fuse.OK
}

// Rename answers RENAME and RENAME2.
func (f *FileSystem) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	if f.opts.ReadOnly {
		return fuse.EROFS
	}
	const noReplace = 1 // RENAME_NOREPLACE
	if in.Flags&^noReplace != 0 {
		return fuse.EINVAL
	}
	ctx, done := f.within(cancel)
	defer done()
	from := cache.Place{Dir: cache.ID(in.NodeId), Name: oldName}
	to := cache.Place{Dir: cache.ID(in.Newdir), Name: newName}
	oldPath, err := f.pathIn(from)
	if err != nil {
		return errno(err)
	}
	newPath, err := f.pathIn(to)
	if err != nil {
		return errno(err)
	}
	own := f.begin(from, to)
	defer own.End()
	r := renaming{f, from, to, oldPath, newPath, in.Flags&noReplace == 0}
	if err := r.do(ctx); err != nil {
		return errno(err)
	}
	own.Renamed(from, to, time.Now())
	return fuse.OK
}
