package fs

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"time"

	"smbfs/share"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// Locks of local programs, by fcntl(2) and flock(2), are kept here, as the kernel would keep them, and on the server, where programs on
// other machines meet them. There a lock belongs to an open and is mandatory, so:
//
//   - each is taken on the open that the program has, and what another handle of ours may not read or write for that reason goes through that one;
//   - while a write lease says that no other client has the file open, the server need not know of them, and is told before it gets the lease
//     back (pushLocks). That waits for the turn, so whoever has it and found the lease is there has noted what he locked;
//   - what several local programs share is locked once. Pieces are grown and never split;
//   - who has got a lock sees what others have done before: what is cached of the file is dropped. Who gives one back has written all;
//   - the server is asked again and again by who waits. One that is told to wait would give the lock to somebody who has gone, where the
//     connection is lost or the program is interrupted in that moment.

// locks are those of one file.
type locks struct {
	turn chan struct{} // holds one token while somebody changes pieces

	mu     sync.Mutex
	held   heldLocks     // guarded by mu
	pieces []lockPiece   // guarded by mu, and changed by who has the turn
	freed  chan struct{} // guarded by mu: closed when something is given back
}

func newLocks() locks { return locks{turn: make(chan struct{}, 1), freed: make(chan struct{})} }

// idle reports whether nothing is locked, and nobody is about to.
func (l *locks) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held) == 0 && len(l.pieces) == 0 && len(l.turn) == 0
}

// begin takes the turn. The caller ends it with end.
func (l *locks) begin(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		l.dropLost()
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *locks) end() { <-l.turn }

// dropLost ends what was locked by way of files that are lost: it is not locked any more. Preconditions: the caller has the turn.
func (l *locks) dropLost() {
	_, pieces := l.state()
	lost := map[*handle]bool{}
	for _, p := range pieces {
		if _, known := lost[p.via]; !known {
			lost[p.via] = p.via.isLost()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = slices.DeleteFunc(slices.Clone(l.held), func(h held) bool { return lost[h.via] })
	l.pieces = slices.DeleteFunc(l.pieces, func(p lockPiece) bool { return lost[p.via] })
}

func (h *handle) isLost() bool {
	h.use.RLock()
	defer h.use.RUnlock()
	return h.open.Lost()
}

// state returns what is locked here and there.
func (l *locks) state() (heldLocks, []lockPiece) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held, slices.Clone(l.pieces)
}

// hold notes a lock that was given, or given back.
func (l *locks) hold(change func(heldLocks) heldLocks) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = change(l.held)
	close(l.freed)
	l.freed = make(chan struct{})
}

// note says what p is on the server now. Preconditions: the caller has the turn.
func (l *locks) note(p lockPiece) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pieces = slices.DeleteFunc(l.pieces, func(q lockPiece) bool { return q.span == p.span && q.via == p.via })
	if p.mode != share.Unlocked {
		l.pieces = append(l.pieces, p)
	}
}

// through returns the handle that has locked some of s on the server, if it is another than h.
func (l *locks) through(s span, h *handle) *handle {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.pieces {
		if p.via != h && p.meets(s) {
			return p.via
		}
	}
	return nil
}

// setLock has p locked on the server, and reports whether that was asked. One that has no locks is not asked again.
func (f *FileSystem) setLock(ctx context.Context, p lockPiece) (asked bool, err error) {
	if f.localLocks.Load() {
		return false, nil
	}
	p.via.use.RLock()
	defer p.via.use.RUnlock()
	asked, err = p.via.open.SetLock(ctx, p.extent(), p.mode)
	if smbclient.HasStatus(err, wire.StatusNotSupported, wire.StatusNotImplemented, wire.StatusInvalidDeviceRequest) {
		if !f.localLocks.Swap(true) {
			f.log.Warn("the server has no locks: they are local to this machine", "err", err)
		}
		return false, nil
	}
	return asked, err
}

// pushLocks has the server take the locks of a file that it knows nothing of, before it is given the lease.
func (f *FileSystem) pushLocks(ctx context.Context, l *locks) {
	if l.idle() || l.begin(ctx) != nil {
		return
	}
	defer l.end()
	_, pieces := l.state()
	pushed := map[*handle]bool{}
	for _, p := range pieces {
		if pushed[p.via] || f.localLocks.Load() {
			continue
		}
		pushed[p.via] = true
		p.via.use.RLock()
		err := p.via.open.PushLocks(ctx)
		p.via.use.RUnlock()
		if err != nil {
			f.log.Warn("the server does not take the locks that programs have here", "err", err)
		}
	}
}

