package fs

import (
	"context"
	"slices"
	"sync"
	"time"

	"smbfs/smbclient"
)

// A program waits for each of its writes. Where a write lease says that nobody else on the network uses the file, it does not have
// to wait for the server: what it writes is gathered into large WRITEs, of which many travel at once. Whoever needs to know
// that the server has them, waits for that with flush: close(2) and fsync(2), what reads or cuts there, and the break of
// the lease.

const (
	// behindStep is what one WRITE carries, in bytes.
	behindStep = 1 << 20
	// behindSmall is what little that is written to a file is gathered in.
	behindSmall = 16 << 10
	// behindMost bounds how many WRITEs of one file are under way.
	behindMost = 16
	// behindTotal bounds what is not on the server yet of all files of a mount.
	behindTotal = 32 * behindStep
	// behindFor is how long what was written waits for more.
	behindFor = 100 * time.Millisecond
)

// behindMemory is what a mount gathers writes in.
type behindMemory struct {
	mu    sync.Mutex
	used  int           // guarded by mu
	freed chan struct{} // guarded by mu: closed when there may be room again
	large sync.Pool     // of *[behindStep]byte
}

// take returns memory for n bytes. Where there is no room, it returns a channel that is closed when there may be some.
func (m *behindMemory) take(n int) ([]byte, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used+n > behindTotal {
		if m.freed == nil {
			m.freed = make(chan struct{})
		}
		return nil, m.freed
	}
	m.used += n
	if n < behindStep {
		return make([]byte, n), nil
	}
	if b, ok := m.large.Get().(*[behindStep]byte); ok {
		return b[:], nil
	}
	return make([]byte, behindStep), nil
}

func (m *behindMemory) give(b []byte) {
	if len(b) == behindStep {
		m.large.Put((*[behindStep]byte)(b))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used -= len(b)
	if m.freed != nil {
		close(m.freed)
		m.freed = nil
	}
}

// bundle is what one WRITE carries.
type bundle struct {
	off  int64
	b    []byte // its memory
	n    int    // bytes in it
	via  writer
	done chan struct{} // closed when the server has answered
}

func (p *bundle) last() smbclient.Last { return smbclient.Last{Bytes: p.b[:p.n], Offset: p.off} }

func (p *bundle) end() int64 { return p.off + int64(p.n) }

func (p *bundle) meets(x extent) bool { return p.off < x.to && x.from < p.end() }

// writer writes to the server.
type writer interface {
	writeAt(b []byte, off int64) error
}

// writeback holds what was written to a file and is not on the server yet. Writes that overlap are never under way together.
type writeback struct {
	memory *behindMemory
	dirty  func()          // called, under mu, when there is something that the server has not
	clean  func()          // called, under mu, when there is not any more
	sent   func(err error) // called when the server has answered a WRITE

	mu     sync.Mutex
	tail   *bundle   // guarded by mu: being gathered
	flying []*bundle // guarded by mu: under way, the oldest first
	large  bool      // guarded by mu: the last bundle was full
	unsafe bool      // guarded by mu: dirty was called, and clean was not since
	last   time.Time // guarded by mu: of the last write
	timer  *time.Timer

	failures uint64 // guarded by mu
	failure  error  // guarded by mu: the last
}

// write takes data to be written at off through via. It waits only where too much is under way. It takes nothing, and reports
// false, if allowed does: that is asked under the lock that flush takes.
func (w *writeback) write(ctx context.Context, via writer, data []byte, off int64, allowed func() bool) (bool, error) {
	for len(data) > 0 {
		w.mu.Lock()
		if !allowed() {
			w.mu.Unlock()
			return false, nil
		}
		n, wait := w.add(via, data, off)
		w.mu.Unlock()
		if wait != nil {
			select {
			case <-wait:
			case <-ctx.Done():
				return true, context.Cause(ctx)
			}
			continue
		}
		data, off = data[n:], off+int64(n)
	}
	return true, nil
}

// add gathers the beginning of data, or says what to wait for before that can be done.
// Preconditions: mu is held.
func (w *writeback) add(via writer, data []byte, off int64) (int, <-chan struct{}) {
	if p := w.tail; p != nil && (p.via != via || off < p.off || off > p.end() || off-p.off == int64(len(p.b))) {
		w.send()
	}
	x := extent{off, off + int64(len(data))}
	if i := slices.IndexFunc(w.flying, func(p *bundle) bool { return p.meets(x) }); i >= 0 {
		return 0, w.flying[i].done
	}
	if w.tail == nil {
		if wait := w.begin(via, off, len(data)); wait != nil {
			return 0, wait
		}
	}
	p := w.tail
	at := int(off - p.off)
	n := copy(p.b[at:], data)
	p.n = max(p.n, at+n)
	w.last = time.Now()
	if p.n == len(p.b) {
		w.send()
	}
	return n, nil
}

// begin starts a bundle, or says what to wait for. Preconditions: mu is held.
func (w *writeback) begin(via writer, off int64, n int) <-chan struct{} {
	if len(w.flying) >= behindMost {
		return w.flying[0].done
	}
	size := behindSmall
	if w.large || n > behindSmall {
		size = behindStep
	}
	b, wait := w.memory.take(size)
	if b == nil {
		return wait
	}
	if !w.unsafe {
		w.unsafe = true
		w.dirty()
	}
	w.tail = &bundle{off: off, b: b, via: via, done: make(chan struct{})}
	if w.timer == nil {
		w.timer = time.AfterFunc(behindFor, w.late)
	} else {
		w.timer.Reset(behindFor)
	}
	return nil
}

// late sends what has waited long enough.
func (w *writeback) late() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tail != nil {
		w.send()
	}
}

