package integration

import (
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
	var early footprint
	for i := range count {
		c.fault(t, i)
		if i == count/4 {
			early = footprintOf(t, c.m)
		}
	}
	c.proxy.Set(testenv.Faults{})
	load.stop(t)
	load.check(t)
	late := footprintOf(t, c.m)
	t.Logf("after %d faults (%v): %s; connections served %d; daemon %v, after a quarter of the faults %v",
		count, c.counts, load, c.proxy.Served(), late, early)
	if long && late.memory > early.memory+chaosMemory || late.fds > early.fds+chaosFDs || late.threads > early.threads+chaosThreads {
		t.Errorf("the daemon grew from %v to %v", early, late)
	}
	st := statusOf(t, c.m)
	t.Logf("files %+v, connections %+v, repeated events %d, failed %d", st.Files, st.Connections, st.Events.Repeated, st.Events.Failed)
}

// What a daemon may have more at the end than after a quarter of the faults: a few buffers, connections that are being made, threads that
// a burst of requests has needed. In the short form it has not had all its buffers by then.
const (
	chaosMemory  = 48 << 20
	chaosFDs     = 12
	chaosThreads = 30
)

// footprint is what a process takes.
type footprint struct {
	memory       int64
	fds, threads int
}

func (f footprint) String() string {
	return fmt.Sprintf("%d MiB, %d descriptors, %d threads", f.memory>>20, f.fds, f.threads)
}

func footprintOf(t *testing.T, m *testenv.Mounted) footprint {
	t.Helper()
	memory, _, err := testenv.Memory(m.PID)
	must(t, err)
	count := func(what string) int {
		names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/%s/*", m.PID, what))
		return len(names)
	}
	return footprint{memory, count("fd"), count("task")}
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
