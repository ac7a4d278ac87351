package fs

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// The kernel reads ahead by itself: 128 KiB on an ordinary user's mount, and on root's what was set, whatever the way to the
// server is like. A program that reads in sequence is kept ahead of here, by what travels in the time that an answer takes.
// What was read ahead is used only while nothing else is known of the file than when it was asked for, and dropped when
// a change is told.

const (
	// aheadStep is what one READ made ahead asks for, in bytes.
	aheadStep = 1 << 20
	// aheadLeast and aheadMost bound how far one handle is kept ahead.
	aheadLeast = 2 * aheadStep
	aheadMost  = 16 * aheadStep
	// aheadTotal bounds what all handles of a mount hold.
	aheadTotal = 32 * aheadStep
)

// aheadMemory is what a mount reads ahead into.
type aheadMemory struct {
	ctx    context.Context // of the mount
	kernel int64           // what the kernel reads ahead by itself
	used   atomic.Int64
	free   sync.Pool // of *[aheadStep]byte
}

// take returns memory for a piece, or nil if all that is allowed is in use.
func (m *aheadMemory) take() *[aheadStep]byte {
	if m.used.Add(aheadStep) > aheadTotal {
		m.used.Add(-aheadStep)
		return nil
	}
	if b, ok := m.free.Get().(*[aheadStep]byte); ok {
		return b
	}
	return new([aheadStep]byte)
}

func (m *aheadMemory) give(b *[aheadStep]byte) {
	m.free.Put(b)
	m.used.Add(-aheadStep)
}

// piece is one READ made ahead.
type piece struct {
	extent
	memory *aheadMemory
	b      *[aheadStep]byte
	done   chan struct{} // closed when n is set
	n      int           // bytes read; constant once done is closed
	left   int64         // guarded by readahead.mu: bytes that nobody has asked for yet
	refs   atomic.Int32  // the list, the READ under way, and every answer made of it
}

func (p *piece) release() {
	if p.refs.Add(-1) == 0 {
		p.memory.give(p.b)
	}
}

// content is what is known of a file's content.
type content struct{ size, written int64 }

// readAt reads from the server.
type readAt func(ctx context.Context, b []byte, off int64) (int, error)

// readahead keeps one handle ahead of its reader.
type readahead struct {
	memory *aheadMemory
	// hold readies the handle for a READ of its own. The function it returns reads, once, and lets the handle go. It is nil if the
	// handle cannot be used just now.
	hold func() readAt

	mu      sync.Mutex
	ctx     context.Context    // guarded by mu: of the READs, made with the first
	stop    context.CancelFunc // guarded by mu
	closed  bool               // guarded by mu
	known   content            // guarded by mu: as of all pieces
	pieces  []*piece           // guarded by mu: in order, without a gap
	seq     sequence           // guarded by mu
	pace    pace               // guarded by mu
	reading sync.WaitGroup
}

// serve answers a READ from what was read ahead, and reads on ahead. It returns nil if the server has to be asked.
func (a *readahead) serve(ctx context.Context, x extent, known content) fuse.ReadResult {
	if x.to = min(x.to, known.size); x.to <= x.from {
		return nil
	}
	found := a.ask(x, known)
	if found == nil {
		return nil
	}
	r := &aheadResult{pieces: found}
	for _, p := range found {
		select {
		case <-p.done:
		case <-ctx.Done():
			r.Done()
			return nil
		}
	}
	if !r.cut(x) {
		r.Done()
		return nil
	}
	return r
}

// ask returns the pieces that make up x, one more reference to each, or nil if there is a gap.
func (a *readahead) ask(x extent, known content) []*piece {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	if a.known != known {
		a.drop()
		a.known = known
	}
	if a.seq.add(x) {
		a.pace.read(x.to-x.from, time.Now(), a.memory.kernel)
		a.extend()
	}
	var found []*piece
	at := x.from
	for _, p := range a.pieces {
		if p.from <= at && at < p.to && at < x.to {
			found = append(found, p)
			at = p.to
		}
	}
	if at < x.to {
		return nil
	}
	for _, p := range found {
		p.refs.Add(1)
		p.left -= min(p.to, x.to) - max(p.from, x.from)
	}
	a.trim()
	return found
}

