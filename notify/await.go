package notify

import (
	"sync"
	"time"

	"smbfs/share"
)

// gather is how long the next request is put off at most, if it is not of nothing but own changes: until the question about what has
// been notified is out, which the server then answers first.
const gather = 5 * time.Millisecond

// await sends a request on a directory's handle.
func (e *Engine) await(w *watch, d *share.Directory) {
	if err := d.Await(e.ctx, func(n share.Notification) { e.notified(w, d, n) }); err != nil {
		e.lose(w, d, err)
	}
}

// soon returns what sends the next request, which is sent once, and before so long has passed.
func (e *Engine) soon(w *watch, d *share.Directory, within time.Duration) (now func()) {
	send := sync.OnceFunc(func() { e.await(w, d) })
	t := time.AfterFunc(within, send)
	return func() {
		t.Stop()
		send()
	}
}

// notified takes a completed request. It runs on the connection's goroutine: it notes what has to be looked at. Who looks sends the
// next request, unless nothing is urgent.
func (e *Engine) notified(w *watch, d *share.Directory, n share.Notification) {
	e.counters.notifications.Add(1)
	if e.dropped(w) {
		return
	}
	switch {
	case n.Err != nil:
		e.lose(w, d, n.Err)
		return
	case n.Overflow:
		e.counters.overflows.Add(1)
	}
	e.heard(w.id, &n)
	e.log.Debug("notified", "dir", w.id, "overflow", n.Overflow, "events", n.Events)
	var next func()
	if e.echo(w.id, &n) {
		e.soon(w, d, echoGather) // nothing is urgent
	} else {
		next = e.soon(w, d, gather)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if next != nil {
		w.next = next
	}
	if n.Overflow {
		w.overflowed()
	}
	for _, ev := range n.Events {
		w.hint(ev.Name, e.judged(w.id, ev.Name, ev.Hint))
		e.explain(w, ev.Name)
	}
	e.attend(w)
}

// dropped reports whether nobody watches w any more.
func (e *Engine) dropped(w *watch) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return w.gone
}
