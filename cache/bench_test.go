package cache

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// benchTree is a tree with n watched directories in its root; the first holds the names given.
func benchTree(n int, names []Observation) (*Tree, []ID) {
	t := New(Entry{Identity: Identity{FileID: 1, Kind: Directory}}, testHold)
	list := make([]Observation, n)
	for i := range list {
		list[i] = Observation{Name: fmt.Sprintf("directory-%d", i),
			Entry: &Entry{Identity: Identity{FileID: uint64(10 + i), Created: int64(i), Kind: Directory}}}
	}
	now := time.Unix(1e9, 0)
	t.Watch(RootID, now, 0)
	t.Compare(RootID, t.Now(), now, list)
	ids := make([]ID, n)
	for i, l := range list {
		v := t.Lookup(Place{RootID, l.Name}, now, Freshness{time.Hour, time.Hour})
		ids[i] = v.ID
		t.Watch(v.ID, now, 0)
		t.Compare(v.ID, t.Now(), now, names)
		names = nil
	}
	return t, ids
}

// tellAll tells what there is now.
func tellAll(tb testing.TB, t *Tree, now time.Time) (told int) {
	for {
		st := t.Next(now)
		if st.Change == nil {
			return told
		}
		if _, ok := t.Commit(st.Change, false); !ok {
			tb.Fatalf("%v was refused", st.Change)
		}
		t.Done(st.Change, true, now, testPace)
		told++
	}
}

func benchNames(from, n int) []Observation {
	obs := make([]Observation, n)
	for i := range obs {
		obs[i] = Observation{Name: fmt.Sprintf("name-%08d", from+i),
			Entry: &Entry{Identity: Identity{FileID: uint64(1e6 + from + i), Created: int64(from + i)}}}
	}
	return obs
}

// BenchmarkCreates tells of 100,000 creates: by hints, spread over 1,000 directories or all in one.
func BenchmarkCreates(b *testing.B) {
	const files = 100_000
	for _, dirs := range []int{1000, 1} {
		b.Run(fmt.Sprintf("dirs=%d", dirs), func(b *testing.B) {
			b.ReportAllocs()
			now := time.Unix(1e9, 0)
			for b.Loop() {
				b.StopTimer()
				t, ids := benchTree(dirs, nil)
				obs := benchNames(0, files)
				b.StartTimer()
				for i := range obs {
					t.Observe(ids[i%dirs], t.Now(), now, obs[i:i+1])
				}
				if n := tellAll(b, t, now); n != files {
					b.Fatalf("%d told", n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*files), "ns/event")
		})
	}
}

// BenchmarkRemoveTree tells of a directory of 100,000 files that is gone.
func BenchmarkRemoveTree(b *testing.B) {
	const files = 100_000
	for b.Loop() {
		b.StopTimer()
		t, _ := benchTree(100, benchNames(0, files))
		now := time.Unix(1e9, 0)
		b.StartTimer()
		t.Observe(RootID, t.Now(), now, []Observation{{Name: "directory-0"}})
		told := 0
		for range 1000 {
			told += tellAll(b, t, now)
			now = now.Add(t.Next(now).Wait)
		}
		if told != files+1 {
			b.Fatalf("%d told", told)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*files), "ns/event")
}

// BenchmarkListed reports the memory of a name that a listing brought.
func BenchmarkListed(b *testing.B) {
	const files = 100_000
	for b.Loop() {
		obs := benchNames(0, files)
		before := heapInUse()
		t, _ := benchTree(1, obs)
		runtime.KeepAlive(obs) // the names are the listing's; they come on top
		b.ReportMetric(float64(heapInUse()-before)/files, "B/entry")
		runtime.KeepAlive(t)
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
