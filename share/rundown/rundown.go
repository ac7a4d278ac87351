// Package rundown keeps the handles by which something is only looked at out of the way of who removes or renames it: a server keeps a
// name as long as any handle is open, and shows it to everybody meanwhile.
package rundown

import "sync"

// Table counts the handles that are open, or on their way, by what they are of. The zero Table is ready for use; all methods may be
// called at any time.
type Table[K comparable] struct {
	mu      sync.Mutex
	entries map[K]*entry // guarded by mu: those that anybody holds or runs down
}

type entry struct {
	held, down int
	idle       chan struct{} // closed when held falls to 0; nil: nobody waits
}

// Preconditions: t.mu is held.
func (t *Table[K]) entry(k K) *entry {
	e := t.entries[k]
	if e == nil {
		if t.entries == nil {
			t.entries = map[K]*entry{}
		}
		e = &entry{}
		t.entries[k] = e
	}
	return e
}

// drop forgets what nobody needs any more. Preconditions: t.mu is held.
func (t *Table[K]) drop(k K, e *entry) {
	if e.held == 0 && e.down == 0 {
		delete(t.entries, k)
	}
}

// Acquire reports false if k is being run down. Else Release must follow.
func (t *Table[K]) Acquire(k K) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[k]; e != nil && e.down > 0 {
		return false
	}
	t.entry(k).held++
	return true
}

// Hold counts a handle that is there already: one to be closed. Release must follow.
func (t *Table[K]) Hold(k K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entry(k).held++
}

// Release takes back what Acquire or Hold counted.
func (t *Table[K]) Release(k K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[k]
	if e.held--; e.held == 0 && e.idle != nil {
		close(e.idle)
		e.idle = nil
	}
	t.drop(k, e)
}

// Begin has Acquire refuse k until End, which must follow.
func (t *Table[K]) Begin(k K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entry(k).down++
}

// End ends what Begin began.
func (t *Table[K]) End(k K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[k]
	e.down--
	t.drop(k, e)
}

// Down reports whether k is being run down.
func (t *Table[K]) Down(k K) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[k]
	return e != nil && e.down > 0
}

// Wait waits, between Begin and End, until nothing of k is held, or stop says to wait no more.
func (t *Table[K]) Wait(k K, stop <-chan struct{}) {
	for {
		t.mu.Lock()
		e := t.entries[k]
		if e == nil || e.held == 0 {
			t.mu.Unlock()
			return
		}
		if e.idle == nil {
			e.idle = make(chan struct{})
		}
		idle := e.idle
		t.mu.Unlock()
		select {
		case <-idle:
		case <-stop:
			return
		}
	}
}
