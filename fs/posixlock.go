package fs

import (
	"slices"

	"smbfs/share"
)

// span is a part of a file, in bytes; to is the first behind it.
type span struct{ from, to uint64 }

func spanOf(off int64, n int) span { return span{uint64(off), uint64(off) + uint64(n)} }

func (s span) meets(t span) bool { return s.from < t.to && t.from < s.to }

func (s span) extent() share.Extent { return share.Extent{Offset: s.from, Length: s.to - s.from} }

// without returns what is left of s: before cut, and behind it.
func (s span) without(cut span) (left []span) {
	if s.from < cut.from {
		left = append(left, span{s.from, min(s.to, cut.from)})
	}
	if s.to > cut.to {
		left = append(left, span{max(s.from, cut.to), s.to})
	}
	return left
}

// owner is whom a lock belongs to: a process for fcntl(2), a description of an open file for flock(2). The two kinds know nothing of each
// other.
type owner struct {
	id    uint64
	flock bool
}

// held is a lock that a local program has.
type held struct {
	span
	owner
	mode share.LockMode
	pid  uint32
	via  *handle // through which it was taken
}

// heldLocks are those of one file. No two of one owner overlap.
type heldLocks []held

// conflict returns the first lock, by where it begins, that keeps w from being given, or nil: fcntl(2) names the first.
func (l heldLocks) conflict(w held) (first *held) {
	for i, h := range l {
		if first != nil && h.from >= first.from {
			continue
		}
		if h.owner != w.owner && h.flock == w.flock && h.meets(w.span) && (h.mode == share.LockedExclusive || w.mode == share.LockedExclusive) {
			first = &l[i]
		}
	}
	return first
}

// with returns the locks when w takes the place of what its owner had there.
func (l heldLocks) with(w held) heldLocks {
	after := make(heldLocks, 0, len(l)+2)
	for _, h := range l {
		switch {
		case h.owner != w.owner || h.to < w.from || w.to < h.from:
			after = append(after, h)
		case h.mode == w.mode && h.via == w.via: // one with it
			w.from, w.to = min(w.from, h.from), max(w.to, h.to)
		default:
			for _, s := range h.without(w.span) {
				h.span = s
				after = append(after, h)
			}
		}
	}
	if w.mode != share.Unlocked {
		after = append(after, w)
	}
	return after
}

// notThrough returns the locks without those that were taken through a handle.
func (l heldLocks) notThrough(via *handle) heldLocks {
	return slices.DeleteFunc(slices.Clone(l), func(h held) bool { return h.via == via })
}

// of reports whether an owner has any.
func (l heldLocks) of(o owner) bool {
	return slices.ContainsFunc(l, func(h held) bool { return h.owner == o })
}

// strongest is how s has to be locked on the server for all of them.
func (l heldLocks) strongest(s span) (mode share.LockMode) {
	for _, h := range l {
		if h.meets(s) {
			mode = max(mode, h.mode)
		}
	}
	return mode
}

// lockPiece is what is locked on the server, by one handle. It covers what local programs have locked there, and may be larger: a server unlocks
// only what was locked, as a whole.
type lockPiece struct {
	span
	mode share.LockMode
	via  *handle
}

// gaps returns what of s no piece covers.
func gaps(s span, pieces []lockPiece) []span {
	left := []span{s}
	for _, p := range pieces {
		var next []span
		for _, g := range left {
			next = append(next, g.without(p.span)...)
		}
		left = next
	}
	return left
}
