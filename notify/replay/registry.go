package replay

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"
	"sync/atomic"
)

// noncePrefix marks a lookup that may be an introduction, so that all others pass
// without a lock.
const noncePrefix = ".smbfs-replay-"

// registry knows the worker threads by their ids in FUSE headers. Reading it takes no
// lock; mu is for those who change it.
type registry struct {
	threads atomic.Pointer[map[uint32]*worker] // replaced, never changed

	mu      sync.Mutex
	pending map[string]*introduction // guarded by mu
}

// introduction is one that is expected. tid is valid once seen.
type introduction struct {
	worker *worker
	seen   bool   // guarded by registry.mu
	tid    uint32 // guarded by registry.mu
}

// await makes a fresh nonce and expects it from w's thread.
func (r *registry) await(w *worker) (nonce string, in *introduction) {
	var b [16]byte
	rand.Read(b[:])
	nonce = noncePrefix + hex.EncodeToString(b[:])
	in = &introduction{worker: w}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending == nil {
		r.pending = make(map[string]*introduction)
	}
	r.pending[nonce] = in
	return nonce, in
}

// settle ends the wait for nonce and tells from which thread it came.
func (r *registry) settle(nonce string, in *introduction) (tid uint32, seen bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pending, nonce)
	return in.tid, in.seen
}

// introduce is the handler's side of await: the thread is known from here on, before
// its lookup is answered.
func (r *registry) introduce(tid uint32, name string) bool {
	if !strings.HasPrefix(name, noncePrefix) || tid == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	in, ok := r.pending[name]
	if !ok {
		return false
	}
	delete(r.pending, name)
	in.seen, in.tid = true, tid
	r.change(func(m map[uint32]*worker) { m[tid] = in.worker })
	return true
}

// forget drops all threads of a process.
func (r *registry) forget(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.change(func(m map[uint32]*worker) {
		for tid, w := range m {
			if w.process == p {
				delete(m, tid)
			}
		}
	})
}

// change replaces the map by a changed copy. Preconditions: mu is held.
func (r *registry) change(f func(map[uint32]*worker)) {
	m := make(map[uint32]*worker)
	if old := r.threads.Load(); old != nil {
		for tid, w := range *old {
			m[tid] = w
		}
	}
	f(m)
	r.threads.Store(&m)
}

func (r *registry) worker(tid uint32) *worker {
	m := r.threads.Load()
	if m == nil {
		return nil
	}
	return (*m)[tid]
}

// Introduce is asked by the LOOKUP handler about every name looked up in the mount's
// root. True means that it was a worker's nonce and that the thread is known from now
// on. The answer to the LOOKUP is ENOENT without a time-out in any case.
func (h *Helper) Introduce(tid uint32, name string) bool { return h.reg.introduce(tid, name) }

// Worker tells whether tid, the pid of a FUSE request's header, is a worker's thread,
// and gives the expectation that Do was given for the call which that thread makes at
// this moment, nil if it makes none. It may be called from every handler: it takes no
// lock and allocates nothing. A thread of a dying helper stays known until the process
// has been reaped.
func (h *Helper) Worker(tid uint32) (expect any, isWorker bool) {
	w := h.reg.worker(tid)
	if w == nil {
		return nil, false
	}
	if e := w.expect.Load(); e != nil {
		return e.value, true
	}
	return nil, true
}
