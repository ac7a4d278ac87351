package fs

import (
	"context"
	"syscall"
	"time"
	"unicode/utf16"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
	"smbfs/share"
	"smbfs/smbclient/wire"
)

// kernelNames is how long the kernel may at most believe a name of a coherent directory. While the directory is watched a
// change is told by a call that the kernel makes itself; this bounds what is wrong once it is watched no more. That a name is not there
// is believed for no longer than attributes: the kernel does not know that another case of it, which has been made since, is the same.
const kernelNames = 5 * time.Second

// maxName is how long a name may be, in UTF-16 code units (MS-FSCC 2.1.5.2).
const maxName = 255

// freshness says how old an answer from memory to a LOOKUP may be in dir. Where names are known, attributes
// may be as old: what opens, removes or renames has no use for them, and what has sends GETATTR.
func (f *FileSystem) freshness(dir cache.ID) cache.Freshness {
	fr := cache.Freshness{Names: f.opts.AttrTimeout, Attributes: f.opts.AttrTimeout}
	if names := f.engine.Coherent(dir); names > fr.Names {
		fr.Names, fr.Attributes = names, names
	}
	return fr
}

// namesFor is how long the kernel may believe names of dir.
func (f *FileSystem) namesFor(dir cache.ID) time.Duration {
	return max(f.opts.AttrTimeout, min(f.engine.Coherent(dir), kernelNames))
}

// Lookup answers LOOKUP.
func (f *FileSystem) Lookup(cancel <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	ctx, done := f.within(cancel)
	defer done()
	p := cache.Place{Dir: cache.ID(header.NodeId), Name: name}
	v, err := f.lookup(ctx, p)
	if err != nil {
		return errno(err)
	}
	if v.ID == 0 {
		if v.Pending {
			return fuse.ENOENT
		}
		out.SetEntryTimeout(f.opts.AttrTimeout) // node id 0: a negative entry
		return fuse.OK
	}
	f.entryOut(v, out, f.namesFor(p.Dir))
	if !f.tree.Object(v.ID, time.Now(), f.opts.AttrTimeout).Known {
		out.SetAttrTimeout(0)
	}
	if v.Entry.Kind == cache.Directory {
		f.engine.Found(v.ID)
		f.engine.UsedBy(header.Pid)
	}
	return fuse.OK
}

// lookup finds what p is to a local program, from memory or by asking the server. The answer, if
// positive, is counted as a lookup of the kernel's.
func (f *FileSystem) lookup(ctx context.Context, p cache.Place) (cache.View, error) {
	switch {
	case len(p.Name) > maxName && len(utf16.Encode([]rune(p.Name))) > maxName:
		return cache.View{}, syscall.ENAMETOOLONG
	case !share.ValidLocal(p.Name):
		return cache.View{}, syscall.EINVAL
	}
	if v := f.tree.Lookup(p, time.Now(), f.freshness(p.Dir)); v.Known {
		f.walks.used(p.Dir)
		return v, nil
	}
	return fromMemory(ctx, f, func(ctx context.Context) (cache.View, error) { return f.askFor(ctx, p) }, func() (cache.View, bool) {
		if !f.engine.Remembers(p.Dir) {
			return cache.View{}, false
		}
		v := f.tree.Lookup(p, time.Now(), cache.Freshness{Names: allTimes, Attributes: allTimes})
		return v, v.Known
	})
}

// askFor asks the server what p is.
func (f *FileSystem) askFor(ctx context.Context, p cache.Place) (cache.View, error) {
	now := time.Now()
	if f.refreshed(ctx, p.Dir) {
		if v := f.tree.Lookup(p, now, cache.Freshness{Names: time.Minute, Attributes: time.Minute}); v.Known {
			return v, nil
		}
	}
	for range 8 {
		dir, ok := f.tree.Path(p.Dir)
		if !ok {
			return cache.View{}, f.gone(p.Dir)
		}
		asOf, now := f.tree.Now(), time.Now()
		e, trueName, err := f.share.Stat(ctx, dir, p.Name)
		switch {
		case err == nil && trueName != p.Name:
			seen := f.tree.Saw(cache.Place{Dir: p.Dir, Name: trueName}, asOf, now, &e)
			v := f.tree.Alias(e, asOf, now)
			f.tree.Forget(seen.View.ID, 1) // the kernel was told of the other name
			return v, nil
		case err == nil:
			if seen := f.tree.Saw(p, asOf, now, &e); !seen.Stale {
				return seen.View, nil
			}
		case share.IsGone(err):
			if seen := f.tree.Saw(p, asOf, now, nil); !seen.Stale {
				return seen.View, nil
			}
		default:
			return cache.View{}, err
		}
	}
	return cache.View{}, syscall.EAGAIN
}

