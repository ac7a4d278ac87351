package notify

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestAlarms: watches come in the order of their times, however often these are set anew, and those taken out do not come.
func TestAlarms(t *testing.T) {
	start := time.Now()
	var a alarms
	var all []*watch
	for i := range 200 {
		w := &watch{}
		all = append(all, w)
		a.set(w, start.Add(time.Duration(rand.IntN(1000))*time.Second))
		a.set(all[rand.IntN(i+1)], start.Add(time.Duration(rand.IntN(1000))*time.Second))
	}
	for _, w := range all[:50] {
		a.remove(w)
		a.remove(w)
	}
	if w := a.due(start.Add(-time.Second)); w != nil {
		t.Errorf("a watch came %v too early", w.alarmAt.Sub(start))
	}
	want := slices.SortedFunc(slices.Values(all[50:]), func(v, w *watch) int { return v.alarmAt.Compare(w.alarmAt) })
	for i := range want {
		w := a.due(start.Add(time.Hour))
		if w == nil || !w.alarmAt.Equal(want[i].alarmAt) || w.alarm != 0 {
			t.Fatalf("number %d: %+v, want the one of %v", i, w, want[i].alarmAt)
		}
	}
	if w := a.due(start.Add(time.Hour)); w != nil {
		t.Errorf("%+v came although it was taken out", w)
	}
}
