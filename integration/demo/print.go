package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"smbfs/integration/testenv"
)

// printer writes two columns side by side, made for 100.
type printer struct {
	out       io.Writer
	err       error // the first write error
	latencies []time.Duration
	rests     []time.Duration
}

const row = "  %-38s  %-42s %10s\n"

func (p *printer) say(format string, args ...any) {
	if _, err := fmt.Fprintf(p.out, format, args...); err != nil && p.err == nil {
		p.err = err
	}
	if !strings.HasSuffix(format, "\n") {
		p.say("\n")
	}
}

func (p *printer) head(s *testenv.Samba, watched string, local bool) {
	p.say("server   %s, folder %s", s.Addr(), s.Dir)
	if !local {
		p.say("mount    smbfs %s on %s", s.Source(), watched)
	}
	p.say("watcher  recursive inotify on %s\n\n", watched)
	p.say(row, "change made on the server", "event seen by the watcher", "after")
	p.say(row, strings.Repeat("-", 38), strings.Repeat("-", 42), strings.Repeat("-", 10))
}

// hiddenEvents are of no interest here: the watcher's own looking around, and what directories tell of themselves besides what
// their parents tell.
const hiddenEvents = unix.IN_OPEN | unix.IN_ACCESS | unix.IN_CLOSE_NOWRITE | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF

// step prints a change with its events and gives the number of those that did not come.
func (p *printer) step(s step, start time.Time, events []testenv.Event) int {
	title := s.title
	line := func(event, after string) {
		p.say(row, title, event, after)
		title = ""
	}
	for i, e := range events {
		if e.Mask&hiddenEvents != 0 || repeats(events, i) {
			continue
		}
		d := e.Time.Sub(start)
		line(e.String(), millis(d))
		if e.Mask == unix.IN_CLOSE_WRITE {
			p.rests = append(p.rests, d)
		} else {
			p.latencies = append(p.latencies, d)
		}
	}
	lost := missing(events, s.want)
	for _, w := range lost {
		line("MISSING: "+maskNames(w.mask)+" "+w.path, "")
	}
	return len(lost)
}

// repeats says whether the event before is the same: runs of MODIFY are one.
func repeats(events []testenv.Event, i int) bool {
	return i > 0 && events[i].Mask == unix.IN_MODIFY && events[i-1].Mask == unix.IN_MODIFY && events[i].Path() == events[i-1].Path()
}

func (p *printer) summary(changes, missing int) {
	p.say("\n%d changes, %d events, %d missing", changes, len(p.latencies)+len(p.rests), missing)
	if len(p.latencies) > 0 {
		p.say("median time from the start of a change to an event: %s", millis(median(p.latencies)))
	}
	if len(p.rests) > 0 {
		p.say("median to CLOSE_WRITE: %s (SMB does not tell a close: smbfs tells it when a file has come to rest)", millis(median(p.rests)))
	}
}

func maskNames(mask uint32) string {
	var names []string
	for bit := uint32(1); bit != 0 && bit <= mask; bit <<= 1 {
		if mask&bit != 0 {
			names = append(names, testenv.MaskName(bit))
		}
	}
	return strings.Join(names, " or ")
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
