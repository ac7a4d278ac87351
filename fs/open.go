package fs

import (
	"context"
	"errors"
	iofs "io/fs"
	"slices"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
	"smbfs/share"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// opening translates the flags of open(2).
func opening(flags uint32) share.Opening {
	var o share.Opening
	switch flags & syscall.O_ACCMODE {
	case syscall.O_RDONLY:
		o.Read = true
	case syscall.O_WRONLY:
		o.Write = true
	default:
		o.Read, o.Write = true, true
	}
	o.Write = o.Write || flags&syscall.O_TRUNC != 0
	o.Create = flags&syscall.O_CREAT != 0
	o.Exclusive = flags&syscall.O_EXCL != 0
	return o
}

// Open answers OPEN.
func (f *FileSystem) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	ctx, done := f.within(cancel)
	defer done()
	id := cache.ID(in.NodeId)
	how := opening(in.Flags &^ (syscall.O_CREAT | syscall.O_EXCL))
	if how.Write && f.opts.ReadOnly {
		return fuse.EROFS
	}
	l := f.use(id)
	how.Lease = l.wanted()
	reader, alone := !how.Write && in.Flags&syscall.O_DIRECT == 0, f.files.inUse(l) == 1
	if reader {
		how.First = f.room(id)
	}
	asOf, now, changes := f.tree.Now(), time.Now(), l.changes.Load()
	o, e, err := f.openObject(ctx, id, how)
	if err != nil {
		f.first.give(how.First)
		f.leave(l)
		return errno(err)
	}
	if how.Write {
		f.awaitTold(ctx, id)
	}
	f.sizeAt(id, now, e.Attr)
	f.tree.SawObject(id, asOf, now, e.Attr)
	fh := f.opened(l, id, o, how.Write, in.Flags)
	f.handles.get(fh).came(&f.first, how.First, o.First(), e.Attr, now, changes)
	if in.Flags&syscall.O_TRUNC != 0 && (e.Size > 0 || f.isDirty(id)) {
		if err := f.truncateOpen(ctx, id, o, 0); err != nil {
			f.release(fh)
			return errno(err)
		}
	}
	out.Fh, out.OpenFlags = fh, f.openFlags(in.Flags)
	switch {
	case how.Write:
		f.pages.drop(id)
	case reader && f.keepPages(id, e.Attr, now, alone && o.Lease().State&wire.LeaseWrite != 0): // when the handle is in the table: see dropAll
		out.OpenFlags |= fuse.FOPEN_KEEP_CACHE
	}
	return fuse.OK
}

// openFlags lets the kernel send WRITEs of O_DIRECT at once that do not extend the file: it takes the inode's lock for each otherwise.
// One that does not know CAP_DIRECT_IO_ALLOW_MMAP would keep stale pages for other handles of the file, and refuse to map this one.
func (f *FileSystem) openFlags(flags uint32) uint32 {
	if flags&syscall.O_DIRECT == 0 || f.server.KernelSettings().Flags64()&fuse.CAP_DIRECT_IO_ALLOW_MMAP == 0 {
		return 0
	}
	return fuse.FOPEN_DIRECT_IO | fuse.FOPEN_PARALLEL_DIRECT_WRITES
}

const (
	// knownWithin is how long an open waits at most for a change on the server to be told that has taken its file elsewhere, or away.
	knownWithin = 5 * time.Second
	// settleFor is how long one waits for what others hold open, and who writes to a new file for it to be told.
	settleFor = time.Second
)

