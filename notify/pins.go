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
	added := make([]cache.ID, 0, len(r.Added))
	for _, node := range r.Added {
		added = append(added, e.mark(cache.ID(node), true))
	}
	for _, dir := range added { // when all are known: one must not take the place of another
		e.repinUp(dir)
	}
	e.mu.Lock()
	files := make([]cache.ID, 0, len(e.markedFiles))
	for id := range e.markedFiles {
		files = append(files, id)
	}
	e.mu.Unlock()
	for _, id := range files { // they may have moved
		e.repinUp(e.mark(id, true))
	}
	e.reparent()
}

// mark takes note that a local program watches id, or does no longer. A mark on a file has its
// directory watched. It returns the directory that is to be watched for it, 0 if that is so or none is.
func (e *Engine) mark(id cache.ID, on bool) cache.ID {
	v := e.tree.Object(id, time.Time{}, 0)
	dir := id
	if v.ID != 0 && v.Entry.Kind != cache.Directory {
		dir, _ = e.tree.Parent(id)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.markedFiles[id]
	if _, marked := e.markedDirs[id]; marked && old == 0 && dir == id {
		old = id
	}
	if !on || v.ID == 0 {
		dir = 0
	}
	if old == dir {
		return 0
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
		e.keepWatch(dir)
		e.rise(dir)
	}
	return dir
}

// Who watches a directory, or a file in one, is also to be told when it moves or goes, which the directory above it shows; and where it is when
// one of those farther above has moved. So all of them are watched, up to the root.

// needed reports whether dir has a mark, or is above one that has. Preconditions: e.mu is held.
func (e *Engine) needed(dir cache.ID) bool { return e.pins[dir] > 0 || e.above[dir] > 0 }

// rise notes that the directories above dir, which is needed, are needed for it. Preconditions: e.mu is held.
func (e *Engine) rise(dir cache.ID) {
	for e.up[dir] == 0 {
		parent, ok := e.tree.Parent(dir)
		if !ok {
			return
		}
		e.up[dir] = parent
		e.above[parent]++
		e.keepWatch(parent)
		dir = parent
	}
}

// keepWatch has the watch of a needed directory, if it has one, not give its place to another. Preconditions: e.mu is held.
func (e *Engine) keepWatch(dir cache.ID) {
	if w := e.watches[dir]; w != nil {
		w.pinned = true
		e.oldest.remove(w)
	}
}

// sink takes back what rise noted, if dir is not needed any more. Preconditions: e.mu is held.
func (e *Engine) sink(dir cache.ID) {
	for dir != 0 && !e.needed(dir) {
		e.unneeded(dir)
		parent := e.up[dir]
		delete(e.up, dir)
		if parent != 0 {
			e.fewerBelow(parent)
		}
		dir = parent
	}
}

// fewerBelow notes that a directory in dir needs it no more. Preconditions: e.mu is held.
func (e *Engine) fewerBelow(dir cache.ID) {
	if e.above[dir]--; e.above[dir] <= 0 {
		delete(e.above, dir)
	}
}

// reparent follows directories that have moved: others are above them now.
func (e *Engine) reparent() {
	moves := e.tree.Moves()
	e.mu.Lock()
	if moves == e.moves {
		e.mu.Unlock()
		return
	}
	e.moves = moves
	var risen []cache.ID
	for dir, old := range e.up {
		if parent, ok := e.tree.Parent(dir); !ok || parent == old {
			continue
		}
		delete(e.up, dir)
		e.fewerBelow(old)
		e.rise(dir)
		e.sink(old)
		risen = append(risen, dir)
	}
	e.mu.Unlock()
	for _, dir := range risen {
		e.repinUp(dir)
	}
}

// unpin takes one of the marks on dir back. Preconditions: e.mu is held.
func (e *Engine) unpin(dir cache.ID) {
	if e.pins[dir]--; e.pins[dir] > 0 {
		return
	}
	delete(e.pins, dir)
	e.tree.Pin(dir, false)
	e.sink(dir)
}

// unneeded has dir count no more than others in use. Preconditions: e.mu is held.
func (e *Engine) unneeded(dir cache.ID) {
	delete(e.absent, dir)
	if w := e.watches[dir]; w != nil {
		w.pinned = false
		w.usedAt = time.Now()
		if w.granted {
			e.oldest.touch(w)
		}
	}
}

// repinUp has a needed directory and those above it watched.
func (e *Engine) repinUp(dir cache.ID) {
	for dir != 0 {
		e.repin(dir)
		e.mu.Lock()
		dir = e.up[dir]
		e.mu.Unlock()
	}
}

// repin has a needed directory watched, if it is not.
func (e *Engine) repin(dir cache.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.needed(dir) {
		return
	}
	w := e.watches[dir]
	if w == nil {
		w = e.watch(dir, e.unmarkedAt())
	}
	if w == nil { // not there, or not any more
		return
	}
	e.keepWatch(dir)
	e.tree.Pin(dir, e.pins[dir] > 0)
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
	w.pinned = e.needed(dir)
	e.watches[dir] = w
	delete(e.absent, dir)
	if !e.grant(w, w.usedAt) {
		e.over[w] = struct{}{}
	}
	e.attend(w)
	return w
}
