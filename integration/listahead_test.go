package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// aheadDirectories is how many there are, each with one file.
const aheadDirectories = 12

// mountAhead mounts them through a proxy. They are seldom compared in the background, which would keep them as they are known.
func mountAhead(t *testing.T) (*testenv.Mounted, *testenv.Proxy) {
	s := plainSamba(t)
	root := folder(t, s)
	for d := range aheadDirectories {
		dir := s.Path(root, fmt.Sprintf("d%02d", d))
		must(t, os.Mkdir(dir, 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o644))
	}
	proxy := testenv.MustProxy(t, s)
	return testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + root,
		Options: []string{fmt.Sprint("port=", proxy.Port()), fmt.Sprintf("actimeo=%.0f", attributeTime.Seconds()), "poll_interval=30s"}}), proxy
}

// lookInto asks for the file in one of them.
func lookInto(t *testing.T, m *testenv.Mounted, d int) {
	if _, err := os.Stat(m.Path(fmt.Sprintf("d%02d", d), "file")); err != nil {
		t.Error(err)
	}
}

// TestDirectoriesListedAhead: whoever looks at directories in the order of the last time waits once and not for one after the other: when the
// first is asked for, the listings of all are on their way, before any answer has come. Those that nobody looks at then are not listed ahead
// again. It has the machine to itself, as TestOnTheWire.
func TestDirectoriesListedAhead(t *testing.T) {
	m, proxy := mountAhead(t)
	var seen atomic.Int64
	walk := func() {
		seen.Store(0)
		for d := range aheadDirectories {
			lookInto(t, m, d)
			seen.Add(1)
		}
	}
	walk()
	const (
		slow = time.Second // each way: what has been asked for is asked of the daemon meanwhile, by a process of its own
		each = 2           // a listing is one message with two questions
	)
	ahead := testenv.WaitUntil(time.Minute, func() bool {
		walk()
		time.Sleep(attributeTime) // the time-out is what is measured
		before := questions(t, m)
		proxy.Set(testenv.Faults{Delay: slow})
		done := make(chan struct{})
		go func() { defer close(done); walk() }()
		all := testenv.WaitUntil(slow, func() bool { return questions(t, m)-before >= each*aheadDirectories }) && seen.Load() == 0
		proxy.Set(testenv.Faults{})
		<-done
		return all
	})
	if !ahead {
		t.Fatalf("%d directories were not asked for at once", aheadDirectories)
	}
	asked := func() int64 {
		time.Sleep(attributeTime) // the time-out is what is measured
		before := questions(t, m)
		lookInto(t, m, 0)
		time.Sleep(attributeTime / 2) // nobody waits for what is listed for nobody
		return questions(t, m) - before
	}
	if !testenv.WaitUntil(time.Minute, func() bool { walk(); return asked() >= each*aheadDirectories }) {
		t.Fatal("nothing is listed that nobody waits for")
	}
	const most = each*2 + 1 // for a file: its directory, the one above it, and the root's own attributes
	if n := asked(); n > most {
		t.Errorf("%d questions for one file in one directory, want at most %d", n, most)
	}
}