// take gives w to its owner, or fails with EAGAIN.
func (f *FileSystem) take(ctx context.Context, l *locks, w held) error {
	if err := l.begin(ctx); err != nil {
		return err
	}
	defer l.end()
	local, _ := l.state()
	if local.conflict(w) != nil {
		return syscall.EAGAIN
	}
	asked, err := f.cover(ctx, l, w)
	if err == nil && asked {
		err = f.seeAnew(ctx, w.via)
	}
	if err == nil {
		l.hold(func(h heldLocks) heldLocks { return h.with(w) })
	}
	f.trim(ctx, l) // what w is less than before; or what was locked in vain
	if ctx.Err() != nil {
		f.trimLater(l)
	}
	return err
}

// cover has the server lock what w needs and is not locked yet, and reports whether it was asked. Preconditions: the caller has the turn.
func (f *FileSystem) cover(ctx context.Context, l *locks, w held) (asked bool, err error) {
	_, pieces := l.state()
	var missing []lockPiece
	for _, p := range pieces {
		if p.meets(w.span) && p.mode < w.mode {
			p.mode = w.mode
			missing = append(missing, p)
		}
	}
	for _, g := range gaps(w.span, pieces) {
		missing = append(missing, lockPiece{g, w.mode, w.via})
	}
	for _, p := range missing {
		told, err := f.setLock(ctx, p)
		if asked = asked || told; err != nil {
			return asked, err
		}
		l.note(p)
	}
	return asked, nil
}

// trim has the server unlock what nobody needs any more. What it cannot be told stays locked until it can, or until the handle is
// closed. Preconditions: the caller has the turn.
func (f *FileSystem) trim(ctx context.Context, l *locks) {
	local, pieces := l.state()
	for _, p := range pieces {
		need := local.strongest(p.span)
		if need >= p.mode {
			continue
		}
		p.mode = need
		if _, err := f.setLock(ctx, p); err != nil {
			f.log.Debug("unlock", "err", err)
			continue
		}
		l.note(p)
	}
}

// trimLater is trim for a caller who does not wait any longer.
func (f *FileSystem) trimLater(l *locks) {
	f.served.Go(func() {
		if l.begin(f.ctx) == nil {
			f.trim(f.ctx, l)
			l.end()
		}
	})
}

// seeAnew has what follows see what others did before they let go of a lock. It waits for the kernel to drop its pages: it holds no lock
// while it waits for the answer to a SETLK.
func (f *FileSystem) seeAnew(ctx context.Context, h *handle) error {
	asOf, now := f.tree.Now(), time.Now()
	h.use.RLock()
	e, err := f.share.StatOpen(ctx, h.open)
	h.use.RUnlock()
	if err != nil {
		return err
	}
	f.tree.SawObject(h.id, asOf, now, e.Attr)
	f.changed(h.id)
	dropped := make(chan struct{})
	f.served.Go(func() {
		defer close(dropped)
		_ = f.inval.Inode(uint64(h.id), 0, 0)
	})
	select {
	case <-dropped:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// giveBack takes the locks of an owner in s back. What was written under them is on the server before.
func (f *FileSystem) giveBack(ctx context.Context, h *handle, o owner, s span) {
	l := &h.file.locks
	if local, _ := l.state(); !local.of(o) {
		return
	}
	_ = h.file.back.flush(ctx, everything) // close and fsync tell of failures
	l.hold(func(held heldLocks) heldLocks {
		return held.with(heldOf(h, o, s, share.Unlocked))
	})
	if l.begin(ctx) == nil {
		f.trim(ctx, l)
		l.end()
	}
	if ctx.Err() != nil {
		f.trimLater(l)
	}
}

func heldOf(h *handle, o owner, s span, mode share.LockMode) held {
	return held{span: s, owner: o, mode: mode, via: h}
}

// allBytes is what flock(2) locks.
var allBytes = span{0, 1 << 63}

// closeLocks ends the locks of a handle that is about to be closed on the server, which unlocks its pieces. What others need of those is
// locked by their own handles.
func (f *FileSystem) closeLocks(h *handle) {
	l := &h.file.locks
	if l.idle() {
		return
	}
	l.hold(func(held heldLocks) heldLocks { return held.notThrough(h) })
	if l.begin(f.ctx) != nil {
		return
	}
	defer l.end()
	local, pieces := l.state()
	for _, p := range pieces {
		if p.via != h {
			continue
		}
		need := local.strongest(p.span) != share.Unlocked
		if p.mode = share.Unlocked; need {
			_, _ = f.setLock(f.ctx, p)
		}
		l.note(p)
		if need {
			f.coverAll(l, p.span)
		}
	}
}

// coverAll has the server lock anew what local programs have locked in s. Preconditions: the caller has the turn.
func (f *FileSystem) coverAll(l *locks, s span) {
	local, _ := l.state()
	for _, w := range local {
		if !w.meets(s) {
			continue
		}
		if _, err := f.cover(f.ctx, l, w); share.IsLocked(err) {
			w.via.use.RLock()
			w.via.open.Forfeit(err)
			w.via.use.RUnlock()
		}
	}
}
