package fs

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
	"smbfs/share"
)

// lockRequest reads a SETLK, SETLKW or GETLK.
func (f *FileSystem) lockRequest(in *fuse.LkIn) (h *handle, w held, status fuse.Status) {
	if h = f.handles.get(in.Fh); h == nil || cache.ID(in.NodeId) != h.id {
		return nil, held{}, fuse.EBADF
	}
	mode, ok := map[uint32]share.LockMode{syscall.F_UNLCK: share.Unlocked, syscall.F_RDLCK: share.LockedShared, syscall.F_WRLCK: share.LockedExclusive}[in.Lk.Typ]
	if !ok || in.Lk.End < in.Lk.Start || in.Lk.End >= 1<<63 {
		return nil, held{}, fuse.EINVAL
	}
	w = heldOf(h, owner{in.Owner, in.LkFlags&fuse.FUSE_LK_FLOCK != 0}, span{in.Lk.Start, in.Lk.End + 1}, mode)
	w.pid = in.Lk.Pid
	return h, w, fuse.OK
}

// SetLk answers SETLK.
func (f *FileSystem) SetLk(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	h, w, status := f.lockRequest(in)
	if status != fuse.OK {
		return status
	}
	ctx, done := f.within(cancel)
	defer done()
	if w.mode == share.Unlocked {
		f.giveBack(ctx, h, w.owner, w.span)
		return fuse.OK
	}
	return errno(f.take(ctx, &h.file.locks, w))
}

const (
	lockPause     = 5 * time.Millisecond // before the server is asked again
	lockPauseMost = 100 * time.Millisecond
)

// SetLkw answers SETLKW: it waits for the lock. An interrupt ends that at once; the kernel has the call begin anew where that is due.
func (f *FileSystem) SetLkw(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	if in.Lk.Typ == syscall.F_UNLCK {
		return f.SetLk(cancel, in)
	}
	h, w, status := f.lockRequest(in)
	if status != fuse.OK {
		return status
	}
	ctx, done := f.within(cancel)
	defer done()
	l := &h.file.locks
	for pause := lockPause; ; pause = min(2*pause, lockPauseMost) {
		l.mu.Lock()
		freed := l.freed
		l.mu.Unlock()
		err := f.take(ctx, l, w)
		if !share.IsLocked(err) && !errors.Is(err, syscall.EAGAIN) {
			return errno(err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-freed:
		case <-timer.C:
		case <-cancel:
			timer.Stop()
			return fuse.EINTR
		}
		timer.Stop()
	}
}

// GetLk answers GETLK: who keeps a lock from being given.
func (f *FileSystem) GetLk(cancel <-chan struct{}, in *fuse.LkIn, out *fuse.LkOut) fuse.Status {
	h, w, status := f.lockRequest(in)
	if status != fuse.OK {
		return status
	}
	ctx, done := f.within(cancel)
	defer done()
	l := &h.file.locks
	if err := l.begin(ctx); err != nil {
		return errno(err)
	}
	defer l.end()
	local, pieces := l.state()
	out.Lk = fuse.FileLock{Start: in.Lk.Start, End: in.Lk.End, Typ: syscall.F_UNLCK}
	if c := local.conflict(w); c != nil {
		out.Lk = fuse.FileLock{Start: c.from, End: c.to - 1, Typ: lockType(c.mode), Pid: c.pid}
		return fuse.OK
	}
	for _, g := range gaps(w.span, pieces) {
		mode, err := f.probe(ctx, lockPiece{g, w.mode, h})
		if err != nil {
			return errno(err)
		}
		if mode != share.Unlocked { // whose it is a server does not say
			out.Lk.Typ = lockType(mode)
			return fuse.OK
		}
	}
	return fuse.OK
}

// probe returns how others have locked some of p, so that it could not be had: not at all, if it could. It is locked for a moment.
func (f *FileSystem) probe(ctx context.Context, p lockPiece) (share.LockMode, error) {
	by := share.Unlocked
	_, err := f.setLock(ctx, p)
	if share.IsLocked(err) && p.mode == share.LockedExclusive {
		by, p.mode = share.LockedShared, share.LockedShared
		_, err = f.setLock(ctx, p)
	}
	switch {
	case share.IsLocked(err):
		return share.LockedExclusive, nil
	case err != nil:
		return 0, err
	}
	p.mode = share.Unlocked
	_, err = f.setLock(ctx, p)
	return by, err
}

func lockType(mode share.LockMode) uint32 {
	switch mode {
	case share.LockedShared:
		return syscall.F_RDLCK
	case share.LockedExclusive:
		return syscall.F_WRLCK
	}
	return syscall.F_UNLCK
}
