package integration

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// outages are ways for a server to go away. Each returns how it comes back.
var outages = []struct {
	name    string
	begin   func(*testing.T, *testenv.Samba, *testenv.Proxy) (end func())
	options []string
}{
	{"server killed", func(t *testing.T, s *testenv.Samba, _ *testenv.Proxy) func() {
		s.Kill()
		return func() { must(t, s.Restart()) }
	}, nil},
	{"network reset", resetNetwork, nil},
	{"network reset, directories compared", resetNetwork, []string{"notify=poll", "poll_interval=300ms"}},
	{"network reset, tree watched", resetNetwork, []string{"notify=tree", "compare_interval=1s"}},
	{"network silent", func(t *testing.T, _ *testenv.Samba, p *testenv.Proxy) func() {
		p.Set(testenv.Faults{Drop: true})
		return func() { p.Set(testenv.Faults{}) }
	}, nil},
	{"another address", func(t *testing.T, s *testenv.Samba, p *testenv.Proxy) func() {
		other := testenv.MustSamba(t, testenv.Options{Dir: s.Dir})
		p.Refuse(true)
		p.Reset()
		p.Target(other.Addr())
		return func() { p.Refuse(false) }
	}, nil},
	{"server suspended", func(t *testing.T, s *testenv.Samba, _ *testenv.Proxy) func() {
		must(t, syscall.Kill(-s.PID(), syscall.SIGSTOP))
		t.Cleanup(func() { _ = syscall.Kill(-s.PID(), syscall.SIGCONT) })
		return func() { must(t, syscall.Kill(-s.PID(), syscall.SIGCONT)) }
	}, nil},
}

func resetNetwork(_ *testing.T, _ *testenv.Samba, p *testenv.Proxy) func() {
	p.Refuse(true)
	p.Reset()
	return func() { p.Refuse(false) }
}

// What happens on the server while it is out of reach, and what a watcher is to be told of it.
var (
	duringOutage = []string{
		"write new hello", "append grows more", "rm gone", "mv old renamed", "mv d/f e/g", "mkdir made", "write made/in hello", "mv s t",
		"append t/below more", "write brief x", "rm brief",
	}
	toldAfterwards = []string{
		"CREATE new", "MODIFY new", "CLOSE_WRITE new", "MODIFY grows", "CLOSE_WRITE grows", "DELETE gone", "MOVED old renamed",
		"MOVED d/f e/g", "CREATE made/ISDIR", "CREATE made/in", "MOVED s t", "MOVE_SELF t/ISDIR", "MODIFY t/below", "CLOSE_WRITE t/below",
	}
)

// TestOutageIsTold: what changes while the server is out of reach is told afterwards, once, with renames as pairs; and what changes then
// is told as ever.
func TestOutageIsTold(t *testing.T) {
	t.Parallel()
	for _, o := range outages {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			s := testenv.MustSamba(t, testenv.Options{})
			a := folderActor(s.Dir)
			for _, step := range []string{"mkdir d", "mkdir e", "mkdir s", "write grows hello", "write gone x", "write old y", "write d/f z", "write s/below w"} {
				must(t, runStep(a, step))
			}
			m, p := through(t, s, append(o.options, "echo_interval=1", "retrans=20")...)
			w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
			arm(t, w, s.Dir)
			must(t, w.WaitQuiet(time.Second, stepTimeout))
			before := w.Len()

			end := o.begin(t, s, p)
			down(t, m)
			for _, step := range duringOutage {
				must(t, runStep(a, step))
			}
			end()
			reconnected(t, m, 1)
			told := func(events []testenv.Event) bool { return sameLines(events[before:], toldAfterwards) }
			if err := w.WaitFor(2*stepTimeout, told); err != nil {
				t.Fatalf("%v: told:\n%s\nwant:\n%s", err, strings.Join(lines(w.Events()[before:]), "\n"), strings.Join(toldAfterwards, "\n"))
			}
			must(t, w.WaitQuiet(afterglow, stepTimeout))
			if !told(w.Events()) {
				t.Errorf("told later:\n%s", strings.Join(lines(w.Events()[before:]), "\n"))
			}
			must(t, runStep(a, "write t/after hello"))
			must(t, w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, "t/after")))
		})
	}
}

// TestServerSuspendedBriefly: a server that is stopped for less than it takes to notice keeps its connections; what has changed meanwhile is told
// once when it goes on.
func TestServerSuspendedBriefly(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	a := folderActor(s.Dir)
	for _, step := range []string{"write grows hello", "write gone x", "write old y"} {
		must(t, runStep(a, step))
	}
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
	arm(t, w, s.Dir)
	must(t, w.WaitQuiet(time.Second, stepTimeout))
	before := w.Len()

	must(t, syscall.Kill(-s.PID(), syscall.SIGSTOP))
	t.Cleanup(func() { _ = syscall.Kill(-s.PID(), syscall.SIGCONT) })
	for _, step := range []string{"write new hello", "append grows more", "rm gone", "mv old renamed", "mkdir made", "write made/in hello"} {
		must(t, runStep(a, step))
	}
	must(t, syscall.Kill(-s.PID(), syscall.SIGCONT))
	want := []string{"CREATE new", "MODIFY new", "CLOSE_WRITE new", "MODIFY grows", "CLOSE_WRITE grows", "DELETE gone", "MOVED old renamed", "CREATE made/ISDIR", "CREATE made/in"}
	told := func(events []testenv.Event) bool { return sameLines(events[before:], want) }
	err := w.WaitFor(stepTimeout, told)
	if err == nil {
		err = w.WaitQuiet(afterglow, stepTimeout)
	}
	if err != nil || !told(w.Events()) {
		t.Errorf("%v: told:\n%s\nwant:\n%s", err, strings.Join(lines(w.Events()[before:]), "\n"), strings.Join(want, "\n"))
	}
	for _, c := range statusOf(t, m).Connections {
		if c.Reconnects != 0 {
			t.Errorf("the connection was given up: %+v", c)
		}
	}
}

