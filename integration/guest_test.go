//go:build guest

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"smbfs/integration/guest"
	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// Debian's releases by their kernels: the oldest on which smbfs has to work, and the newest to be had.
const (
	oldestRelease = "bookworm"
	stableRelease = "trixie"
	newestRelease = "sid"
)

var prepareGuests = sync.OnceValue(func() error {
	cache, err := guest.Cache()
	if err != nil {
		return err
	}
	cmd := exec.Command("guest/prepare", cache, oldestRelease, stableRelease, newestRelease)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
})

func startGuest(t *testing.T, suite string, ports ...guest.Forward) *guest.Guest {
	t.Helper()
	must(t, prepareGuests())
	g := try[*guest.Guest](t)(guest.Start(suite, ports...))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the guest's kernel said:\n%s", g.Console())
		}
		g.Stop()
	})
	t.Logf("the guest runs %s", g.Release)
	return g
}

// guestActor makes changes on a guest's own file system.
type guestActor struct {
	guest *guest.Guest
	dir   string
}

func (a guestActor) do(format string, args ...any) error {
	out, err := a.guest.Output("cd " + a.dir + " && " + fmt.Sprintf(format, args...))
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func (a guestActor) write(name, flag, text string) error {
	switch flag {
	case "append":
		return a.do("printf %%s '%s' >>%s", text, name)
	case "inplace":
		return a.do("printf %%s '%s' 1<>%s", text, name)
	}
	return a.do("printf %%s '%s' >%s", text, name)
}

func (a guestActor) mkdir(name string, parents bool) error {
	if parents {
		return a.do("mkdir -p %s", name)
	}
	return a.do("mkdir %s", name)
}

func (a guestActor) truncate(name string, n int64) error { return a.do("truncate -s %d %s", n, name) }
func (a guestActor) rename(from, to string) error        { return a.do("mv -T %s %s", from, to) }
func (a guestActor) unlink(name string) error            { return a.do("rm %s", name) }
func (a guestActor) rmdir(name string) error             { return a.do("rmdir %s", name) }
func (a guestActor) removeAll(name string) error         { return a.do("rm -r %s", name) }
func (a guestActor) chmod(name string, mode os.FileMode) error {
	return a.do("chmod %o %s", mode, name)
}
func (a guestActor) touch(name string) error    { return a.do("touch %s", name) }
func (a guestActor) link(from, to string) error { return a.do("ln %s %s", from, to) }

// TestGuestKsmbd: the server in the kernel. That of 6.12 refuses to notify, that of 7.2 promises to and never does; what is done on its own file
// system is told all the same.
func TestGuestKsmbd(t *testing.T) {
	for suite, said := range map[string]string{
		stableRelease: "the server does not notify of changes",
		newestRelease: "does not tell of all changes",
	} {
		t.Run(suite, func(t *testing.T) {
			port := try[int](t)(testenv.FreePort())
			g := startGuest(t, suite, guest.Forward{Host: port, Guest: 445})
			startKsmbd(t, g)
			m := testenv.MustMount(t, testenv.MountOptions{Source: "//127.0.0.1/share", Env: []string{"PASSWD=secret"},
				Options: []string{fmt.Sprintf("port=%d", port), "username=smbtest"}})
			a := guestActor{g, "/scratch/share"}
			must(t, a.mkdir("w/sub", true))
			if !testenv.WaitUntil(stepTimeout, func() bool { _, err := os.Lstat(m.Path("w", "sub")); return err == nil }) {
				t.Fatal("the mount does not show the server's folder")
			}
			w := testenv.MustWatch(t, testenv.WatchInotify, m.Path("w"), testenv.WatchOptions{})
			a.dir += "/w"
			for round := range 3 {
				lifeInSteps(t, w, a, ".", round)
				lifeInSteps(t, w, a, "sub", round)
			}
			burst(t, w, a)
			if n := strings.Count(m.Log(), said); n != 1 {
				t.Errorf("the log says %d times %q, want once", n, said)
			}
		})
	}
}

func startKsmbd(t *testing.T, g *guest.Guest) {
	t.Helper()
	cache, script := try[string](t)(guest.Cache()), try[string](t)(filepath.Abs("guest/ksmbd"))
	if out, err := g.Output(script + " " + filepath.Join(cache, "ksmbd-tools")); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// lifeInSteps makes, changes, renames and removes a file in a directory; a change of its mode ksmbd does not show. Each step is told once, and before the next is done: ksmbd shows a file's
// change time as its creation time, so one that is written to and renamed between two comparisons cannot be recognised.
func lifeInSteps(t *testing.T, w *testenv.Watcher, a actor, dir string, round int) {
	t.Helper()
	f, g := fmt.Sprintf("f%d", round), fmt.Sprintf("g%d", round)
	for _, c := range []struct {
		step string
		want []testenv.Event
	}{
		{"write " + path.Join(dir, f) + " hello", []testenv.Event{ev(unix.IN_CREATE, dir, f), ev(unix.IN_CLOSE_WRITE, dir, f)}},
		{"append " + path.Join(dir, f) + " more", []testenv.Event{ev(unix.IN_MODIFY, dir, f), ev(unix.IN_CLOSE_WRITE, dir, f)}},
		{"mv " + path.Join(dir, f) + " " + path.Join(dir, g), []testenv.Event{ev(unix.IN_MOVED_FROM, dir, f), ev(unix.IN_MOVED_TO, dir, g)}},
		{"rm " + path.Join(dir, g), []testenv.Event{ev(unix.IN_DELETE, dir, g)}},
	} {
		start := w.Len()
		must(t, runStep(a, c.step))
		missing := func(events []testenv.Event) bool {
			return slices.ContainsFunc(c.want, func(e testenv.Event) bool { return count(events[start:], e.Mask, e.Path()) == 0 })
		}
		// An emulated machine is slow: how soon changes are told is TestModes's concern.
		if err := w.WaitFor(stepTimeout, func(events []testenv.Event) bool { return !missing(events) }); err != nil {
			t.Errorf("after %s: %v", c.step, err)
		}
		for _, e := range c.want {
			if n := count(w.Events()[start:], e.Mask, e.Path()); n != 1 {
				t.Errorf("after %s: %s %s was told %d times, want once:\n%s", c.step, testenv.MaskName(e.Mask), e.Path(), n, testenv.FormatEvents(w.Events()[start:]))
			}
		}
	}
}

// burst makes many files at once, and removes them: each is told once.
func burst(t *testing.T, w *testenv.Watcher, a guestActor) {
	t.Helper()
	const files = 300
	want := map[string]bool{}
	for i := range files {
		want[fmt.Sprintf("sub/burst-%d", i+1)] = true
	}
	for _, c := range []struct {
		mask    uint32
		command string
	}{{unix.IN_CREATE, "cd sub && for i in $(seq %d); do : >burst-$i; done"}, {unix.IN_DELETE, "cd sub && seq -f burst-%%.0f %d | xargs rm"}} {
		tally := newTally(c.mask, w.Len())
		must(t, a.do(c.command, files))
		if err := w.WaitFor(time.Minute, tally.reached(files)); err != nil {
			t.Errorf("%s: %v", testenv.MaskName(c.mask), err)
		}
		must(t, w.WaitQuiet(afterglow, time.Minute))
		tally.reached(files)(w.Events())
		tally.wantOnce(t, want)
	}
}

// guestSuites are what runs inside the guests. Before Linux 6.8 a fanotify mark that reports names is refused on FUSE file systems (ENODEV).
var guestSuites = []struct {
	release, watchers string
	kinds             int
}{
	{oldestRelease, "^inotify$", 1},
	{newestRelease, ".", len(watchers)},
}

// TestGuestStories runs the events suite with smbfs itself in the guest, one story at a time: with more the two halves of a rename between directories
// were seen seconds apart, and told as two changes. Those by a second client are left out: Samba moves
// a file's time two seconds after such a client's write, and in an emulated machine that is too late to be taken for a part of it.
func TestGuestStories(t *testing.T) {
	binary := try[string](t)(testenv.Binary())
	suite := filepath.Join(t.TempDir(), "suite")
	if out, err := exec.Command("go", "test", "-c", "-o", suite, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, c := range guestSuites {
		t.Run(c.release, func(t *testing.T) {
			g := startGuest(t, c.release)
			here := try[string](t)(os.Getwd())
			passed := 0
			err := g.Run(25*time.Minute, func(line string) {
				t.Log(line)
				if strings.Contains(line, "--- PASS: ") {
					passed++
				}
			}, fmt.Sprintf("cd %s && %s=%s %s -test.v -test.parallel=1 -test.run '^(TestStoryOnTheServer|TestStoryThroughTheMount)$/./%s'",
				here, testenv.BinaryEnv, binary, suite, c.watchers))
			if err != nil {
				t.Error(err)
			}
			if least := 2 * len(stories) * c.kinds; passed < least {
				t.Errorf("%d tests passed, want at least %d", passed, least)
			}
		})
	}
}
