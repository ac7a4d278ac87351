package share

import (
	"bytes"
	"testing"
	"testing/synctest"
)

// TestProof: what is on the server is recognised, whatever the order it was written in; anything else is not.
func TestProof(t *testing.T) {
	type write struct {
		off  int64
		text string // "": the size is set to off
	}
	for _, c := range []struct {
		name   string
		writes []write
		server string
		there  bool
	}{
		{"nothing", nil, "anything", true},
		{"in sequence", []write{{0, "ab"}, {2, "cd"}, {4, "ef"}}, "abcdef", true},
		{"in sequence, one byte lost", []write{{0, "ab"}, {2, "cd"}, {4, "ef"}}, "abc\x00ef", false},
		{"in sequence, the end lost", []write{{0, "ab"}, {2, "cd"}}, "ab", false},
		{"scattered", []write{{4, "ef"}, {0, "ab"}}, "ab..ef", true},
		{"scattered, one lost", []write{{4, "ef"}, {0, "ab"}}, "ab....", false},
		{"written over as a whole", []write{{0, "ab"}, {4, "xx"}, {0, "cd"}}, "cd..xx", true},
		{"written over as a whole, the old is there", []write{{0, "ab"}, {4, "xx"}, {0, "cd"}}, "ab..xx", false},
		{"written over in part", []write{{0, "abcd"}, {2, "xy"}}, "abxy", false}, // it could be; nobody knows
		{"on into what is there", []write{{4, "ef"}, {0, "ab"}, {2, "cdxx"}}, "abcdxx", true},
		{"cut, then written", []write{{0, ""}, {0, "ab"}}, "ab", true},
		{"cut, and the old end is back", []write{{0, ""}, {0, "ab"}}, "abcd", false},
		{"written, then cut away", []write{{0, "ab"}, {0, ""}}, "", true},
		{"written, then cut in the middle", []write{{0, "abcd"}, {2, ""}}, "ab", false}, // as above
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 0)
				r.server.Tree.WriteFile("f", []byte(c.server))
				u := nothingUnflushed()
				for _, w := range c.writes {
					if w.text == "" {
						u.resized(w.off)
					} else {
						u.wrote([]byte(w.text), w.off)
					}
				}
				f, e, err := r.Open(t.Context(), "f", Opening{Read: true})
				if err != nil {
					t.Fatal(err)
				}
				if err := u.isThere(t.Context(), f, e); (err == nil) != c.there {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// What is remembered of scattered writes is bounded, and of a long one in sequence a few bytes.
func TestProofIsBounded(t *testing.T) {
	u := nothingUnflushed()
	p := bytes.Repeat([]byte("x"), 1<<20)
	for i := range int64(100) {
		u.wrote(p, i<<20)
	}
	if len(u.extents) != 1 || u.hopeless {
		t.Errorf("%d extents for one long write", len(u.extents))
	}
	for i := range int64(2 * mostExtents) {
		u.wrote(p[:1], 1<<30+2*i)
	}
	if len(u.extents) > mostExtents+1 || !u.hopeless {
		t.Errorf("%d extents", len(u.extents))
	}
}
