package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// toldWithin is how long a change may take to be told where comparison finds it.
const toldWithin = 3 * time.Second

// toldSoon waits until each event wanted has come since the start, and fails after toldWithin.
func toldSoon(t *testing.T, w *testenv.Watcher, start int, what string, want []testenv.Event) {
	t.Helper()
	err := w.WaitFor(toldWithin, func(events []testenv.Event) bool {
		for _, e := range want {
			if count(events[start:], e.Mask, e.Path()) == 0 {
				return false
			}
		}
		return true
	})
	if err != nil {
		t.Errorf("after %s: %v", what, err)
	}
}

func count(events []testenv.Event, mask uint32, path string) (n int) {
	for _, e := range events {
		if e.Mask == mask && e.Path() == path {
			n++
		}
	}
	return n
}

func ev(mask uint32, dir, name string) testenv.Event {
	return testenv.Event{Mask: mask, Dir: dir, Name: name}
}

// life makes, changes, renames and removes a file in a directory, and checks that each is told in
// time. The function that it returns checks that none was told twice.
func life(t *testing.T, w *testenv.Watcher, a actor, dir string, round int, appends bool) (once func()) {
	t.Helper()
	start := w.Len()
	f, g := fmt.Sprintf("f%d", round), fmt.Sprintf("g%d", round)
	at := func(name string) string {
		if dir == "." {
			return name
		}
		return dir + "/" + name
	}
	for _, c := range []struct {
		step string
		want []testenv.Event
	}{
		{"write " + at(f) + " hello", []testenv.Event{ev(unix.IN_CREATE, dir, f), ev(unix.IN_CLOSE_WRITE, dir, f)}},
		{"append " + at(f) + " more", []testenv.Event{ev(unix.IN_MODIFY, dir, f)}},
		{"mv " + at(f) + " " + at(g), []testenv.Event{ev(unix.IN_MOVED_FROM, dir, f), ev(unix.IN_MOVED_TO, dir, g)}},
		{"rm " + at(g), []testenv.Event{ev(unix.IN_DELETE, dir, g)}},
	} {
		if !appends && strings.HasPrefix(c.step, "append") {
			continue
		}
		must(t, runStep(a, c.step))
		toldSoon(t, w, start, c.step, c.want)
	}
	end := w.Len()
	return func() {
		t.Helper()
		events := w.Events()[start:]
		for _, e := range []testenv.Event{ev(unix.IN_CREATE, dir, f), ev(unix.IN_MOVED_FROM, dir, f), ev(unix.IN_MOVED_TO, dir, g), ev(unix.IN_DELETE, dir, g)} {
			if n := count(events, e.Mask, e.Path()); n != 1 {
				t.Errorf("%s %s was told %d times, want once", testenv.MaskName(e.Mask), e.Path(), n)
			}
		}
		for _, e := range []testenv.Event{ev(unix.IN_DELETE, dir, f), ev(unix.IN_CREATE, dir, g)} {
			if count(events, e.Mask, e.Path()) != 0 {
				t.Errorf("%s %s was told, and is only half of a rename", testenv.MaskName(e.Mask), e.Path())
			}
		}
		if t.Failed() {
			t.Logf("told:\n%s", testenv.FormatEvents(events[:end-start]))
		}
	}
}

// localWork keeps a program of this machine busy in a directory of the mount, so that the server
// notifies of our own changes, until the test ends.
func localWork(t *testing.T, dir string) {
	t.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			name := fmt.Sprintf("%s/local-%d", dir, i%5)
			_ = os.WriteFile(name, []byte(fmt.Sprint(i)), 0o644)
			if i%5 == 4 {
				_ = os.Remove(name)
			}
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
}

// modeCase is a server and a mode in which changes must be told.
type modeCase struct {
	name    string
	global  []string
	options []string
	peer    bool   // changes come from a second client, not from the server itself: all that a tree watch of Samba's tells, but appends
	local   bool   // a local program works there at the same time
	said    string // in the log, in plain words, once
}

var modeCases = []modeCase{
	{name: "refused", global: []string{"change notify = no"}, said: "the server does not notify of changes"},
	{name: "silent", global: []string{"kernel change notify = no"}, local: true, said: "does not tell of all changes"},
	{name: "poll", options: []string{"notify=poll"}},
	{name: "tree", options: []string{"notify=tree"}, peer: true},
	{name: "dir", options: []string{"notify=dir"}},
}

func TestModes(t *testing.T) {
	t.Parallel()
	for _, c := range modeCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := testenv.MustSamba(t, testenv.Options{Global: c.global})
			m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: c.options})
			must(t, os.MkdirAll(s.Path("w", "sub"), 0o755))
			shown(t, m.Path(), s.Path())
			w := testenv.MustWatch(t, testenv.WatchInotify, m.Path("w"), testenv.WatchOptions{})
			var a actor = folderActor(s.Path("w"))
			if c.peer {
				a = peerActor{testenv.MustPeer(t, s), s, "w"}
			}
			if c.local {
				localWork(t, m.Path("w"))
			}
			var once []func()
			for round := range 3 {
				once = append(once, life(t, w, a, ".", round, !c.peer), life(t, w, a, "sub", round, !c.peer))
			}
			for _, check := range once {
				check()
			}
			if n := strings.Count(m.Log(), c.said); c.said != "" && n != 1 {
				t.Errorf("the log says %d times %q, want once", n, c.said)
			}
		})
	}
}

// TestBudget: of twenty watched directories three are notified of, the others are compared.
func TestBudget(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{"notify_max=3"}})
	const dirs = 20
	for i := range dirs {
		must(t, os.Mkdir(s.Path(fmt.Sprint("d", i)), 0o755))
	}
	shown(t, m.Path(), s.Path())
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Path(), testenv.WatchOptions{})
	for i := range dirs {
		t.Run(fmt.Sprint("d", i), func(t *testing.T) {
			t.Parallel()
			life(t, w, folderActor(s.Path()), fmt.Sprint("d", i), 0, true)()
		})
	}
}

// TestOffIsOff: nothing is told, and the server is not asked to notify.
func TestOffIsOff(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{"notify=off"}, Args: []string{"-v"}})
	must(t, os.Mkdir(s.Path("d"), 0o755))
	shown(t, m.Path(), s.Path())
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Path(), testenv.WatchOptions{})
	must(t, os.WriteFile(s.Path("d", "f"), nil, 0o644))
	must(t, w.WaitQuiet(2*time.Second, 10*time.Second))
	if w.Len() > 0 {
		t.Errorf("told with notify=off:\n%s", testenv.FormatEvents(w.Events()))
	}
	if strings.Contains(m.Log(), "watching") {
		t.Error("a directory is watched with notify=off")
	}
}