// send has the tail written. Preconditions: mu is held, there is one.
func (w *writeback) send() {
	p := w.tail
	w.fly(func() error { return p.via.writeAt(p.b[:p.n], p.off) })
}

// fly has write carry the tail to the server. Preconditions: mu is held, there is one.
func (w *writeback) fly(write func() error) {
	p := w.tail
	w.tail, w.large = nil, p.n >= behindSmall
	w.timer.Stop()
	w.flying = append(w.flying, p)
	go func() { // flush waits for it, which every handle's RELEASE calls
		err := write()
		w.sent(err)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil {
			w.failures++
			w.failure = err
		}
		w.flying = slices.DeleteFunc(w.flying, func(q *bundle) bool { return q == p })
		w.memory.give(p.b)
		if w.tail == nil && len(w.flying) == 0 {
			w.isClean()
		}
		close(p.done)
	}()
}

// isClean calls clean if that is due. Preconditions: mu is held.
func (w *writeback) isClean() {
	if w.unsafe {
		w.unsafe = false
		w.clean()
	}
}

// after has op carried out when the server has what was written before, and waits for it. What little was written last, through the same
// writer, op itself is to bring there, and says whether that failed. begin is called before op, when nothing else is under way.
func (w *writeback) after(ctx context.Context, via writer, begin func(), op func(last smbclient.Last) error) error {
	w.mu.Lock()
	p := w.tail
	if p == nil || p.via != via || p.n > smbclient.LastMost || len(w.flying) > 0 {
		w.mu.Unlock()
		if err := w.flush(ctx, everything); err != nil {
			return err
		}
		begin()
		return op(smbclient.Last{})
	}
	w.isClean()
	begin()
	w.fly(func() error { return op(p.last()) })
	w.mu.Unlock()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// flush waits until the server has answered what was written before in x.
func (w *writeback) flush(ctx context.Context, x extent) error {
	w.mu.Lock()
	if w.tail != nil && w.tail.meets(x) {
		w.send()
	}
	var waits []chan struct{}
	for _, p := range w.flying {
		if p.meets(x) {
			waits = append(waits, p.done)
		}
	}
	w.mu.Unlock()
	for _, wait := range waits {
		select {
		case <-wait:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// everything is a whole file.
var everything = extent{0, 1<<63 - 1}

// failed returns the last failure after the seen first ones, and how many there are now.
func (w *writeback) failed(seen uint64) (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failures == seen {
		return seen, nil
	}
	return w.failures, w.failure
}

// wrote reports whether the server lacks something, and when it was written.
func (w *writeback) wrote() (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.tail != nil || len(w.flying) > 0
}
