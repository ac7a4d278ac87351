package fs

import (
	"time"

	"smbfs/cache"
)

// Programs ask for the same directories in the same order again and again: find and git do, and whoever has a list of names. When the
// attributes of all have got too old, each would be a round trip that is waited for. So the order is remembered, and the listing that
// somebody waits for has those with it that came next the last time, all under way at once. One that was listed ahead for nobody ends that: it is
// not listed ahead again before somebody has asked for it.

// aheadListings is how many directories are listed with one that somebody waits for.
const aheadListings = 16

// aboveRoot stands for what the root's own attributes would be listed in.
const aboveRoot cache.ID = 0

// listAhead notes that dir, whose past is k, is asked for now, and returns a function that starts the listings of those that come next.
// Preconditions: walks.mu is held, and not for that function.
func (f *FileSystem) listAhead(dir cache.ID, k *walk) (start func()) {
	w := &f.walks
	if before := w.byDir[w.last]; before != nil && w.last != dir {
		before.next = dir
	}
	w.last = dir
	now := time.Now()
	next := map[cache.ID]*walk{}
	for range aheadListings {
		id := k.next
		if k = w.byDir[id]; k == nil || id == aboveRoot || k.unused || k.listing != nil {
			break
		}
		if !f.tree.Complete(id, now, f.opts.AttrTimeout) {
			if !f.isSmall(id, now) {
				break
			}
			k.listing, k.unused = make(chan struct{}), true
			next[id] = k
		}
		w.last = id
	}
	return func() { f.list(next, now, f.refresh) }
}

// rootAsked notes that somebody is about to wait for the root's own attributes.
func (f *FileSystem) rootAsked() {
	w := &f.walks
	w.mu.Lock()
	ahead := f.listAhead(aboveRoot, w.of(aboveRoot, time.Now()))
	w.mu.Unlock()
	ahead()
}

// used notes that somebody was answered from what is known of a directory.
func (w *walks) used(dir cache.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if k := w.byDir[dir]; k != nil {
		k.unused = false
	}
}
