package health

import (
	"sync"
	"time"

	"smbfs/cache"
	"smbfs/notify"
	"smbfs/smbclient/wire"
)

const (
	// maxHeard bounds the names that are remembered as notified. The oldest is forgotten first.
	maxHeard = 16384
	// explains is how long after its last notification a name's change is put down to it.
	explains = 30 * time.Second
	// followsUp is how long after a change was told of a name the same notification explains another one, such as the
	// MODIFY of a file that was made with content.
	followsUp = time.Second
	// maxActions is how many of the server's actions are kept of a name.
	maxActions = 6
)

// heard is what the server said of one name and has not been answered by a change, or only just.
type heard struct {
	first, last time.Time // notifications' arrivals
	told        time.Time // when a change was told; zero: not yet
	actions     [maxActions]wire.NotifyAction
	count       int // notifications, which may be more than actions are kept of
	slot        int // in Recorder.ring
}

// Recorder listens to an engine. The zero value is ready; it must not be copied.
type Recorder struct {
	latency [cache.Rest + 1]Histogram

	mu    sync.Mutex
	heard map[cache.Place]*heard     // guarded by mu: maxHeard at most
	ring  []cache.Place              // guarded by mu: the names of heard in the order of their coming, around next
	next  int                        // guarded by mu
	subs  map[*Subscription]struct{} // guarded by mu
}

// Latency is how long after the notification's arrival changes of one kind were told. Those found by comparison alone are not
// counted.
func (r *Recorder) Latency(op cache.Op) *Histogram { return &r.latency[op] }

// prompt reports whether changes of this kind are told as soon as they are known. MODIFY and CLOSE_WRITE are not: they
// wait by intent (modify_interval, closewrite_delay).
func prompt(op cache.Op) bool { return op != cache.Modify && op != cache.Rest }

// Trace takes what the engine heard or told. It is the engine's Options.Trace.
func (r *Recorder) Trace(t notify.Trace) {
	if t.Change == nil {
		r.notified(&t)
		return
	}
	ev := Event{Time: t.At, Kind: KindTold, Change: t.Change.Op.String(), Object: t.Change.Kind.String()}
	if t.Err != nil {
		ev.Kind, ev.Error = KindUntold, t.Err.Error()
	}
	r.mu.Lock()
	ev.Said, ev.Latency = r.explain(t.Change, t.At)
	watched := len(r.subs) > 0
	r.mu.Unlock()
	if ev.Latency != nil && t.Err == nil {
		r.latency[t.Change.Op].Add(time.Duration(*ev.Latency * float64(time.Second)))
	}
	if !watched {
		return
	}
	ev.Path = pathOf(&t, t.Change.From)
	if t.Change.To.Dir != 0 {
		ev.To = pathOf(&t, t.Change.To)
	}
	r.publish(&ev)
}

func pathOf(t *notify.Trace, p cache.Place) string {
	dir, ok := t.Path(p.Dir)
	switch {
	case !ok:
		return "?/" + p.Name
	case dir == "":
		return p.Name
	}
	return dir + "/" + p.Name
}

// notified remembers when the names of a notification were heard of.
func (r *Recorder) notified(t *notify.Trace) {
	r.mu.Lock()
	for _, e := range t.Events {
		r.hear(cache.Place{Dir: t.Dir, Name: e.Name}, e.Action, t.At)
	}
	watched := len(r.subs) > 0
	r.mu.Unlock()
	if !watched || len(t.Said) == 0 && !t.Overflow { // nothing, or a tree's notification handed on to a directory
		return
	}
	ev := Event{Time: t.At, Kind: KindSaid, Overflow: t.Overflow}
	ev.Path, _ = t.Path(t.Dir)
	for _, s := range t.Said {
		ev.Said = append(ev.Said, Said{s.Action.String(), s.Name})
	}
	r.publish(&ev)
}

// hear notes one action. Preconditions: r.mu is held.
func (r *Recorder) hear(p cache.Place, a wire.NotifyAction, at time.Time) {
	h := r.heard[p]
	switch {
	case h == nil:
		h = r.remember(p)
		h.first = at
	case !h.told.IsZero() || at.Sub(h.last) > explains:
		*h = heard{first: at, slot: h.slot}
	}
	h.last = at
	if h.count < maxActions {
		h.actions[h.count] = a
	}
	h.count++
}

// remember makes room for a name. Preconditions: r.mu is held.
func (r *Recorder) remember(p cache.Place) *heard {
	if r.heard == nil {
		r.heard = map[cache.Place]*heard{}
	}
	h := &heard{slot: r.next}
	if len(r.ring) < maxHeard {
		r.ring = append(r.ring, p)
	} else {
		delete(r.heard, r.ring[r.next])
		r.ring[r.next] = p
	}
	r.next = (r.next + 1) % maxHeard
	r.heard[p] = h
	return h
}

// explain finds what the server said about the names of a change, and how long ago it began to. The latency is nil if it said
// nothing, or if the change is one that waits by intent. Preconditions: r.mu is held.
func (r *Recorder) explain(c *cache.Change, at time.Time) (said []Said, latency *float64) {
	var first time.Time
	for _, p := range []cache.Place{c.From, c.To} {
		h := r.heard[p]
		if h == nil || at.Sub(h.last) > explains || !h.told.IsZero() && at.Sub(h.told) > followsUp {
			continue
		}
		for _, a := range h.actions[:min(h.count, maxActions)] {
			said = append(said, Said{a.String(), p.Name})
		}
		if first.IsZero() || h.first.Before(first) {
			first = h.first
		}
		h.told = at
	}
	if first.IsZero() || c.Op == cache.Rest {
		return said, nil
	}
	seconds := at.Sub(first).Seconds()
	return said, &seconds
}

// LatencyStatus sums up the latencies of the changes that are told as soon as they are known.
func (r *Recorder) LatencyStatus() LatencyStatus {
	var all Histogram
	for op := range r.latency {
		if prompt(cache.Op(op)) {
			all.add(&r.latency[op])
		}
	}
	return LatencyStatus{
		Count: all.Count(),
		P50:   all.Quantile(0.50).Seconds(),
		P95:   all.Quantile(0.95).Seconds(),
		P99:   all.Quantile(0.99).Seconds(),
	}
}
