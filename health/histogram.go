package health

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// The buckets of a histogram: each power of two of microseconds has eight, so that a value read from one is off by an eighth at
// most. The last takes all above 2^30 microseconds, some 18 minutes.
const (
	perOctave = 8
	octaves   = 26
	buckets   = octaves*perOctave + 2*perOctave
)

// Histogram counts durations. Its size is fixed; the zero value is empty; all methods may be called at any time.
type Histogram struct {
	count  [buckets]atomic.Uint64
	sum    atomic.Int64 // nanoseconds
	number atomic.Uint64
}

// Add counts one duration; a negative one counts as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.count[bucketOf(d)].Add(1)
	h.sum.Add(int64(d))
	h.number.Add(1)
}

func bucketOf(d time.Duration) int {
	us := uint64(d / time.Microsecond)
	shift := max(bits.Len64(us)-4, 0)
	if shift > octaves {
		return buckets - 1
	}
	return shift*perOctave + int(us>>shift)
}

// above is where a bucket ends; what is in it is less.
func above(bucket int) time.Duration {
	if bucket < 2*perOctave {
		return time.Duration(bucket+1) * time.Microsecond
	}
	shift := bucket/perOctave - 1
	return time.Duration(bucket-shift*perOctave+1) << shift * time.Microsecond
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.number.Load() }

// Sum is their total.
func (h *Histogram) Sum() time.Duration { return time.Duration(h.sum.Load()) }

// Quantile gives what a part q of the durations, from 0 to 1, did not exceed: the end of the bucket it lies in. 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	var total uint64
	var counts [buckets]uint64
	for i := range h.count {
		counts[i] = h.count[i].Load()
		total += counts[i]
	}
	if total == 0 {
		return 0
	}
	rank := min(uint64(q*float64(total)), total-1)
	var seen uint64
	for i, n := range counts {
		if seen += n; seen > rank {
			return above(i)
		}
	}
	return above(buckets - 1)
}

// Below is how many durations were less than bound, by whole buckets.
func (h *Histogram) Below(bound time.Duration) uint64 {
	var n uint64
	for i := range h.count {
		if above(i) > bound {
			break
		}
		n += h.count[i].Load()
	}
	return n
}

// add adds what is in another histogram.
func (h *Histogram) add(o *Histogram) {
	for i := range h.count {
		h.count[i].Add(o.count[i].Load())
	}
	h.sum.Add(o.sum.Load())
	h.number.Add(o.number.Load())
}
