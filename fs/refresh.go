package fs

import (
	"context"
	"errors"
	"sync"
	"time"

	"smbfs/cache"
)

// missesToList is how many questions about single names of one directory, within missWindow, are
// answered one by one. Then somebody is walking it, and one listing answers all the rest.
const (
	missesToList = 4
	missWindow   = time.Second
	// smallDirectory is how many entries a directory may have that is listed at the first of them.
	smallDirectory = 256
	// walksMost is how many directories are remembered before those that nobody has asked for lately are forgotten.
	walksMost = 1 << 14
	// listTooLong is what the listing of a directory that is not small may take to be worth it at any time. One that takes longer is made
	// again after slowPause times as long.
	listTooLong = 300 * time.Millisecond
	slowPause   = 16
)

// walks recognises directories whose entries are asked for one after the other, and the order in which directories are: see listahead.go and
// walkahead.go.
type walks struct {
	mu    sync.Mutex
	byDir map[cache.ID]*walk // guarded by mu
	last  cache.ID           // guarded by mu: the last directory that was asked for, or listed ahead
	ahead sync.WaitGroup     // listings that nobody waits for yet

	orders  []*order  // guarded by mu
	steps   int       // guarded by mu: how many directories of those in orders were opened
	stepped time.Time // guarded by mu: when the last one was
	run     int       // guarded by mu: how many are listed ahead of it
}

// walk is the recent past of one directory. Guarded by walks.mu.
type walk struct {
	since   time.Time
	misses  int
	pause   time.Time     // until when none is made, since the last one took too long
	failed  bool          // the last listing
	listing chan struct{} // closed when the listing under way has ended; nil: none
	next    cache.ID      // what was asked for after this one
	unused  bool          // it was listed ahead, and nobody has asked for it since
}

// refreshed is called before the server is asked about a name in dir. It reports true if the
// directory was listed instead.
func (f *FileSystem) refreshed(ctx context.Context, dir cache.ID) bool {
	w := &f.walks
	w.mu.Lock()
	now := time.Now()
	k := w.of(dir, now)
	if now.Sub(k.since) > missWindow && k.listing == nil {
		k.since, k.misses = now, 0
	}
	k.misses++
	if k.listing == nil && !f.isSmall(dir, now) && (k.misses <= missesToList || now.Before(k.pause)) {
		w.mu.Unlock()
		return false
	}
	return f.listOnce(ctx, dir, k) == nil
}

// errListing says that a listing which was under way has failed.
var errListing = errors.New("the directory could not be listed")

// listed lists a directory, or waits for the listing that is under way.
func (f *FileSystem) listed(ctx context.Context, dir cache.ID) error {
	f.walks.mu.Lock()
	err := f.listOnce(ctx, dir, f.walks.of(dir, time.Now()))
	if err == errListing {
		return f.refresh(ctx, dir)
	}
	return err
}

// listOnce lists a directory, or waits for the listing that is under way. Preconditions: walks.mu is held; afterwards it is not.
func (f *FileSystem) listOnce(ctx context.Context, dir cache.ID, k *walk) error {
	w := &f.walks
	k.misses, k.unused = 0, false
	if ch := k.listing; ch != nil {
		w.mu.Unlock()
		select {
		case <-ch:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if k.failed {
			return errListing
		}
		return nil
	}
	began := time.Now()
	k.listing = make(chan struct{})
	ahead := f.listAhead(dir, k)
	w.mu.Unlock()
	ahead()
	err := f.refresh(ctx, dir)
	w.ended(k, began, err)
	return err
}

// ended notes that the listing of k has ended.
func (w *walks) ended(k *walk, began time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(k.listing)
	k.listing = nil
	k.failed = err != nil
	if took := time.Since(began); took > listTooLong {
		k.pause = time.Now().Add(slowPause * took)
	}
}

// of returns the past of a directory. Preconditions: mu is held.
func (w *walks) of(dir cache.ID, now time.Time) *walk {
	k := w.byDir[dir]
	if k == nil {
		w.trim(now)
		k = &walk{since: now}
		w.byDir[dir] = k
	}
	return k
}

// isSmall reports whether listing a directory costs no more than a question about one name.
func (f *FileSystem) isSmall(dir cache.ID, now time.Time) bool {
	return f.tree.Entries(dir) <= smallDirectory && f.tree.Complete(dir, now, allTimes)
}

// allTimes is the age of a listing made at any time.
const allTimes = 1<<63 - 1

// trim forgets walks that have ended. Preconditions: w.mu is held.
func (w *walks) trim(now time.Time) {
	if w.byDir == nil {
		w.byDir = map[cache.ID]*walk{}
	}
	if len(w.byDir) < walksMost {
		return
	}
	for id, k := range w.byDir {
		if k.listing == nil && now.Sub(k.since) > missWindow {
			delete(w.byDir, id)
		}
	}
}
