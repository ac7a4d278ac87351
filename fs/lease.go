package fs

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"smbfs/cache"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// file is what the open handles of one file share: the key of its lease, and what was written and is not on the server yet.
type file struct {
	key     wire.LeaseKey
	back    writeback
	appends sync.Mutex    // held over an append, so that each begins where the last one ended
	changes atomic.Uint64 // how often its content was said to have changed
	told    atomic.Int64  // the write time that the kernel was given since the last write, a FILETIME; 0: none
	locks   locks

	id   cache.ID // guarded by files.mu; 0 until a file that is being made has one
	uses int      // guarded by files.mu: handles, and opens under way
}

// files is the table of files that are open, or about to be.
type files struct {
	mu    sync.Mutex
	byID  map[cache.ID]*file      // guarded by mu
	byKey map[wire.LeaseKey]*file // guarded by mu
}

// use returns the file of an object, or with id 0 that of one that is being made. leave must follow.
func (f *FileSystem) use(id cache.ID) *file {
	t := &f.files
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.byID[id]
	if l == nil || id == 0 {
		l = f.newFile(id)
		if t.byKey == nil {
			t.byID, t.byKey = map[cache.ID]*file{}, map[wire.LeaseKey]*file{}
		}
		t.byKey[l.key] = l
		if id != 0 {
			t.byID[id] = l
		}
	}
	l.uses++
	return l
}

func (f *FileSystem) newFile(id cache.ID) *file {
	l := &file{id: id, locks: newLocks()}
	_, _ = rand.Read(l.key[:])
	l.back.memory = &f.behind
	l.back.dirty = func() { f.tree.BeginSet(l.id) }
	l.back.clean = func() { f.tree.EndSet(l.id) }
	l.back.sent = func(err error) {
		f.changed(l.id)
		if err != nil {
			f.log.Warn("what was written did not get to the server", "err", err)
		}
	}
	return l
}

// made says which object the file is. If that is open already, the two become one, and the first's lease counts.
func (f *FileSystem) made(l *file, id cache.ID) *file {
	t := &f.files
	t.mu.Lock()
	defer t.mu.Unlock()
	if other := t.byID[id]; other != nil {
		other.uses++
		delete(t.byKey, l.key)
		return other
	}
	l.id, t.byID[id] = id, l
	return l
}

// leave ends a use.
func (f *FileSystem) leave(l *file) {
	t := &f.files
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.uses--; l.uses > 0 {
		return
	}
	delete(t.byKey, l.key)
	if t.byID[l.id] == l {
		delete(t.byID, l.id)
	}
}

// find returns the file with that key, or nil.
func (t *files) find(key wire.LeaseKey) *file {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byKey[key]
}

// of returns the file of an object if it is open, or nil.
func (t *files) of(id cache.ID) *file {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// wanted is the lease to ask for. A file that may be written is to be written behind; of one that is read the right to write it says that
// nobody else has it open: see pages.
func (l *file) wanted() smbclient.Lease {
	return smbclient.Lease{Key: l.key, State: wire.LeaseRead | wire.LeaseHandle | wire.LeaseWrite}
}

// inUse is how many handles of a file there are, and opens under way.
func (t *files) inUse(l *file) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return l.uses
}

// breakTime is how long the break of a lease may keep another client waiting for what was written here.
const breakTime = 20 * time.Second

// broken gives back what the server asks for: somebody else wants the file. What the lease has allowed to be held back is
// written first. The kernel's pages are dropped after the answer, which waits for nothing of the kernel's.
func (f *FileSystem) broken(e smbclient.BreakEvent) {
	var l *file
	if e.Lease != nil {
		l = f.files.find(e.Lease.LeaseKey)
	}
	if l == nil {
		f.acknowledge(e)
		return
	}
	ctx, cancel := context.WithTimeout(f.ctx, breakTime)
	defer cancel()
	if err := l.back.flush(ctx, everything); err != nil {
		f.log.Warn("another client has to wait no longer for what was written here", "err", err)
	}
	if e.Lease.NewLeaseState&wire.LeaseWrite == 0 {
		f.pushLocks(ctx, &l.locks)
	}
	id := f.idOf(l)
	unread := e.Lease.NewLeaseState&wire.LeaseRead == 0 && id != 0
	if unread {
		f.changed(id)
	}
	f.acknowledge(e)
	if unread {
		f.dropAll(id)
	}
}

func (f *FileSystem) acknowledge(e smbclient.BreakEvent) {
	if err := e.Acknowledge(f.ctx); err != nil {
		f.log.Debug("acknowledge a break", "err", err)
	}
}

func (f *FileSystem) idOf(l *file) cache.ID {
	f.files.mu.Lock()
	defer f.files.mu.Unlock()
	return l.id
}

// settle waits until the server has what was written to an object: before its size or times are set.
func (f *FileSystem) settle(ctx context.Context, id cache.ID) error {
	if l := f.files.of(id); l != nil {
		return l.back.flush(ctx, everything)
	}
	return nil
}

// isDirty reports whether the server lacks something that was written to an object.
func (f *FileSystem) isDirty(id cache.ID) bool {
	_, dirty := f.lastWrite(id)
	return dirty
}

// lastWrite is when an object was written last, if the server lacks that.
func (f *FileSystem) lastWrite(id cache.ID) (time.Time, bool) {
	if l := f.files.of(id); l != nil {
		return l.back.wrote()
	}
	return time.Time{}, false
}
