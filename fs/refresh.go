package fs

import (
	"context"
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
	// listTooLong is what a listing may take to be worth it.
	listTooLong = 300 * time.Millisecond
)

// walks recognises directories whose entries are asked for one after the other.
type walks struct {
	mu    sync.Mutex
	byDir map[cache.ID]*walk // guarded by mu
}

// walk is the recent past of one directory.
type walk struct {
	since   time.Time
	misses  int
	cost    time.Duration // of the last listing made for this
	failed  bool          // that listing
	listing chan struct{} // closed when the listing under way has ended; nil: none
}

// refreshed is called before the server is asked about a name in dir. It reports true if the
// directory was listed instead.
func (f *FileSystem) refreshed(ctx context.Context, dir cache.ID) bool {
	w := &f.walks
	w.mu.Lock()
	now := time.Now()
	k := w.byDir[dir]
	if k == nil {
		w.trim(now)
		k = &walk{since: now}
		w.byDir[dir] = k
	}
	if now.Sub(k.since) > missWindow && k.listing == nil {
		k.since, k.misses = now, 0
	}
	k.misses++
	if ch := k.listing; ch != nil {
		w.mu.Unlock()
		select {
		case <-ch:
			w.mu.Lock()
			defer w.mu.Unlock()
			return !k.failed
		case <-ctx.Done():
			return false
		}
	}
	if k.misses <= missesToList && !f.isSmall(dir, now) || k.cost > listTooLong {
		w.mu.Unlock()
		return false
	}
	k.listing = make(chan struct{})
	k.misses = 0
	w.mu.Unlock()

	err := f.refresh(ctx, dir)

	w.mu.Lock()
	defer w.mu.Unlock()
	close(k.listing)
	k.listing = nil
	k.cost, k.failed = time.Since(now), err != nil
	return err == nil
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
	if len(w.byDir) < 1024 {
		return
	}
	for id, k := range w.byDir {
		if k.listing == nil && now.Sub(k.since) > missWindow {
			delete(w.byDir, id)
		}
	}
}
