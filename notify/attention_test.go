package notify

import (
	"slices"
	"testing"
)

// TestAttention: what is urgent comes first, what has become urgent passes on, what is not does not while that is asked for, and one worker begins at the other end.
func TestAttention(t *testing.T) {
	for _, c := range []struct {
		least     urgency
		backwards bool
		want      []int
	}{
		{routine, false, []int{3, 0, 1, 2, 4}},
		{routine, true, []int{2, 4, 1, 3, 0}},
		{unheard, false, []int{3, 0, 1}},
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
		for w := a.next(c.least, c.backwards); w != nil; w = a.next(c.least, c.backwards) {
			got = append(got, slices.Index(watches[:], w))
		}
		if !slices.Equal(got, c.want) || a.waits(c.least) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
