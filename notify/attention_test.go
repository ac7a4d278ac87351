package notify

import (
	"slices"
	"testing"
)

// TestAttention: what is urgent comes first, what has become urgent passes on, and one worker begins at the other end.
func TestAttention(t *testing.T) {
	for _, c := range []struct {
		backwards bool
		want      []int
	}{
		{false, []int{3, 0, 1, 2, 4}},
		{true, []int{2, 4, 1, 3, 0}},
	} {
		var a attention
		var watches [5]*watch
		for i, u := range []urgency{routine, unheard, routine, notified, routine} {
			watches[i] = &watch{}
			a.add(watches[i], u)
		}
		a.add(watches[0], notified)
		a.add(watches[3], routine) // it waits in a better line
		var got []int
		for w := a.next(c.backwards); w != nil; w = a.next(c.backwards) {
			got = append(got, slices.Index(watches[:], w))
		}
		if !slices.Equal(got, c.want) || !a.empty() {
			t.Errorf("backwards %v: %v, want %v", c.backwards, got, c.want)
		}
	}
}