// down waits until both connections are known to be lost.
func down(t *testing.T, m *testenv.Mounted) {
	t.Helper()
	if !testenv.WaitUntil(stepTimeout, func() bool {
		for _, c := range statusInOutage(t, m).Connections {
			if c.Up {
				return false
			}
		}
		return true
	}) {
		t.Fatal("the loss of the server goes unnoticed")
	}
}

// lines are events as sorted lines: a rename is one, and so is a run of MODIFY. A MODIFY of a file that came with its content is part of
// its coming.
func lines(events []testenv.Event) []string {
	const silent = unix.IN_OPEN | unix.IN_ACCESS | unix.IN_CLOSE_NOWRITE
	from := map[uint32]string{}
	var out []string
	for _, e := range events {
		switch {
		case e.Mask&silent != 0:
			continue
		case e.Mask == unix.IN_MOVED_FROM:
			from[e.Cookie] = e.Path()
			continue
		case e.Mask == unix.IN_MOVED_TO:
			out = append(out, fmt.Sprintf("MOVED %s %s", from[e.Cookie], e.Path()))
			delete(from, e.Cookie)
			continue
		}
		// What changed in a directory that was renamed may be told before or after that.
		line := testenv.MaskName(e.Mask) + " " + strings.Replace(e.Path(), "s/below", "t/below", 1)
		if e.IsDir {
			line += "/ISDIR"
		}
		if e.Mask == unix.IN_MODIFY && slices.Contains(out, line) {
			continue
		}
		out = append(out, line)
	}
	for _, name := range from {
		out = append(out, "half of a rename: "+name)
	}
	slices.Sort(out)
	return out
}

// sameLines compares events with lines in any order. What a watcher finds in a new directory by listing it may also be told to it.
func sameLines(events []testenv.Event, want []string) bool {
	inMade := func(line string) bool {
		return strings.HasSuffix(line, " made/in") && !strings.HasPrefix(line, "CREATE")
	}
	got := slices.DeleteFunc(lines(events), inMade)
	want = slices.Sorted(slices.Values(want))
	return slices.Equal(got, want)
}

// TestSoftAndHard: while the server is out of reach a request on a soft mount fails after its time, and one on a hard mount waits until the
// server is back, or its program is interrupted.
func TestSoftAndHard(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	must(t, os.WriteFile(s.Path("f"), []byte("hello"), 0o644))
	soft, softProxy := through(t, s, "soft", "echo_interval=1", "retrans=1", "actimeo=0", "notify=off")
	hard, hardProxy := through(t, s, "hard", "echo_interval=1", "actimeo=0", "notify=off")
	for _, p := range []*testenv.Proxy{softProxy, hardProxy} {
		p.Refuse(true)
		p.Reset()
	}
	down(t, soft)
	down(t, hard)

	start := time.Now()
	err := within(t, stepTimeout, "a request on a soft mount", func() error { _, err := os.ReadFile(soft.Path("f")); return err })
	if took := time.Since(start); err == nil {
		t.Errorf("after %v: %v", took, err)
	}
	if !strings.Contains(fmt.Sprint(err), syscall.EHOSTDOWN.Error()) {
		t.Errorf("a soft mount's request ends with %v", err)
	}

	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} { // SIGINT is ignored below some programs that run tests
		waitsForSignal(t, hard, sig)
	}
	waiting := make(chan error, 1)
	go func() {
		b, err := os.ReadFile(hard.Path("f"))
		if err == nil && string(b) != "hello" {
			err = fmt.Errorf("read %q", b)
		}
		waiting <- err
	}()
	hardProxy.Refuse(false)
	softProxy.Refuse(false)
	must(t, within(t, stepTimeout, "a request on a hard mount whose server is back", func() error { return <-waiting }))
	reconnected(t, soft, 1)
	wantContent(t, soft.Path("f"), "hello")

	hardProxy.Refuse(true)
	hardProxy.Reset()
	down(t, hard)
	must(t, hard.Process().Signal(syscall.SIGTERM))
	if !hard.Process().WaitTimeout(stepTimeout) {
		t.Error("SIGTERM does not end a hard mount whose server is away")
	}
}

// waitsForSignal: a program whose request on a hard mount waits for the server ends with the signal.
func waitsForSignal(t *testing.T, hard *testenv.Mounted, sig syscall.Signal) {
	t.Helper()
	cmd := exec.Command("cat", hard.Path("f"))
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("a request on a hard mount does not wait: %v", err)
	case <-time.After(3 * time.Second): // longer than the soft one has
	}
	must(t, cmd.Process.Signal(sig))
	select {
	case err := <-ended:
		if err == nil {
			t.Errorf("%v: the program succeeded", sig)
		}
	case <-time.After(stepTimeout):
		stack, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stack", cmd.Process.Pid))
		t.Fatalf("a program that got %v hangs:\n%s\n%s", sig, stack, hard.Stacks())
	}
}