// trim lets go of what has been read, and of what was left behind. Preconditions: mu is held.
func (a *readahead) trim() {
	for len(a.pieces) > 0 {
		p := a.pieces[0]
		if p.left > 0 && p.to > a.seq.end-sequenceNear {
			return
		}
		p.release()
		a.pieces = a.pieces[1:]
	}
}

// extend has READs under way up to the window beyond the reader. Preconditions: mu is held.
func (a *readahead) extend() {
	from := a.seq.end
	if k := len(a.pieces); k > 0 {
		if last := a.pieces[k-1].to; last < from || last > from+aheadMost+aheadStep {
			a.drop() // the reader is elsewhere
		} else {
			from = last
		}
	}
	for limit := min(a.seq.end+a.pace.window, a.known.size); from < limit; {
		p := a.start(extent{from, min(from+aheadStep, a.known.size)})
		if p == nil {
			return
		}
		a.pieces = append(a.pieces, p)
		from = p.to
	}
}

// start starts one READ. It returns nil if that cannot be now. Preconditions: mu is held.
func (a *readahead) start(x extent) *piece {
	b := a.memory.take()
	if b == nil {
		return nil
	}
	read := a.hold()
	if read == nil {
		a.memory.give(b)
		return nil
	}
	if a.ctx == nil {
		a.ctx, a.stop = context.WithCancel(a.memory.ctx)
	}
	p := &piece{extent: x, memory: a.memory, b: b, done: make(chan struct{}), left: x.to - x.from}
	p.refs.Store(2)
	ctx, began := a.ctx, time.Now()
	a.reading.Go(func() {
		p.n, _ = read(ctx, b[:x.to-x.from], x.from) // with an error n is short, and the server is asked again
		close(p.done)
		p.release()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.pace.answered(time.Since(began))
	})
	return p
}

// drop forgets what was read ahead. READs under way go on for nobody. Preconditions: mu is held.
func (a *readahead) drop() {
	for _, p := range a.pieces {
		p.release()
	}
	a.pieces = nil
}

// changed says that the content is not what it was: nothing that was asked for before is used after.
func (a *readahead) changed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop()
}

// close ends the READs under way and waits for them.
func (a *readahead) close() {
	a.mu.Lock()
	a.closed = true
	a.drop()
	if a.stop != nil {
		a.stop()
	}
	a.mu.Unlock()
	a.reading.Wait()
}

// aheadResult is the answer to a READ, in the memory that it was read ahead into. It has go-fuse write that as it is, and say
// when it has been written.
type aheadResult struct {
	pieces []*piece
	vecs   [][]byte
	size   int
}

// cut takes x out of the pieces. It reports false if they have not got it.
func (r *aheadResult) cut(x extent) bool {
	for _, p := range r.pieces {
		from, to := max(p.from, x.from), min(p.to, x.to)
		if to > p.from+int64(p.n) {
			return false
		}
		r.vecs = append(r.vecs, p.b[from-p.from:to-p.from])
		r.size += int(to - from)
	}
	return true
}

// Size implements fuse.ReadResult.
func (r *aheadResult) Size() int { return r.size }

// Done implements fuse.ReadResult.
func (r *aheadResult) Done() {
	for _, p := range r.pieces {
		p.release()
	}
	r.pieces = nil
}

// Slices is what go-fuse writes.
func (r *aheadResult) Slices() ([][]byte, fuse.Status) { return r.vecs, fuse.OK }

// Bytes implements fuse.ReadResult.
func (r *aheadResult) Bytes(b []byte) ([]byte, fuse.Status) {
	b = b[:0]
	for _, v := range r.vecs {
		b = append(b, v...)
	}
	return b, fuse.OK
}
