package cache

import (
	"slices"
	"testing"
	"time"
)

// TestNewsOfFirstListing: of what the first listing of a watched directory finds, that is news which is younger than the watch by the server's clock.
func TestNewsOfFirstListing(t *testing.T) {
	const ms = int64(time.Millisecond / 100) // in FILETIME units
	const watched = int64(133_000_000_000_000_000) + 123*ms
	stored := func(created, write int64) Attr { return Attr{Write: write, Change: write, Access: created} }
	for _, test := range []struct {
		name      string
		dirBefore int64 // when names in the directory had last changed when it was looked up, after watched
		dirAfter  int64 // and when it was listed
		created   int64
		attr      Attr
		want      []Op
	}{
		{"old", -5000, -5000, -5000, stored(-5000, -4000), nil},
		{"new", -5000, 1, 1, stored(1, 1), []Op{Create, Modify}},
		{"made just before the look", -20, -20, -20, stored(-20, -15), []Op{Modify}}, // its content may have been written after it
		{"made just before the look, among others", -20, 5, -30, stored(-30, -500), nil},
		{"made in the same tick", -1, -1, -1, stored(-1, -1), []Op{Create, Modify}},
		{"written", -5000, -5000, -5000, stored(-5000, 2), []Op{Modify}},
		{"written, with a time of creation that is made up", -5000, -5000, 2, stored(2, 2), []Op{Modify}},
		{"moved in", -5000, 3, -5000, Attr{Write: -5000, Change: 3}, []Op{Create, Modify}},
		{"time set back", -5000, -5000, -9000, stored(-9000, -9000), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := time.Unix(1e9, 0)
			at := func(n int64) int64 { return watched + n*ms }
			tree := New(Entry{Identity: Identity{FileID: 1, Kind: Directory}, Attr: Attr{Write: at(test.dirBefore)}}, 0)
			tree.Watch(RootID, now, watched)
			a := test.attr
			a.Write, a.Change, a.Access, a.Size = at(a.Write), at(a.Change), at(a.Access), 5
			e := Entry{Identity: Identity{FileID: 2, Created: at(test.created)}, Attr: a}
			list := []Observation{{Name: "f", Entry: &e}}
			asOf := tree.Now()
			if tree.Appeared(RootID, list) {
				tree.NamesChanged(RootID, at(test.dirAfter))
			}
			tree.Compare(RootID, asOf, now, list)
			var told []Op
			for range 5 {
				if c := tree.Next(now).Change; c != nil && c.Op != Rest {
					told = append(told, c.Op)
					tree.Commit(c, false)
					tree.Done(c, true, now, Pace{})
				}
			}
			if !slices.Equal(told, test.want) {
				t.Errorf("told %v, want %v", told, test.want)
			}
		})
	}
}
