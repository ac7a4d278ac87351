package cache

import (
	"testing"
	"time"
)

// TestAbsentAgain: a name that went is known not to be there, and one in another case that is still there is not taken for it.
func TestAbsentAgain(t *testing.T) {
	now := time.Now()
	tree := New(Entry{Identity: Identity{FileID: 1, Kind: Directory}}, 0)
	file := func(id uint64) *Entry { return &Entry{Identity: Identity{FileID: id, Kind: File}} }
	tree.Compare(RootID, tree.Now(), now, []Observation{{Name: "a", Entry: file(2)}, {Name: "A", Entry: file(3)}})
	known := func(name string) bool {
		return tree.Lookup(Place{RootID, name}, now, Freshness{Names: time.Hour, Attributes: time.Hour}).Known
	}
	if !known("b") {
		t.Error("what the listing lacks is not known to be absent")
	}
	for _, step := range []struct {
		gone string
		want bool // whether "a" and "A" are both known not to be there
	}{{"a", false}, {"A", true}} {
		p := Place{RootID, step.gone}
		own := tree.Begin(p)
		own.Removed(p)
		own.End()
		if id, _ := tree.TrueOccupant(p); id != 0 {
			t.Fatalf("%s is still there", step.gone)
		}
		if got := known("a") && known("A") && tree.Entries(RootID) == 0; got != step.want {
			t.Errorf("after %s went: both known to be absent is %v", step.gone, got)
		}
	}
}
