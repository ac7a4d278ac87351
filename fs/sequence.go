package fs

import "time"

// sequence recognises requests that follow one another. The kernel sends them in order, but several threads handle them: each
// is compared with the last few.
type sequence struct {
	recent [8]extent
	next   int   // in recent
	run    int   // how many have followed one another
	end    int64 // of the furthest of them
}

// extent is the bytes of a file from one offset to another.
type extent struct{ from, to int64 }

const (
	// sequenceFrom is how many requests must follow one another to be a sequence.
	sequenceFrom = 3
	// sequenceNear is how far from the others a request may be without ending the sequence: it was overtaken by them.
	sequenceNear = 8 << 20
)

// add takes a request and reports whether the file is being read in sequence.
func (s *sequence) add(x extent) bool {
	follows := false
	for _, r := range s.recent {
		follows = follows || r.to > r.from && (r.to == x.from || r.from == x.to)
	}
	s.recent[s.next] = x
	s.next = (s.next + 1) % len(s.recent)
	switch {
	case follows && s.run > 0:
		s.run, s.end = s.run+1, max(s.end, x.to)
	case follows:
		s.run, s.end = 2, x.to
	case x.from < s.end-sequenceNear || x.from > s.end+sequenceNear:
		s.run = 0
	default:
		s.run = max(s.run-1, 0)
	}
	return follows && s.run >= sequenceFrom
}

// pace measures how fast a reader is and how long the server's answer takes, and from that how far ahead it has to be kept.
type pace struct {
	window int64
	quick  time.Duration // the quickest answer so far
	since  time.Time
	bytes  int64 // read since then
}

// paceEvery is after how many bytes the window is set anew.
const paceEvery = 4 << 20

// read counts n bytes. The window is twice what travels in the time of one answer, so that a reader that is held up
// gets faster; nothing, if the kernel reads ahead as much by itself.
func (p *pace) read(n int64, now time.Time, kernel int64) {
	if p.since.IsZero() {
		p.window, p.since = aheadLeast, now
	}
	if p.bytes += n; p.bytes < paceEvery {
		return
	}
	if spent := now.Sub(p.since); p.quick > 0 && spent > 0 {
		need := int64(2 * float64(p.bytes) * float64(p.quick) / float64(spent))
		p.window = min(max(need, aheadLeast), aheadMost)
		if need <= kernel {
			p.window = 0
		}
	}
	p.since, p.bytes = now, 0
}

// answered takes the time of one answer.
func (p *pace) answered(took time.Duration) {
	if p.quick == 0 || took < p.quick {
		p.quick = took
	}
}
