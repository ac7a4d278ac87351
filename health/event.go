package health

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Kinds of Event.
const (
	KindTold   = "told"   // a change became an event for local watchers
	KindUntold = "untold" // a change that could not be told
	KindSaid   = "said"   // a notification of the server's
)

// Said is one entry of a notification: the server's action and name. Nothing in it has been checked.
type Said struct {
	Action string `json:"action"`
	Name   string `json:"name"`
}

// Event is one line of a watch. Paths are relative to the mount point.
type Event struct {
	Time     time.Time `json:"time"`
	Kind     string    `json:"kind"`
	Change   string    `json:"change,omitempty"` // create, remove, rename, link, modify, attrib, close-write
	Object   string    `json:"object,omitempty"` // file, directory, symlink
	Path     string    `json:"path"`             // of "said": the directory
	To       string    `json:"to,omitempty"`     // rename, link
	Said     []Said    `json:"said,omitempty"`
	Overflow bool      `json:"overflow,omitempty"`        // of "said": changes were lost, the directory is compared
	Latency  *float64  `json:"latency_seconds,omitempty"` // from the first notification's arrival; absent if there was none
	Error    string    `json:"error,omitempty"`
}

// names are the events that a watcher of the mount gets.
var names = map[string]string{
	"create": "CREATE", "remove": "DELETE", "rename": "MOVE", "link": "CREATE", "arrive": "MOVED_TO",
	"modify": "MODIFY", "attrib": "ATTRIB", "close-write": "CLOSE_WRITE",
}

// Line is the event for people, without a newline and without anything that would steer a terminal.
func (e *Event) Line() string {
	at := e.Time.Local().Format("15:04:05.000")
	if e.Kind == KindSaid {
		return fmt.Sprintf("%s  %-11s  %-40s  %s", at, "(server)", printable(e.Path)+"/", e.saidText())
	}
	name := names[e.Change]
	if name == "" {
		name = printable(strings.ToUpper(e.Change))
	}
	path := printable(e.Path)
	if e.Object == "directory" {
		path += "/"
	}
	switch {
	case e.Change == "link": // the second name is the new one
		path = printable(e.To)
	case e.To != "":
		path += " -> " + printable(e.To)
	}
	line := fmt.Sprintf("%s  %-11s  %-40s  %s", at, name, path, e.saidText())
	if e.Latency != nil {
		line += "  " + milliseconds(*e.Latency)
	}
	if e.Error != "" {
		line += "  not told: " + printable(e.Error)
	}
	return line
}

// saidText is what the server said, in one column.
func (e *Event) saidText() string {
	switch {
	case len(e.Said) > 0 || e.Overflow:
	case e.Change == "close-write":
		return "[at rest]"
	default:
		return "[nothing said: found by comparison]"
	}
	parts := make([]string, len(e.Said))
	for i, s := range e.Said {
		parts[i] = printable(s.Action) + " " + printable(s.Name)
	}
	if e.Overflow {
		parts = append(parts, "some lost: the directory is compared")
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// printable quotes a text that would steer a terminal or break a line: names come from the server.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.Contains(s, `"`) {
		return strconv.Quote(s)
	}
	return s
}

func milliseconds(s float64) string { return strconv.FormatFloat(s*1000, 'f', 2, 64) + " ms" }

// subscriptionBuffer is how many events wait for a client.
const subscriptionBuffer = 1024

// Subscription is one client that watches.
type Subscription struct {
	Events  <-chan Event
	TooSlow <-chan struct{} // closed when the buffer was full: nothing more comes

	events  chan Event
	tooSlow chan struct{}
	once    sync.Once
	below   string
}

// Subscribe has events at and below a directory delivered; "" is the whole mount.
func (r *Recorder) Subscribe(below string) *Subscription {
	s := &Subscription{events: make(chan Event, subscriptionBuffer), tooSlow: make(chan struct{}), below: strings.Trim(below, "/")}
	s.Events, s.TooSlow = s.events, s.tooSlow
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.subs == nil {
		r.subs = map[*Subscription]struct{}{}
	}
	r.subs[s] = struct{}{}
	return s
}

// Unsubscribe ends it.
func (r *Recorder) Unsubscribe(s *Subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.subs, s)
}

// publish gives an event to all who asked for it, and waits for nobody.
func (r *Recorder) publish(e *Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.subs {
		if !s.wants(e) {
			continue
		}
		select {
		case s.events <- *e:
		default:
			s.once.Do(func() { close(s.tooSlow) })
			delete(r.subs, s)
		}
	}
}

func (s *Subscription) wants(e *Event) bool {
	return within(e.Path, s.below) || e.To != "" && within(e.To, s.below)
}

func within(path, dir string) bool {
	return dir == "" || path == dir || strings.HasPrefix(path, dir+"/")
}