// GetAttr answers GETATTR.
func (f *FileSystem) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	ctx, done := f.within(cancel)
	defer done()
	v, err := f.getattr(ctx, cache.ID(in.NodeId))
	if err != nil {
		return errno(err)
	}
	f.attrOut(v, out)
	return fuse.OK
}

// getattr returns the object's attributes, not older than the attribute time-out.
func (f *FileSystem) getattr(ctx context.Context, id cache.ID) (cache.View, error) {
	v := f.tree.Object(id, time.Now(), f.opts.AttrTimeout)
	if at, dirty := f.lastWrite(id); dirty { // the server knows less
		v.Known, v.Entry.Write, v.Entry.Change = true, int64(wire.FiletimeOf(at)), int64(wire.FiletimeOf(at))
	}
	if v.Known {
		if dir, ok := f.tree.Parent(id); ok {
			f.walks.used(dir)
		}
		return v, nil
	}
	if v.ID == 0 {
		return v, syscall.ESTALE
	}
	return fromMemory(ctx, f, func(ctx context.Context) (cache.View, error) { return f.stat(ctx, id, v) }, func() (cache.View, bool) {
		if dir, ok := f.tree.Parent(id); !f.engine.Remembers(id) && (!ok || !f.engine.Remembers(dir)) {
			return cache.View{}, false
		}
		v := f.tree.Object(id, time.Now(), allTimes)
		return v, v.Known
	})
}

// stat asks the server for an object's attributes.
func (f *FileSystem) stat(ctx context.Context, id cache.ID, v cache.View) (cache.View, error) {
	if h := f.handles.any(id); h != nil {
		asOf, now := f.tree.Now(), time.Now()
		h.use.RLock()
		e, err := f.share.StatOpen(ctx, h.open)
		h.use.RUnlock()
		if err == nil {
			return f.tree.SawObject(id, asOf, now, e.Attr), nil
		}
	}
	return f.statObject(ctx, id, v)
}

// statObject asks the server for an object by its path.
func (f *FileSystem) statObject(ctx context.Context, id cache.ID, known cache.View) (cache.View, error) {
	path, ok := f.tree.Path(id)
	if !ok { // gone, and that is yet to be told
		known.Known, known.Pending = true, true
		return known, nil
	}
	if id == cache.RootID {
		f.rootAsked()
	} else if dir, ok := f.tree.Parent(id); ok && f.refreshed(ctx, dir) {
		if v := f.tree.Object(id, time.Now(), f.opts.AttrTimeout); v.Known {
			return v, nil
		}
	}
	asOf, now := f.tree.Now(), time.Now()
	e, err := f.share.StatPath(ctx, path)
	switch {
	case err == nil && (id == cache.RootID || e.FileID == known.Entry.FileID):
		return f.tree.SawObject(id, asOf, now, e.Attr), nil
	case err == nil || share.IsGone(err):
		f.lookAgain(id)
		known.Known, known.Pending = true, true
		return known, nil
	}
	return cache.View{}, err
}

// lookAgain has the names of an object looked at that is not where it was.
func (f *FileSystem) lookAgain(id cache.ID) {
	for _, p := range f.tree.Places(id) {
		f.engine.Look(p.Dir, []string{p.Name})
	}
}

// Forget takes lookups back.
func (f *FileSystem) Forget(nodeid, nlookup uint64) { f.tree.Forget(cache.ID(nodeid), nlookup) }

// Access answers ACCESS: the server decides when something is done.
func (f *FileSystem) Access(_ <-chan struct{}, _ *fuse.AccessIn) fuse.Status { return fuse.OK }

// Readlink answers READLINK.
func (f *FileSystem) Readlink(cancel <-chan struct{}, header *fuse.InHeader) ([]byte, fuse.Status) {
	ctx, done := f.within(cancel)
	defer done()
	path, ok := f.tree.Path(cache.ID(header.NodeId))
	if !ok {
		return nil, errno(f.gone(cache.ID(header.NodeId)))
	}
	target, err := f.share.Readlink(ctx, path)
	return []byte(target), errno(err)
}

// StatFs answers STATFS.
func (f *FileSystem) StatFs(cancel <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	ctx, done := f.within(cancel)
	defer done()
	info, err := f.share.StatFS(ctx)
	if err != nil {
		return errno(err)
	}
	*out = fuse.StatfsOut{
		Blocks: info.Total, Bfree: info.Free, Bavail: info.Available,
		Bsize: info.BlockSize, Frsize: info.BlockSize, NameLen: 255,
	}
	return fuse.OK
}
