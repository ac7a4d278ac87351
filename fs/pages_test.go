package fs

import (
	"testing"
	"time"

	"smbfs/cache"
)

func TestPages(t *testing.T) {
	watched := time.Now()
	was := image{size: 5, write: 100, change: 200, asked: watched.Add(time.Second), rested: time.Hour}
	later := func(d time.Duration, f func(i *image)) image {
		i := was
		i.asked = was.asked.Add(d)
		i.rested += d
		if f != nil {
			f(&i)
		}
		return i
	}
	for _, c := range []struct {
		why   string
		was   image
		now   image
		since time.Time
		want  bool
	}{
		{"as it was", was, later(time.Hour, nil), watched, true},
		{"other size", was, later(1, func(i *image) { i.size++ }), watched, false},
		{"written", was, later(1, func(i *image) { i.write++ }), watched, false},
		{"changed", was, later(1, func(i *image) { i.change-- }), watched, false},
		{"not watched", was, later(1, nil), time.Time{}, false},
		{"watched again since", was, later(time.Hour, nil), was.asked.Add(time.Minute), false},
		{"asked before it was watched", was, later(1, nil), was.asked.Add(1), false},
		{"just written", later(0, func(i *image) { i.rested = sameTime - 1 }), later(time.Hour, nil), watched, false},
		{"of the future", later(0, func(i *image) { i.rested = -time.Hour }), later(time.Hour, nil), watched, false},
		{"written lately, asked soon", later(0, func(i *image) { i.rested = sameTime }), later(mapped-1, nil), watched, true},
		{"written lately, asked late", later(0, func(i *image) { i.rested = sameTime }), later(mapped, nil), watched, false},
	} {
		var p pages
		if p.keep(1, c.was, watched) {
			t.Errorf("%s: kept the first time", c.why)
		}
		if got := p.keep(1, c.now, c.since); got != c.want {
			t.Errorf("%s: kept: %v", c.why, got)
		}
	}
}

// What has been dropped once is not kept, whatever the size and times say.
func TestPagesDropped(t *testing.T) {
	var p pages
	watched := time.Now()
	was := image{asked: watched, rested: time.Hour}
	p.keep(1, was, watched)
	p.keep(2, was, watched)
	if !p.drop(1) || p.drop(1) || p.has(1) || !p.has(2) {
		t.Error("drop")
	}
	if p.keep(1, was, watched) || !p.keep(1, was, watched) || !p.keep(2, was, watched) {
		t.Error("keep after drop")
	}
	for len(p.byID) < pagesMost {
		p.keep(cache.ID(3+len(p.byID)), was, watched)
	}
	if p.keep(1<<40, was, watched); len(p.byID) != 1 {
		t.Errorf("%d images are kept", len(p.byID))
	}
}
