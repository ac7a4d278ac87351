package notify

import (
	"context"
	"time"

	"smbfs/cache"
	"smbfs/notify/marks"
)

// Scanner finds which objects local programs watch; see package marks.
type Scanner interface {
	Scan(context.Context) (marks.Result, error)
	Hint(pid uint32)
	Close() error
}

const (
	// keepEvery is how often the watch set is looked after.
	keepEvery = time.Second
	// forbiddenRetry is how long a directory that may not be read is left alone, watched or not.
	forbiddenRetry = time.Minute
)

// tend looks after the watch set until the engine closes.
func (e *Engine) tend() {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			e.checkWatchConnection(now)
			e.keep(now)
		case <-e.ctx.Done():
			return
		}
	}
}

// scan follows the marks that local programs make and remove, until the engine closes.
func (e *Engine) scan(s Scanner) {
	defer s.Close()
	said := false
	for {
		began := time.Now()
		r, err := s.Scan(e.ctx)
		if e.ctx.Err() != nil {
			return
		}
		if err != nil && !said {
			said = true
			e.log.Warn("who watches what cannot be found out: all directories in use count alike", "err", err)
		}
		e.marked(r)
		e.mu.Lock()
		if err == nil {
			e.scannedAt = began
		}
		e.mu.Unlock()
		e.pause(max(r.Next, keepEvery/10))
	}
}

// UsedBy says that a process uses the mount as one does that is about to watch something.
func (e *Engine) UsedBy(pid uint32) {
	if e.opts.Marks != nil {
		e.opts.Marks.Hint(pid)
	}
}

// marked takes what a scan found.
func (e *Engine) marked(r marks.Result) {
	e.mu.Lock()
	e.whole = r.Whole
	e.mu.Unlock()
	for _, node := range r.Removed {
		e.mark(cache.ID(node), false)
	}
	for _, node := range r.Added {
		e.mark(cache.ID(node), true)
	}
	e.mu.Lock()
	files := make([]cache.ID, 0, len(e.markedFiles))
	for id := range e.markedFiles {
		files = append(files, id)
	}
	e.mu.Unlock()
	for _, id := range files { // they may have moved
		e.mark(id, true)
	}
}

// mark takes note that a local program watches id, or does no longer. A mark on a file has its
// directory watched.
func (e *Engine) mark(id cache.ID, on bool) {
	v := e.tree.Object(id, time.Time{}, 0)
	dir := id
	if v.ID != 0 && v.Entry.Kind != cache.Directory {
		dir, _ = e.tree.Parent(id)
	}
	e.mu.Lock()
	old := e.markedFiles[id]
	if _, marked := e.markedDirs[id]; marked && old == 0 && dir == id {
		old = id
	}
	if !on || v.ID == 0 {
		dir = 0
	}
	if old == dir {
		e.mu.Unlock()
		return
	}
	delete(e.markedFiles, id)
	delete(e.markedDirs, id)
	switch {
	case dir == id:
		e.markedDirs[id] = struct{}{}
	case dir != 0:
		e.markedFiles[id] = dir
	}
	if old != 0 {
		e.unpin(old)
	}
	if dir != 0 {
		e.pins[dir]++
	}
	e.mu.Unlock()
	if dir != 0 {
		e.repin(dir)
	}
}

// unpin takes one of the marks on dir back. Preconditions: e.mu is held.
func (e *Engine) unpin(dir cache.ID) {
	if e.pins[dir]--; e.pins[dir] > 0 {
		return
	}
	delete(e.pins, dir)
	delete(e.absent, dir)
	e.tree.Pin(dir, false)
	if w := e.watches[dir]; w != nil {
		w.pinned = false
		w.usedAt = time.Now()
		if w.granted {
			e.oldest.touch(w)
		}
	}
}

// repin has a directory with a mark watched, if it is not.
func (e *Engine) repin(dir cache.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pins[dir] == 0 {
		return
	}
	w := e.watches[dir]
	if w == nil {
		w = e.watch(dir, e.unmarkedAt())
	}
	if w == nil { // not there, or not any more
		return
	}
	w.pinned = true
	e.tree.Pin(dir, true)
	e.oldest.remove(w)
	now := time.Now()
	if !w.secure.IsZero() {
		e.rests(w)
		e.attendAt(w, w.secure)
	}
	e.grant(w, now)
	e.plan(w, now)
}

// kernelNames is how long the kernel may believe a name at most: a program that begins to watch a directory longer after its last use here
// has it looked up.
const kernelNames = 5 * time.Second

// unmarkedAt is when no local program can have watched a directory yet that is not known to be watched and that the kernel has known for a while.
// Preconditions: e.mu is held.
func (e *Engine) unmarkedAt() time.Time {
	if at := time.Now().Add(-kernelNames); e.scannedAt.Before(at) {
		return at
	}
	return e.scannedAt
}

// watch begins to watch dir, which no local program watched at since: what is newer is news. Preconditions: e.mu is held.
func (e *Engine) watch(dir cache.ID, since time.Time) *watch {
	if e.opts.Mode == Off || e.ctx.Err() != nil || !e.tree.Watch(dir, time.Now(), e.share.ClockAt(since)) {
		return nil
	}
	w := newWatch(e, dir)
	w.usedAt = time.Now()
	w.pinned = e.pins[dir] > 0
	e.watches[dir] = w
	delete(e.absent, dir)
	if !e.grant(w, w.usedAt) {
		e.over[w] = struct{}{}
	}
	e.attend(w)
	return w
}
