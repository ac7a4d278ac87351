package marks

import (
	"testing"
	"time"
)

func TestBudget(t *testing.T) {
	at := time.Unix(1e9, 0)
	b := newBudget(0.01, at)
	if want := 100 * time.Millisecond; b.left != want {
		t.Fatalf("it begins with %v, want %v", b.left, want)
	}
	b.spend(300 * time.Millisecond) // overdrawn by 200 ms: closed for 20 s
	for _, step := range []struct {
		after time.Duration
		open  bool
	}{{0, false}, {10 * time.Second, false}, {5 * time.Second, false}, {0, false}, {6 * time.Second, true}} {
		at = at.Add(step.after)
		b.earn(at)
		if b.open() != step.open {
			t.Errorf("with %v left it is open: %v", b.left, b.open())
		}
	}
	b.earn(at.Add(-time.Hour)) // the clock was set back
	if !b.open() {
		t.Error("time that went back was spent")
	}
	left := b.left
	if surplus := b.earn(at.Add(time.Hour)); surplus != left+36*time.Second-100*time.Millisecond {
		t.Errorf("an hour's surplus is %v", surplus)
	}
	if b.left != 100*time.Millisecond {
		t.Errorf("an hour saved up %v", b.left)
	}
}

func TestOrder(t *testing.T) {
	now := time.Unix(1e9, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	tests := []struct {
		name  string
		p     process
		class int
		ratio float64
		due   bool
	}{
		{"idle", process{listedAt: ago(time.Minute)}, 0, 0, false},
		{"idle for long", process{listedAt: ago(refresh), cost: time.Second}, classOld, 300, true},
		{"ran", process{due: true, listedAt: ago(time.Second), cost: time.Millisecond}, classRan, 1000, true},
		{"new descriptors", process{due: true, changed: true, listedAt: ago(time.Second), cost: time.Second}, classChanged, 1, true},
		{"hinted", process{due: true, changed: true, hintedUntil: now.Add(1), listedAt: ago(time.Second), cost: time.Second}, classHinted, 1, true},
		{"hinted long ago", process{due: true, hintedUntil: now, listedAt: ago(time.Second), cost: time.Second}, classRan, 1, true},
		{"denied", process{due: true, denied: true, listedAt: ago(time.Second), cost: time.Microsecond}, classRan, 1e4, true},
	}
	for _, test := range tests {
		jobs := test.p.jobs(nil, now)
		if len(jobs) == 1 != test.due {
			t.Errorf("%s: %d jobs", test.name, len(jobs))
			continue
		}
		if test.due && (jobs[0].class != test.class || jobs[0].ratio != test.ratio) {
			t.Errorf("%s: class %d, ratio %v; want %d, %v", test.name, jobs[0].class, jobs[0].ratio, test.class, test.ratio)
		}
	}
}

func TestNext(t *testing.T) {
	now := time.Unix(1e9, 0)
	s := &Scanner{lively: now.Add(-calm - 1)}
	if d := s.next(now, false); d != calmInterval {
		t.Errorf("in the calm it is %v", d)
	}
	if d := s.next(now, true); d != interval {
		t.Errorf("after a change it is %v", d)
	}
	if d := s.next(now.Add(calm), false); d != interval {
		t.Errorf("soon after a change it is %v", d)
	}
	s.stats.Base = 100 * time.Millisecond
	if d := s.next(now, false); d != 40*time.Second {
		t.Errorf("with a listing of 100 ms it is %v", d)
	}
}
