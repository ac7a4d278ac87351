package health

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Text is the status for people: a heading and a line for each thing, without anything that would steer a terminal.
func (s *Status) Text() string {
	var b strings.Builder
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "  %-16s%s\n", label, harmless(fmt.Sprintf(format, args...)))
	}
	fmt.Fprintf(&b, "%s on %s\n", harmless(s.Mount.Source), harmless(s.Mount.Mountpoint))
	line("Server", "%s (%s), share %s", s.Server.Host, s.Server.Address, s.Server.Share)
	line("Protocol", "SMB %s, signing %s, encryption %s%s", s.Server.Dialect, s.Server.Signing, s.Server.Encryption, map[bool]string{true: ", as guest"}[s.Server.Guest])
	for i, c := range s.Connections {
		line(map[bool]string{true: "Connections"}[i == 0], "%s", s.connectionText(&c))
	}
	if s.Offline.Setting == "cached" {
		line("Offline", "%s", s.offlineText())
	}
	line("Open files", "%d; after reconnecting %d taken up again, %d opened again by name, %d lost", s.Files.Open, s.Files.Reconnected, s.Files.Reopened, s.Files.Lost)
	n := &s.Notify
	line("Notification", "%s (notify=%s)%s", n.Text(), n.Setting, because(n.Why))
	line("Directories", "%d watched, %d pinned, %d polled, %d over the budget of %d", n.Watched, n.Pinned, n.Polled, n.OverBudget, n.Budget)
	if n.Unseen > 0 {
		line("", "%d that programs watch here are neither notified nor compared", n.Unseen)
	}
	line("Watches", "%d armed, %d lost, %d evicted", n.Armed, n.Lost, n.Evicted)
	line("From the server", "%d notifications, %d overflows", n.Notifications, n.Overflows)
	line("Looked at", "%d listings, %d of them comparisons, %d names; %d changes found by comparison alone", n.Listings, n.Comparisons, n.Questions, n.Found)
	line("Events told", "%s", s.Events.toldText())
	line("Replays", "%d repeated, %d failed", s.Events.Repeated, s.Events.Failed)
	line("Latency", "%s", s.Events.Latency.text())
	line("Helper", "%s", s.Helper.text())
	line("Memory", "%s, at most %s, heap %s (%s live), %d goroutines", mib(s.Memory.Resident), mib(s.Memory.Peak), mib(int64(s.Memory.Heap)),
		mib(int64(s.Memory.Live)), s.Memory.Goroutines)
	line("Daemon", "pid %d, smbfs %s, mounted %s ago", s.Mount.PID, s.Mount.Version, s.Time.Sub(s.Mount.Since).Round(time.Second))
	return b.String()
}

func (s *Status) connectionText(c *ConnectionStatus) string {
	state := "up"
	if !c.Up {
		state = "lost"
		if c.Error != "" {
			state += " (" + c.Error + ")"
		}
	}
	if c.Reconnects > 0 {
		state += fmt.Sprintf(", reconnected %d times", c.Reconnects)
	}
	return fmt.Sprintf("%s %s, last heard %.1f s ago, %d messages, %s sent, %s received", c.Purpose, state,
		s.Time.Sub(c.LastReceived).Seconds(), c.Messages, mib(c.Sent), mib(c.Received))
}

func (s *Status) offlineText() string {
	o := &s.Offline
	if !o.Now || o.Since == nil {
		return fmt.Sprintf("not now; %d answers given from memory so far", o.Answers)
	}
	return fmt.Sprintf("directories have been shown as they were for %.0f s; %d answers given from memory so far", s.Time.Sub(*o.Since).Seconds(), o.Answers)
}

// kinds of change, in the order in which they are shown.
var kinds = []string{"create", "remove", "rename", "link", "arrive", "modify", "attrib", "close-write"}

func (e *EventStatus) toldText() string {
	var parts []string
	var all int64
	for _, k := range kinds {
		if n := e.Told[k]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k))
			all += n
		}
	}
	if all == 0 {
		return "none"
	}
	return fmt.Sprintf("%d: %s", all, strings.Join(parts, ", "))
}

func (l *LatencyStatus) text() string {
	if l.Count == 0 {
		return "nothing measured yet"
	}
	return fmt.Sprintf("p50 %s, p95 %s, p99 %s, of %d", milliseconds(l.P50), milliseconds(l.P95), milliseconds(l.P99), l.Count)
}

func (h *HelperStatus) text() string {
	if !h.Running {
		return fmt.Sprintf("not running, restarted %d times", h.Restarts)
	}
	return fmt.Sprintf("pid %d, %d workers, %d stalled, restarted %d times", h.PID, h.Workers, h.Stalled, h.Restarts)
}

// harmless replaces what would steer a terminal or break a line.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// Text is how changes on the server are found, in words.
func (n *NotifyStatus) Text() string {
	switch {
	case n.Mode != "poll":
		return n.Mode
	case n.Pinned > 0 && n.Unseen == n.Pinned:
		return "not notified, not compared"
	}
	return fmt.Sprintf("not notified, compared every %g s", n.Every)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
