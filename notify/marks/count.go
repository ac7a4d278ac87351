package marks

import (
	"slices"
	"time"
)

// Intervals between scans: while marks come and go or are expected, and when none did for
// the time of calm.
const (
	interval     = time.Second
	calmInterval = 2 * time.Second
	calm         = 30 * time.Second

	// baseShare is the part of one processor that listing /proc may use.
	baseShare = 0.0025
)

// replace gives a group new content. The kernel puts a new mark first and keeps the order of
// the others, so what is common to both ends need not be counted again.
func (s *Scanner) replace(g *group, to *content) {
	was, is := g.nodes, to.nodes
	for len(was) > 0 && len(is) > 0 && was[len(was)-1] == is[len(is)-1] {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	for len(was) > 0 && len(is) > 0 && was[0] == is[0] {
		was, is = was[1:], is[1:]
	}
	if len(was)+len(is) > 0 {
		for _, node := range was {
			s.count(node, -1)
		}
		for _, node := range is {
			s.count(node, +1)
		}
		g.nodes = slices.Clone(to.nodes)
	}
	if g.whole != to.whole {
		s.whole += sign(to.whole)
	}
	g.whole, g.nameless = to.whole, to.nameless
}

func sign(more bool) int {
	if more {
		return 1
	}
	return -1
}

func (s *Scanner) count(node uint64, by int) {
	n := s.counts[node]
	if _, ok := s.touched[node]; !ok {
		s.touched[node] = n
	}
	if n+by == 0 {
		delete(s.counts, node)
	} else {
		s.counts[node] = n + by
	}
}

// forget takes a group's marks away.
func (s *Scanner) forget(g *group) { s.replace(g, &content{}) }

func (s *Scanner) drop(p *process) {
	for _, g := range p.groups {
		s.forget(g)
	}
	p.groups = nil
}

func (s *Scanner) result() Result {
	r := Result{Whole: s.whole > 0, Stats: s.stats}
	for node, before := range s.touched {
		switch now := s.counts[node]; {
		case before == 0 && now > 0:
			r.Added = append(r.Added, node)
		case before > 0 && now == 0:
			r.Removed = append(r.Removed, node)
		}
	}
	s.touched = map[uint64]int{} // not cleared: it may have been large
	slices.Sort(r.Added)
	slices.Sort(r.Removed)
	r.Stats.Marked = len(s.counts)
	for _, p := range s.procs {
		if p.denied {
			r.Stats.Unreadable++
		}
		for _, g := range p.groups {
			r.Stats.Groups++
			r.Stats.Nameless += g.nameless
		}
	}
	return r
}

// next says when to scan again: not so soon that listing /proc alone costs too much, which
// it does with many thousands of processes.
func (s *Scanner) next(now time.Time, changed bool) time.Duration {
	if changed {
		s.lively = now
	}
	d := interval
	if now.Sub(s.lively) > calm {
		d = calmInterval
	}
	return max(d, time.Duration(float64(s.stats.Base)/baseShare))
}
