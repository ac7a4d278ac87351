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

// fileLocks are the locks that a File has. Where a write lease says that no other client has the file open, the server need not know of them,
// until it asks for the lease: PushLocks.
type fileLocks struct {
	held  map[Extent]LockMode // none is Unlocked
	here  map[Extent]struct{} // of these the server knows nothing
	doubt map[Extent]struct{} // the server was asked to change these, and it is not known whether it did
	lost  bool                // not all of held could be had on the server
}

// SetLock locks an extent, unlocks it, or changes how it is locked, and reports whether the server was asked. It does not wait for others' locks: where
// one is in the way it fails with STATUS_LOCK_NOT_GRANTED, and all is as it was. There may be one call at a time of SetLock and PushLocks for a File.
func (f *File) SetLock(ctx context.Context, x Extent, to LockMode) (asked bool, err error) {
	f.mu.Lock()
	from, sure := f.locks.held[x], f.locks.sure(x)
	if f.locks.mayKeep(x) && f.leaseState()&wire.LeaseWrite != 0 {
		f.locks.changed(x, to, true, nil)
		f.mu.Unlock()
		return false, nil
	}
	f.mu.Unlock()
	err = f.share.work.do(ctx, func(t *smbclient.TreeConnect, again bool) error {
		o, err := f.on(ctx, t)
		if err != nil {
			return err
		}
		if again || !sure {
			return resetLock(ctx, o, x, from, to)
		}
		return changeLock(ctx, o, x, from, to)
	})
	if errors.Is(err, ErrLockLost) {
		return true, f.forfeit(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.locks.changed(x, to, false, err)
	return true, err
}

// mayKeep reports whether the server knows of no lock on x. Preconditions: File.mu is held.
func (l *fileLocks) mayKeep(x Extent) bool {
	_, doubt := l.doubt[x]
	_, here := l.here[x]
	return !l.lost && !doubt && (here || l.held[x] == Unlocked)
}

// sure reports whether the server has x locked as held says. Preconditions: File.mu is held.
func (l *fileLocks) sure(x Extent) bool {
	_, doubt := l.doubt[x]
	_, here := l.here[x]
	return !doubt && !here
}

// changed notes what came of the attempt to have x locked, here or on the server. Preconditions: File.mu is held.
func (l *fileLocks) changed(x Extent, to LockMode, here bool, err error) {
	if l.held == nil {
		l.held, l.here, l.doubt = map[Extent]LockMode{}, map[Extent]struct{}{}, map[Extent]struct{}{}
	}
	if _, refused := smbclient.StatusOf(err); refused {
		return
	}
	delete(l.doubt, x)
	delete(l.here, x)
	switch {
	case err != nil:
		l.doubt[x] = struct{}{}
		return
	case to == Unlocked:
		delete(l.held, x)
		return
	case here:
		l.here[x] = struct{}{}
	}
	l.held[x] = to
}

// PushLocks has the server take the locks that it knows nothing of, before it is given the lease that allowed that: another client is about to
// open the file. If it refuses one the file is lost to who has it open.
func (f *File) PushLocks(ctx context.Context) error {
	f.mu.Lock()
	none := len(f.locks.here) == 0
	f.mu.Unlock()
	if none {
		return nil
	}
	err := f.share.work.do(ctx, func(t *smbclient.TreeConnect, again bool) error {
		o, err := f.on(ctx, t)
		if err != nil {
			return err
		}
		return f.push(ctx, o, again)
	})
	if errors.Is(err, ErrLockLost) {
		return f.forfeit(err)
	}
	return err
}

// push locks on the server what is locked here.
func (f *File) push(ctx context.Context, o *smbclient.Open, again bool) error {
	f.mu.Lock()
	todo := make(map[Extent]LockMode, len(f.locks.here))
	for x := range f.locks.here {
		todo[x] = f.locks.held[x]
	}
	f.mu.Unlock()
	if again { // the server may have some already
		for x, mode := range todo {
			if err := resetLock(ctx, o, x, mode, mode); err != nil {
				return err
			}
		}
	} else if err := lockAll(ctx, o, todo); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for x := range todo {
		delete(f.locks.here, x)
	}
	return nil
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

// relock takes all locks on o, which has none. Somebody else may have had them meanwhile, and may have let go of them again: that cannot be told,
// as with any file that had to be opened again.
func (f *File) relock(ctx context.Context, o *smbclient.Open) error {
	f.mu.Lock()
	all := maps.Clone(f.locks.held)
	f.mu.Unlock()
	if err := lockAll(ctx, o, all); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.locks.here)
	clear(f.locks.doubt)
	return nil
}

// lockAll locks what is not locked yet on the server; ErrLockLost says that somebody else has one of them.
func lockAll(ctx context.Context, o *smbclient.Open, locks map[Extent]LockMode) error {
	var all []smbclient.Range
	for x, mode := range locks {
		all = append(all, x.as(mode))
	}
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
