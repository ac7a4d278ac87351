package fs

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"smbfs/cache"
	"smbfs/share"
	"smbfs/smbclient/wire"
)

// handle is one open file of a local program's.
type handle struct {
	ctx    context.Context // of the mount
	id     cache.ID
	file   *file
	writer bool
	append bool
	direct bool // O_DIRECT: each READ asks the server

	// use is held for reading by who uses open, also over the network, and for writing while the
	// file is closed on the server for a moment: see suspend.go.
	use  sync.RWMutex
	open *share.File // guarded by use

	first first
	ahead readahead

	touched atomic.Int64 // when the engine was last told of a write, in nanoseconds since 1970

	mu      sync.Mutex
	seen    uint64    // guarded by mu: how many failures of writes behind have been told, or were before it was opened
	flushed time.Time // guarded by mu: the last FLUSH; RELEASE is next if that was of the last descriptor
	closing bool      // guarded by mu: RELEASE has come
	aside   cache.ID  // guarded by mu: the directory in which the file was set aside; 0: it was not
}

// hold readies the file for one READ that nobody waits for: see readahead.
func (h *handle) hold() readAt {
	if !h.use.TryRLock() {
		return nil
	}
	return func(ctx context.Context, b []byte, off int64) (int, error) {
		defer h.use.RUnlock()
		return h.open.ReadAt(ctx, b, off)
	}
}

// writeAt writes what was gathered.
func (h *handle) writeAt(b []byte, off int64) error {
	_, err := h.put(h.ctx, b, off)
	return err
}

// put writes to the server.
func (h *handle) put(ctx context.Context, b []byte, off int64) (int, error) {
	return h.onServer(spanOf(off, len(b)), func(o *share.File) (int, error) { return o.WriteAt(ctx, b, off) })
}

// get reads from the server.
func (h *handle) get(ctx context.Context, b []byte, off int64) (int, error) {
	return h.onServer(spanOf(off, len(b)), func(o *share.File) (int, error) { return o.ReadAt(ctx, b, off) })
}

// onServer has op done by way of the handle's own open, or, if that is refused, of the one that has the place locked: what programs of this machine
// lock is locked for others.
func (h *handle) onServer(s span, op func(o *share.File) (int, error)) (int, error) {
	n, err := h.using(op)
	if !share.IsLocked(err) {
		return n, err
	}
	if other := h.file.locks.through(s, h); other != nil {
		if n, err := other.using(op); err == nil {
			return n, nil
		}
	}
	return n, err
}

func (h *handle) using(op func(o *share.File) (int, error)) (int, error) {
	h.use.RLock()
	defer h.use.RUnlock()
	return op(h.open)
}

// ownsWrites reports whether the lease lets writes be held back. It waits for nothing.
func (h *handle) ownsWrites() bool {
	if !h.use.TryRLock() {
		return false
	}
	defer h.use.RUnlock()
	return h.open.Lease().State&wire.LeaseWrite != 0
}

// failure returns why what was written before did not reach the server. With told it is returned once.
func (h *handle) failure(told bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	seen, err := h.file.back.failed(h.seen)
	if told {
		h.seen = seen
	}
	return err
}

// flush notes a FLUSH.
func (h *handle) flush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flushed = time.Now()
}

// handles is the table of open files. File handle 0 is the replay helper's: it has none.
type handles struct {
	mu     sync.RWMutex
	last   uint64                          // guarded by mu
	byFh   map[uint64]*handle              // guarded by mu
	byFile map[cache.ID]map[*handle]uint64 // guarded by mu
	closed *sync.Cond                      // on mu: a handle went
}

// replayFh is the handle that a replayed OPEN is answered with.
const replayFh = 0

func newHandles() *handles {
	t := &handles{byFh: map[uint64]*handle{}, byFile: map[cache.ID]map[*handle]uint64{}}
	t.closed = sync.NewCond(&t.mu)
	return t
}

func (t *handles) add(h *handle) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.byFh[t.last] = h
	if t.byFile[h.id] == nil {
		t.byFile[h.id] = map[*handle]uint64{}
	}
	t.byFile[h.id][h] = t.last
	return t.last
}

// has reports whether the file is open.
func (t *handles) has(id cache.ID) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.byFile[id]) > 0
}

func (t *handles) get(fh uint64) *handle {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byFh[fh]
}

// of returns the handles of a file.
func (t *handles) of(id cache.ID) []*handle {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if len(t.byFile[id]) == 0 {
		return nil
	}
	return slices.Collect(maps.Keys(t.byFile[id]))
}

// closing marks a handle whose file is about to be closed on the server.
func (t *handles) closing(fh uint64) *handle {
	h := t.get(fh)
	if h != nil {
		h.mu.Lock()
		h.closing = true
		h.mu.Unlock()
	}
	return h
}

// remove takes a handle out when the server has closed it.
func (t *handles) remove(fh uint64, h *handle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byFh, fh)
	delete(t.byFile[h.id], h)
	if len(t.byFile[h.id]) == 0 {
		delete(t.byFile, h.id)
	}
	t.closed.Broadcast()
}

// any returns some handle of the file that is not being closed, or nil.
func (t *handles) any(id cache.ID) *handle { return t.find(id, func(*handle) bool { return true }) }

// writer returns some handle of the file that may write, or nil.
func (t *handles) writer(id cache.ID) *handle {
	return t.find(id, func(h *handle) bool { return h.writer })
}

func (t *handles) find(id cache.ID, want func(*handle) bool) *handle {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for h := range t.byFile[id] {
		if !h.isClosing() && want(h) {
			return h
		}
	}
	return nil
}

// releaseLag is how long after close(2) has returned, with a FLUSH, the RELEASE may come: the
// caller does not wait for it, and the machine may have much to do.
const releaseLag = 100 * time.Millisecond

// awaitClosed waits for the handles of a file that are being closed, and reports whether others
// are left.
func (t *handles) awaitClosed(id cache.ID) (open bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.byFile[id]) > 0 {
		now := time.Now()
		for h := range t.byFile[id] {
			switch lag := h.lag(now); {
			case lag == 0:
				return true
			case lag > 0:
				defer time.AfterFunc(lag, t.wake).Stop()
			}
		}
		t.closed.Wait()
	}
	return false
}

// setAside notes that a file has been set aside in dir.
func (t *handles) setAside(id, dir cache.ID) {
	for _, h := range t.of(id) {
		h.mu.Lock()
		h.aside = dir
		h.mu.Unlock()
	}
}

// awaitAside waits, if files have been set aside in dir, until the last of their handles is closed, at most so long.
func (t *handles) awaitAside(dir cache.ID, most time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	deadline := time.Now().Add(most)
	defer time.AfterFunc(most, t.wake).Stop()
	for t.anyAside(dir) && time.Now().Before(deadline) {
		t.closed.Wait()
	}
}

// anyAside reports whether a file that was set aside in dir is open. Preconditions: t.mu is held.
func (t *handles) anyAside(dir cache.ID) bool {
	for _, h := range t.byFh {
		if h.asideIn(dir) {
			return true
		}
	}
	return false
}

func (h *handle) asideIn(dir cache.ID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.aside == dir
}

func (h *handle) isClosing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closing
}

// wake has awaitClosed look again.
func (t *handles) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed.Broadcast()
}

// lag is how much longer the handle's RELEASE may take to come; less than 0: it has come.
func (h *handle) lag(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return -1
	}
	return max(h.flushed.Add(releaseLag).Sub(now), 0)
}