// openObject opens an object where it is on the server. If the server has another file there, or
// none, a change is on its way to be told. Where the object is becomes known before that, and it
// is opened there. If it is gone, the open waits until that has been told and fails with ESTALE: the kernel
// then looks the name up again, which finds what has taken its place. An OPEN holds none of the locks
// that the telling needs.
func (f *FileSystem) openObject(ctx context.Context, id cache.ID, how share.Opening) (*share.File, cache.Entry, error) {
	deadline := time.Now().Add(knownWithin)
	for {
		path, ok := f.tree.Path(id)
		if ok {
			o, e, err := f.share.Open(ctx, path, how)
			if err == nil && f.tree.HasFileID(id, e.FileID) {
				return o, e, nil
			}
			if err == nil {
				_, _ = o.Close(ctx)
			} else if !share.IsGone(err) {
				return nil, cache.Entry{}, err
			}
			f.lookAgain(id)
		}
		told := f.tree.Places(id)
		for now := path; now == path && slices.Equal(told, f.tree.Places(id)); now, _ = f.tree.Path(id) {
			if time.Now().After(deadline) {
				return nil, cache.Entry{}, f.gone(id)
			}
			select {
			case <-time.After(2 * time.Millisecond):
			case <-ctx.Done():
				return nil, cache.Entry{}, context.Cause(ctx)
			}
		}
		if len(f.tree.Places(id)) == 0 {
			return nil, cache.Entry{}, syscall.ESTALE
		}
	}
}

