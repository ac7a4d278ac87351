package testenv

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Event is one thing the kernel told a watcher. Masks are inotify's; fanotify's
// bits of the same meaning have the same values.
type Event struct {
	Time   time.Time
	Mask   uint32 // one IN_* bit, without IN_ISDIR
	Dir    string // the directory, relative to the watched root; the root is "."
	Name   string // the entry in Dir; empty for what happened to Dir itself
	Cookie uint32 // equal in a MOVED_FROM and the MOVED_TO that belongs to it
	IsDir  bool
}

// Path is the event's object, relative to the watched root.
func (e Event) Path() string { return path.Join(e.Dir, e.Name) }

// The order decides how a merged fanotify event is taken apart: an object is made,
// then filled, then closed, then moved or removed.
var maskNames = []struct {
	bit  uint32
	name string
}{
	{unix.IN_CREATE, "CREATE"},
	{unix.IN_MODIFY, "MODIFY"},
	{unix.IN_ATTRIB, "ATTRIB"},
	{unix.IN_CLOSE_WRITE, "CLOSE_WRITE"},
	{unix.IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"},
	{unix.IN_OPEN, "OPEN"},
	{unix.IN_ACCESS, "ACCESS"},
	{unix.IN_MOVED_FROM, "MOVED_FROM"},
	{unix.IN_MOVED_TO, "MOVED_TO"},
	{unix.IN_MOVE_SELF, "MOVE_SELF"},
	{unix.IN_DELETE_SELF, "DELETE_SELF"},
	{unix.IN_DELETE, "DELETE"},
	{unix.IN_Q_OVERFLOW, "Q_OVERFLOW"},
	{unix.IN_UNMOUNT, "UNMOUNT"},
}

// MaskName is a mask bit's name without its prefix.
func MaskName(mask uint32) string {
	for _, m := range maskNames {
		if m.bit == mask {
			return m.name
		}
	}
	return fmt.Sprintf("%#x", mask)
}

// String is the event as it appears in expectations: "CREATE,ISDIR a/b".
func (e Event) String() string {
	s := MaskName(e.Mask)
	if e.IsDir {
		s += ",ISDIR"
	}
	return s + " " + e.Path()
}

// split takes a mask of several bits apart, in the order of maskNames.
func split(mask uint32) []uint32 {
	var out []uint32
	for _, m := range maskNames {
		if mask&m.bit != 0 {
			out = append(out, m.bit)
		}
	}
	return out
}

// Recorder keeps events in the order of their arrival.
type Recorder struct {
	mu      sync.Mutex
	events  []Event       // guarded by mu
	changed chan struct{} // guarded by mu; closed and replaced at each event
	err     error         // guarded by mu; the reader's end, if it was not Close

	// OnEvent, if set before the watcher starts, is called for each event by the
	// watcher's reader, before the event is recorded. The reader waits for it.
	onEvent func(Event)
}

func newRecorder(onEvent func(Event)) *Recorder {
	return &Recorder{changed: make(chan struct{}), onEvent: onEvent}
}

func (r *Recorder) add(e Event) {
	if r.onEvent != nil {
		r.onEvent(e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	r.wake()
}

func (r *Recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.wake()
}

// wake lets everyone look again.
//
// Preconditions: r.mu is held.
func (r *Recorder) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Events are all events so far.
func (r *Recorder) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Event(nil), r.events...)
}

// Len is the number of events so far: a mark from which to look at later ones.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.events)
}

// Err is what ended the watcher before Close, an overflow of its queue included.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// ErrNotSeen says that WaitFor's condition did not come true in time.
var ErrNotSeen = errors.New("not seen in time")

// WaitFor waits until the events so far satisfy the condition.
func (r *Recorder) WaitFor(timeout time.Duration, done func([]Event) bool) error {
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	for {
		r.mu.Lock()
		events, changed, err := r.events[:len(r.events):len(r.events)], r.changed, r.err
		r.mu.Unlock()
		if done(events) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-limit.C:
			return ErrNotSeen
		}
	}
}

// WaitQuiet waits until no event has arrived for the given time, at most until
// the timeout. It is for what must not happen: no doubled event, nothing more.
func (r *Recorder) WaitQuiet(quiet, timeout time.Duration) error {
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	for {
		r.mu.Lock()
		changed, err := r.changed, r.err
		r.mu.Unlock()
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-time.After(quiet):
			return nil
		case <-limit.C:
			return fmt.Errorf("events go on: %w", ErrNotSeen)
		}
	}
}

// Seen is a condition for WaitFor: an event of this mask for this path is there.
func Seen(mask uint32, name string) func([]Event) bool {
	return func(events []Event) bool {
		for _, e := range events {
			if e.Mask == mask && e.Path() == name {
				return true
			}
		}
		return false
	}
}

// Normalise gives the events as comparable lines. OPEN, ACCESS and CLOSE_NOWRITE
// are left out, runs of MODIFY on one file are one, and cookies are replaced
// by the number of their pair in the order of appearance: " #1". Half a pair
// has no number.
func Normalise(events []Event) []string {
	const silent = unix.IN_OPEN | unix.IN_ACCESS | unix.IN_CLOSE_NOWRITE
	halves := map[uint32]uint32{}
	for _, e := range events {
		halves[e.Cookie] |= e.Mask
	}
	pairs := map[uint32]int{}
	var out []string
	for _, e := range events {
		if e.Mask&silent != 0 {
			continue
		}
		line := e.String()
		if e.Cookie != 0 && halves[e.Cookie] == unix.IN_MOVED_FROM|unix.IN_MOVED_TO {
			if pairs[e.Cookie] == 0 {
				pairs[e.Cookie] = len(pairs) + 1
			}
			line += fmt.Sprintf(" #%d", pairs[e.Cookie])
		}
		if e.Mask == unix.IN_MODIFY && len(out) > 0 && out[len(out)-1] == line {
			continue
		}
		out = append(out, line)
	}
	return out
}

// FormatEvents is for messages: one event a line, with the time since the first.
func FormatEvents(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%9.3fms %s", float64(e.Time.Sub(events[0].Time).Microseconds())/1000, e)
		if e.Cookie != 0 {
			fmt.Fprintf(&b, " cookie=%d", e.Cookie)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
