package health

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Every duration is less than its bucket's end, not less than the end of the one before, and the buckets grow by an eighth at most.
func TestBuckets(t *testing.T) {
	for i := 1; i < buckets; i++ {
		if lower, upper := above(i-1), above(i); upper <= lower || i > 2*perOctave && upper-lower > lower/perOctave {
			t.Fatalf("bucket %d is from %v to %v", i, lower, upper)
		}
	}
	for range 100_000 {
		d := time.Duration(rand.Int64N(int64(time.Minute)) >> rand.IntN(30))
		b := bucketOf(d)
		if d >= above(b) || b > 0 && d < above(b-1) {
			t.Fatalf("%v is in bucket %d, which ends at %v", d, b, above(b))
		}
	}
	if b := bucketOf(1 << 62); b != buckets-1 {
		t.Errorf("a century is in bucket %d of %d", b, buckets)
	}
}

func TestQuantiles(t *testing.T) {
	var h Histogram
	if q := h.Quantile(0.5); q != 0 {
		t.Errorf("the median of nothing is %v", q)
	}
	var all []time.Duration
	for range 10_000 {
		d := time.Duration(rand.ExpFloat64() * float64(time.Millisecond))
		all = append(all, d)
		h.Add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.95, 0.99, 1} {
		exact := all[min(int(q*float64(len(all))), len(all)-1)]
		if got := h.Quantile(q); got < exact || got > exact+exact/perOctave+2*time.Microsecond {
			t.Errorf("quantile %v is %v, want %v", q, got, exact)
		}
	}
	if h.Count() != 10_000 || h.Below(time.Hour) != 10_000 || h.Below(0) != 0 {
		t.Errorf("%d in all, %d below an hour, %d below nothing", h.Count(), h.Below(time.Hour), h.Below(0))
	}
}
