package integration

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

var (
	chaosFlag = flag.Int("chaos", 0, "so many faults of full length for TestChaos; 0: the short form")
	chaosSeed = flag.Uint64("chaosseed", 0, "the order of TestChaos's faults; 0: another one each time")
)

// chaosShort is the number of faults of the short form, one of each kind at least.
const chaosShort = 10

// TestChaos breaks the server and the way to it, again and again, under a mixed load. Afterwards each byte that an fsync
// acknowledged is there, what each watcher was told is what is there, nobody hangs, and the daemon is no larger than it was.
// make chaos runs the long form. A failure prints the seed; -chaosseed repeats the faults, though not their timing.
func TestChaos(t *testing.T) {
	seed, count, long := *chaosSeed, *chaosFlag, *chaosFlag > 0
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	if !long {
		count = chaosShort
	}
	t.Logf("seed %d", seed)
	c := newChaos(t, rand.New(rand.NewPCG(seed, 0)), long)
	load := startLoad(t, c)
	sizes := []footprint{footprintOf(t, c.m)}
	for i := range count {
		c.fault(t, i)
		if (i+1)%max(count/10, 1) == 0 {
			sizes = append(sizes, footprintOf(t, c.m))
			t.Logf("after %d faults: %v", i+1, sizes[len(sizes)-1])
		}
	}
	c.proxy.Set(testenv.Faults{})
	load.stop(t)
	load.check(t)
	var end footprint
	testenv.WaitUntil(chaosCalm, func() bool { // the last collection may have been under load
		end = footprintOf(t, c.m)
		return end.live <= sizes[0].live+chaosLive
	})
	sizes = append(sizes, end)
	st := statusInOutage(t, c.m)
	t.Logf("after %d faults (%v): %s; connections served %d; daemon at first %v, in the end %v", count, c.counts, load, c.proxy.Served(), sizes[0], sizes[len(sizes)-1])
	t.Logf("files %+v, connections %+v, repeated events %d, failed %d", st.Files, st.Connections, st.Events.Repeated, st.Events.Failed)
	grown(t, sizes, long)
	if st.Files.Open != 0 {
		t.Errorf("%d files are open, of programs that have ended", st.Files.Open)
	}
}

// What a daemon may have more in the end, when nothing is wrong and nobody works, than at first: descriptors of connections that are being
// made, threads that a burst of requests has needed. Meanwhile requests wait, but not ever more.
const (
	chaosFDs            = 12
	chaosThreads        = 30
	chaosGoroutines     = 30
	chaosMostGoroutines = 300
	// chaosLive is how much more of the heap may be in use in the end than before the first fault, nobody working either time, and at the
	// least in the last third of a long run's time under load than at the least in the first: what names were heard of is remembered, up
	// to a bound of 4 MiB.
	chaosLive = 8 << 20
)

// grown fails if the daemon grew.
func grown(t *testing.T, sizes []footprint, long bool) {
	t.Helper()
	first, last := sizes[0], sizes[len(sizes)-1]
	if last.fds > first.fds+chaosFDs || last.threads > first.threads+chaosThreads || last.goroutines > first.goroutines+chaosGoroutines {
		t.Errorf("the daemon grew from %v to %v", first, last)
	}
	for _, f := range sizes {
		if f.goroutines > chaosMostGoroutines {
			t.Errorf("requests gather: %v", f)
		}
	}
	live := func(part []footprint) int64 {
		return slices.MinFunc(part, func(a, b footprint) int { return cmp.Compare(a.live, b.live) }).live
	}
	if last.live > first.live+chaosLive {
		t.Errorf("of the heap %d KiB were in use before all this, and %d KiB when it was over", first.live>>10, last.live>>10)
	}
	under := sizes[1 : len(sizes)-1] // load: like is compared with like
	third := len(under) / 3
	if early, late := live(under[:third]), live(under[len(under)-third:]); long && late > early+chaosLive {
		t.Errorf("of the heap %d KiB were in use under load at the least at first, and %d KiB towards the end", early>>10, late>>10)
	}
}

// footprint is what a process takes.
type footprint struct {
	memory, live             int64 // bytes: resident; of the heap, at the last garbage collection
	fds, threads, goroutines int
}

func (f footprint) String() string {
	return fmt.Sprintf("%d MiB, of it live %.1f MiB, %d descriptors, %d threads, %d goroutines", f.memory>>20, float64(f.live)/(1<<20), f.fds, f.threads, f.goroutines)
}

func footprintOf(t *testing.T, m *testenv.Mounted) footprint {
	t.Helper()
	st := statusInOutage(t, m).Memory
	count := func(what string) int {
		names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/%s/*", m.PID, what))
		return len(names)
	}
	return footprint{st.Resident, int64(st.Live), count("fd"), count("task"), int(st.Goroutines)}
}

// told is a folder as somebody knows it who has only heard the events of its watch.
type told struct {
	names map[string]bool
	wrong []string
}

// replayEvents makes a folder of the events of a watch that began when it was empty.
func replayEvents(events []testenv.Event) told {
	f := told{names: map[string]bool{}}
	for _, e := range events {
		switch {
		case e.Name == "":
		case e.Mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0:
			if e.Mask&unix.IN_CREATE != 0 && f.names[e.Name] {
				f.wrong = append(f.wrong, "CREATE of what exists: "+e.Name)
			}
			f.names[e.Name] = true
		case e.Mask&(unix.IN_DELETE|unix.IN_MOVED_FROM) != 0:
			if !f.names[e.Name] {
				f.wrong = append(f.wrong, "removal of what does not exist: "+e.Name)
			}
			delete(f.names, e.Name)
		}
	}
	return f
}

// differs says what the folder really is otherwise.
func (f told) differs(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, e := range entries {
		if !f.names[e.Name()] {
			out = append(out, "not told: "+e.Name())
		}
		delete(f.names, e.Name())
	}
	for name := range f.names {
		out = append(out, "told, and not there: "+name)
	}
	slices.Sort(out)
	if len(out) == 0 {
		return ""
	}
	return fmt.Sprintf("%d differences: %.300q", len(out), out)
}
