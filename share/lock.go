package share

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"

	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// LockMode is how an extent of a file is locked on the server.
type LockMode uint8

// The modes, the stronger the later.
const (
	Unlocked        LockMode = iota
	LockedShared             // others may lock it so too; nobody may write
	LockedExclusive          // others may neither lock nor read nor write
)

// Extent is a part of a file: length bytes from an offset. What is locked is unlocked by the same extent only.
type Extent struct{ Offset, Length uint64 }

func (x Extent) as(mode LockMode) smbclient.Range {
	return smbclient.Range{Offset: x.Offset, Length: x.Length, Exclusive: mode == LockedExclusive}
}

// ErrLockLost says that somebody else took what was locked, while there was no connection or the lock was changed. What the user of the file
// relied on is not so any more, and the File is of no use. It matches ESTALE.
var ErrLockLost = errors.Join(errors.New("a lock is lost to somebody else"), syscall.ESTALE)

// IsLocked reports whether err says that a lock of somebody else's is in the way: of a lock, or of a READ or WRITE.
func IsLocked(err error) bool {
	return smbclient.HasStatus(err, wire.StatusLockNotGranted, wire.StatusFileLockConflict)
}

// fileLocks are the locks that a File has on the server.
type fileLocks struct {
	held  map[Extent]LockMode // none is Unlocked
	doubt map[Extent]struct{} // the server was asked to change these, and it is not known whether it did
	lost  bool                // not all of held could be had again
}

// SetLock locks an extent, unlocks it, or changes how it is locked. It does not wait for others' locks: where one is in the way it fails with
// STATUS_LOCK_NOT_GRANTED, and all is as it was. There may be one call at a time for a File.
func (f *File) SetLock(ctx context.Context, x Extent, to LockMode) error {
	f.mu.Lock()
	from := f.locks.held[x]
	_, doubt := f.locks.doubt[x]
	f.mu.Unlock()
	err := f.share.work.do(ctx, func(t *smbclient.TreeConnect, again bool) error {
		o, err := f.on(ctx, t)
		if err != nil {
			return err
		}
		if again || doubt {
			return resetLock(ctx, o, x, from, to)
		}
		return changeLock(ctx, o, x, from, to)
	})
	if errors.Is(err, ErrLockLost) {
		return f.forfeit(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.locks.changed(x, to, err)
	return err
}

// changed notes what came of the attempt to have x locked. Preconditions: File.mu is held.
func (l *fileLocks) changed(x Extent, to LockMode, err error) {
	if l.held == nil {
		l.held, l.doubt = map[Extent]LockMode{}, map[Extent]struct{}{}
	}
	delete(l.doubt, x)
	_, refused := smbclient.StatusOf(err)
	switch {
	case refused:
	case err != nil:
		l.doubt[x] = struct{}{}
	case to == Unlocked:
		delete(l.held, x)
	default:
		l.held[x] = to
	}
}

// changeLock has x locked another way. A server lets one open lock shared what it has locked exclusively, not the other way round.
func changeLock(ctx context.Context, o *smbclient.Open, x Extent, from, to LockMode) error {
	switch {
	case from == to:
		return nil
	case from == LockedExclusive && to == LockedShared:
		if err := o.Lock(ctx, x.as(to)); err != nil {
			return err
		}
		return o.Unlock(ctx, x.as(from))
	case from == Unlocked:
		return o.Lock(ctx, x.as(to))
	}
	if err := o.Unlock(ctx, x.as(from)); err != nil || to == Unlocked {
		return err
	}
	return lockOr(ctx, o, x, from, to)
}

// resetLock has x locked where it is not known how it is locked.
func resetLock(ctx context.Context, o *smbclient.Open, x Extent, from, to LockMode) error {
	for range 3 { // of the same extent there are two at most: changeLock
		err := o.Unlock(ctx, x.as(to))
		if smbclient.HasStatus(err, wire.StatusRangeNotLocked) {
			break
		}
		if err != nil {
			return err
		}
	}
	if to == Unlocked {
		return nil
	}
	return lockOr(ctx, o, x, from, to)
}

// lockOr locks x, which is not locked, or else as it was.
func lockOr(ctx context.Context, o *smbclient.Open, x Extent, from, to LockMode) error {
	refused := o.Lock(ctx, x.as(to))
	if !IsLocked(refused) || from == Unlocked {
		return refused
	}
	err := o.Lock(ctx, x.as(from))
	if IsLocked(err) {
		return fmt.Errorf("%w (%v)", ErrLockLost, err)
	}
	return errors.Join(refused, err)
}

// relock takes all locks on o, which has none; ErrLockLost says that somebody else has one of them. Somebody else may have had them meanwhile, and may have let go of them again: that cannot be
// told, as with any file that had to be opened again.
func (f *File) relock(ctx context.Context, o *smbclient.Open) error {
	f.mu.Lock()
	var all []smbclient.Range
	for x, mode := range f.locks.held {
		all = append(all, x.as(mode))
	}
	f.mu.Unlock()
	for some := range slices.Chunk(all, smbclient.MaxLocks) {
		err := o.Lock(ctx, some...)
		if IsLocked(err) {
			return fmt.Errorf("%w (%v)", ErrLockLost, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Forfeit gives the file up: what its user had locked could not be locked again, for err.
func (f *File) Forfeit(err error) { _ = f.forfeit(fmt.Errorf("%w (%v)", ErrLockLost, err)) }

// Lost reports whether the file was given up on account of a lock.
func (f *File) Lost() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.locks.lost
}

// forfeit gives the file up for those that have it open: ErrLockLost is all that they get from now on.
func (f *File) forfeit(err error) error {
	f.mu.Lock()
	first := !f.locks.lost
	f.locks.lost = true
	path, _ := f.where()
	f.mu.Unlock()
	if first {
		f.share.files.lost.Add(1)
		f.share.work.log.Warn("an open file is lost to the programs that have it open", "path", path, "err", err)
	}
	return err
}

// copy is for a File that takes the place of another. Preconditions: File.mu is held.
func (l *fileLocks) copy() fileLocks { return fileLocks{held: maps.Clone(l.held), lost: l.lost} }