// awaitTold waits until a name of a new object has been told, for who is about to write to it: watchers
// would hear of its content before they heard of it. Like openObject it holds no lock that the telling needs.
func (f *FileSystem) awaitTold(ctx context.Context, id cache.ID) {
	for deadline := time.Now().Add(settleFor); len(f.tree.Places(id)) == 0 && time.Now().Before(deadline); {
		if _, ok := f.tree.Path(id); !ok {
			return
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

// opened enters a new handle into the tables.
func (f *FileSystem) opened(l *file, id cache.ID, o *share.File, writer bool, flags uint32) uint64 {
	f.tree.Opened(id, writer)
	if writer {
		f.engine.Touched(f.tree.Places(id)...)
	}
	o.Follow(func() (string, bool) { return f.tree.Path(id) })
	h := &handle{
		ctx: f.ctx, id: id, file: l, open: o, writer: writer,
		append: flags&syscall.O_APPEND != 0,
		direct: flags&syscall.O_DIRECT != 0,
	}
	h.ahead.memory, h.ahead.hold = &f.ahead, h.hold
	h.seen, _ = l.back.failed(0)
	return f.handles.add(h)
}

// Create answers CREATE: the file is made, or opened if somebody else has made it meanwhile.
func (f *FileSystem) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	if f.opts.ReadOnly {
		return fuse.EROFS
	}
	ctx, done := f.within(cancel)
	defer done()
	p := cache.Place{Dir: cache.ID(in.NodeId), Name: name}
	path, err := f.pathIn(p)
	if err != nil {
		return errno(err)
	}
	own := f.begin(p)
	defer own.End()
	how := opening(in.Flags)
	how.Create, how.ReadOnly = true, in.Mode&0o222 == 0
	l := f.use(0)
	how.Lease = l.wanted()
	o, e, err := f.create(ctx, path, how)
	if err != nil {
		f.leave(l)
		return errno(err)
	}
	if in.Flags&syscall.O_TRUNC != 0 && o.Action() == wire.ActionOpened && e.Size > 0 {
		if _, err := o.SetEndOfFile(ctx, 0); err != nil {
			_, _ = o.Close(ctx)
			f.leave(l)
			return errno(err)
		}
		e.Size = 0
	}
	known := own.Created
	if o.Action() == wire.ActionCreated {
		known = own.Made
	}
	v := known(p, e, time.Now())
	f.entryOut(v, &out.EntryOut, f.namesFor(p.Dir))
	out.Fh, out.OpenFlags = f.opened(f.made(l, v.ID), v.ID, o, how.Write, in.Flags), f.openFlags(in.Flags)
	return fuse.OK
}

// create makes a file. One of that name that is gone for us, but that somebody else still has open, is
// waited for a little.
func (f *FileSystem) create(ctx context.Context, path string, how share.Opening) (*share.File, cache.Entry, error) {
	deadline := time.Now().Add(settleFor)
	for {
		o, e, err := f.share.Open(ctx, path, how)
		if !smbclient.HasStatus(err, wire.StatusDeletePending) || time.Now().After(deadline) {
			return o, e, err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return nil, cache.Entry{}, context.Cause(ctx)
		}
	}
}

// closeFor is how long a RELEASE waits for the server's answer to the CLOSE. No program waits for it and none could interrupt it; the unmount does.
const closeFor = 10 * time.Second

// Release answers RELEASE: the last descriptor of a handle is closed.
func (f *FileSystem) Release(_ <-chan struct{}, in *fuse.ReleaseIn) { f.release(in.Fh) }

func (f *FileSystem) release(fh uint64) {
	h := f.handles.closing(fh)
	if h == nil {
		return
	}
	h.first.drop()
	h.ahead.close()
	_ = h.file.back.flush(f.ctx, everything) // FLUSH has told of failures
	f.closeLocks(h)
	ctx, done := context.WithTimeout(f.ctx, closeFor)
	defer done()
	h.use.RLock()
	asOf := f.tree.Closing(h.id)
	info, err := h.open.Close(ctx)
	h.use.RUnlock()
	var final *cache.Attr
	if err == nil && info.Valid {
		a := share.AttrOf(info.FileInfo)
		final = &a
	}
	if h.writer {
		f.engine.Touched(f.tree.Places(h.id)...)
	}
	f.tree.Closed(h.id, h.writer, asOf, final, time.Now())
	if told := h.file.told.Load(); h.touched.Load() != 0 && told != 0 && (final == nil || final.Write != told) {
		_ = f.server.InodeNotify(uint64(h.id), -1, 0) // attributes only: this never waits
	}
	f.handles.remove(fh, h)
	f.leave(h.file)
}

// Flush answers FLUSH, which comes with every close(2): the server has what was written, or close fails. It may also have gone
// since, and have lost it.
func (f *FileSystem) Flush(cancel <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	h := f.handles.get(in.Fh)
	if h == nil {
		return fuse.EBADF
	}
	h.flush()
	ctx, done := f.within(cancel)
	defer done()
	defer f.giveBack(ctx, h, owner{id: in.LockOwner}, allBytes) // a close ends all fcntl locks that the process has on the file
	if !h.writer {
		return fuse.OK
	}
	if err := f.flush(ctx, h, false); err != nil {
		return errno(err)
	}
	h.use.RLock()
	defer h.use.RUnlock()
	return errno(h.open.Settle(ctx))
}

// flush waits until the server has what was written, and says what went wrong with that. A close says it each time until an fsync
// has: a close of a descriptor's copy, of which fork and exec make many, tells nobody.
func (f *FileSystem) flush(ctx context.Context, h *handle, once bool) error {
	if err := h.file.back.flush(ctx, everything); err != nil {
		return err
	}
	err := h.failure(once)
	if err == nil {
		return nil
	}
	asOf, now := f.tree.Now(), time.Now() // the size is not what was written
	h.use.RLock()
	defer h.use.RUnlock()
	if e, failed := f.share.StatOpen(ctx, h.open); failed == nil {
		f.tree.SawObject(h.id, asOf, now, e.Attr)
	}
	return err
}

// Fsync answers FSYNC: what was written is on the server's disk.
func (f *FileSystem) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	h := f.handles.get(in.Fh)
	if h == nil {
		return fuse.EBADF
	}
	ctx, done := f.within(cancel)
	defer done()
	if h.writer {
		return errno(f.sync(ctx, h, true))
	}
	// Through one opened for reading what others have written is meant. A server takes FLUSH from who may write alone (MS-SMB2 3.3.5.11).
	for _, other := range f.handles.of(h.id) {
		if !other.writer {
			continue
		}
		if err := f.sync(ctx, other, false); err != nil && !errors.Is(err, iofs.ErrClosed) {
			return errno(err)
		}
	}
	return fuse.OK
}

// sync waits until what was written through h is on the server's disk.
func (f *FileSystem) sync(ctx context.Context, h *handle, once bool) error {
	if err := f.flush(ctx, h, once); err != nil {
		return err
	}
	h.use.RLock()
	defer h.use.RUnlock()
	return h.open.Flush(ctx)
}

// FsyncDir answers FSYNCDIR: the server has every change of names when it has answered.
func (f *FileSystem) FsyncDir(_ <-chan struct{}, _ *fuse.FsyncIn) fuse.Status { return fuse.OK }
