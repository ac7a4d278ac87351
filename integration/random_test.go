package integration

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed of TestRandom's first round; 0: the clock")
	soakFlag = flag.Duration("soak", 0, "run TestRandom for so long over many seeds, each for 30 seconds; 0: each mode once, for 30 seconds in all")
	modeFlag = flag.String("randommode", "", "run TestRandom in this mode only: dir, poll, tree, budget, overflow")
)

const (
	randomRun   = 30 * time.Second        // of one seed in a soak, of all without
	randomQuiet = 1500 * time.Millisecond // no event for so long: a quiet point, if all is equal
	// randomDeadline is how long after the last change everything must have been told.
	randomDeadline = 20 * time.Second
	slowDeadline   = time.Minute
)

// randomMode is a way to find changes, and what is special about the test of it.
type randomMode struct {
	name    string
	options []string
	peer    bool // the server's own changes are not notified in a tree watch of Samba's
	dirs    int
	files   int
	start   int  // directories to begin with
	flood   bool // force overflows
	slow    bool // some changes are found by slow comparison only
}

var randomModes = []randomMode{
	{name: "dir", options: []string{"notify=dir"}, dirs: 16, files: 40},
	{name: "poll", options: []string{"notify=poll"}, dirs: 16, files: 40},
	{name: "tree", options: []string{"notify=tree", "compare_interval=2s"}, peer: true, slow: true, dirs: 16, files: 40},
	{name: "budget", options: []string{"notify_max=3"}, dirs: 60, files: 80, start: 50},
	{name: "overflow", options: []string{"notify=dir"}, dirs: 16, files: 120, flood: true},
}

// deadline is how long after the last change everything must have been told. A tree watch of Samba's says
// nothing of a second client's appends.
func (c randomMode) deadline() time.Duration {
	if c.slow {
		return slowDeadline
	}
	return randomDeadline
}

// TestRandom makes random changes on the server's folder, by a second client and through the mount.
// Whenever all has become quiet, a model made of the mount's events alone must equal the folder, and so must a fresh look through
// the mount. No event may contradict those before it.
//
// A failure prints the seed; -seed repeats the changes, though not their timing.
func TestRandom(t *testing.T) {
	t.Parallel()
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	modes := randomModes
	if *modeFlag != "" {
		modes = slices.DeleteFunc(slices.Clone(modes), func(c randomMode) bool { return c.name != *modeFlag })
	}
	if len(modes) == 0 {
		t.Fatalf("no mode %q", *modeFlag)
	}
	rounds, run := len(modes), randomRun/time.Duration(len(modes))
	if *soakFlag > 0 {
		rounds, run = int((*soakFlag+randomRun/2)/randomRun), randomRun
	}
	for i := range max(rounds, 1) {
		c := modes[i%len(modes)]
		t.Run(fmt.Sprintf("%s/seed=%d", c.name, seed), func(t *testing.T) { randomRound(t, c, seed, run) })
		seed++
	}
}

// randomRound runs one seed in one mode.
func randomRound(t *testing.T, c randomMode, seed uint64, run time.Duration) {
	s := plainSamba(t)
	dir := folder(t, s)
	for i := range c.start {
		must(t, os.MkdirAll(s.Path(dir, words[i%8], fmt.Sprint("s", i)), 0o755))
	}
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: c.options})
	shown(t, m.Path(dir), s.Path(dir))
	g := &gen{rnd: rand.New(rand.NewPCG(seed, 0)), server: s.Path(dir), linked: map[uint64]bool{}, fresh: map[string]bool{}, dirs: c.dirs, files: c.files}
	g.actors = randomActors(s, testenv.MustPeer(t, s), dir, m.Path(dir), c)
	f := follow(t, m.Path(dir))
	g.told = f.names
	watchdog := time.AfterFunc(run+3*c.deadline(), func() { t.Errorf("it hangs; smbfs was at:\n%s", m.Stacks()) })
	defer watchdog.Stop()
	changes, points := 0, 0
	for end := time.Now().Add(run); time.Now().Before(end) && !t.Failed(); points++ {
		n := 5 + g.rnd.IntN(150)
		must2(t, g, f, g.burst(n))
		if c.flood {
			must2(t, g, f, stopped(m.PID, func() error { return g.flood(1200 + g.rnd.IntN(600)) }))
		}
		changes += len(g.history)
		quietPoint(t, g, f, m, dir, c.deadline())
	}
	t.Logf("%d changes, %d quiet points", changes, points)
}

// stopped does work while the daemon cannot run.
func stopped(pid int, work func() error) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	err := work()
	if contErr := syscall.Kill(pid, syscall.SIGCONT); err == nil {
		err = contErr
	}
	return err
}

// quietPoint waits until nothing happens any more and everything is equal.
func quietPoint(t *testing.T, g *gen, f *follower, m *testenv.Mounted, dir string, deadline time.Duration) {
	t.Helper()
	server, err := survey(g.server, g.hadLinks)
	must(t, err)
	start := time.Now()
	var told, shown string
	equal := func() bool {
		time.Sleep(50 * time.Millisecond) // comparing is work, and the machine is shared with what is tested
		diff, wrong, quiet, err := f.state(server)
		if err != nil {
			t.Errorf("the watcher: %v", err)
		}
		for _, w := range wrong {
			t.Errorf("an event that cannot be: %s", w)
		}
		for _, d := range f.doubts() {
			if !g.removedHere(d.path) {
				t.Errorf("an event that cannot be: DELETE of %s: %s", d.path, d.text)
			}
		}
		told = diff
		if t.Failed() {
			return true
		}
		if diff != "" || min(quiet, time.Since(start)) < randomQuiet {
			return false
		}
		seen, err := survey(m.Path(dir), func(os.FileInfo) bool { return false })
		if err != nil {
			shown = err.Error()
			return false
		}
		shown = compareSurveys(seen, server)
		return shown == ""
	}
	if !testenv.WaitUntil(deadline, equal) {
		t.Errorf("%v after the last change:\nevents: %s\nmount: %s", deadline, told, shown)
		defer func() { t.Logf("smbfs was at:\n%s", m.Stacks()) }()
	}
	if t.Failed() {
		report(t, g, f)
	}
	g.history, g.fresh, g.removed = nil, map[string]bool{}, nil
	f.settle(server)
}

func must2(t *testing.T, g *gen, f *follower, err error) {
	t.Helper()
	if err != nil {
		report(t, g, f)
		t.Fatal(err)
	}
}

// report shows what was done and what was told since the last quiet point.
func report(t *testing.T, g *gen, f *follower) {
	t.Helper()
	var told strings.Builder
	for _, e := range f.events() {
		fmt.Fprintf(&told, "%s %s %d\n", e.Time.Format("15:04:05.000"), e, e.Cookie)
	}
	t.Logf("in %s\ndone:\n%s\ntold:\n%s", filepath.Base(g.server), strings.Join(g.history, "\n"), told.String())
}
