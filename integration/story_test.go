package integration

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// A story is a script of changes. What a watcher of a plain local folder is told
// is the expectation for all other ways to make the same changes.
type story struct {
	name  string
	setup []string // done before anyone watches
	steps []string
	// unlike says, for a way of making the changes, what cannot be as on a local
	// folder, and why.
	unlike map[string][]edit
	// not names ways that cannot express the story, and why.
	not map[string]string
}

// An edit replaces the first run of lines equal to from by to, in the local
// sequence.
type edit struct {
	why      string
	from, to []string
}

// SMB does not tell when another client, or a program on the server, closes a
// file, nor which call changed it.
const (
	derived   = "any change of the content ends in a derived CLOSE_WRITE"
	sameTouch = "a new mtime is all that is seen of an overwrite of equal length, too"
)

var stories = []story{
	{name: "create empty", steps: []string{"write f"}},
	{name: "create with content", steps: []string{"write f hello"}},
	{name: "append", setup: []string{"write f hello"}, steps: []string{"append f more", "append f and-more"}},
	{name: "overwrite in place", setup: []string{"write f hello"}, steps: []string{"overwrite f HELLO"}},
	{name: "overwrite by truncation", setup: []string{"write f hello"}, steps: []string{"write f goodbye"}},
	{name: "truncate", setup: []string{"write f hello"}, steps: []string{"truncate f 2", "truncate f 0"}},
	{name: "replace by rename", setup: []string{"write f hello"}, steps: []string{"write f.tmp goodbye", "mv f.tmp f"}},
	{name: "mkdir", steps: []string{"mkdir d", "write d/f hello"}},
	{name: "tree of three levels", steps: []string{"mkdir -p a/b/c", "write a/b/c/f hello"}},
	{name: "rename in a directory", setup: []string{"write f hello"}, steps: []string{"mv f g", "append g more"}},
	{name: "rename onto an existing file", setup: []string{"write f hello", "write g old"}, steps: []string{"mv f g"}},
	{name: "rename between directories", setup: []string{"mkdir d", "mkdir e", "write d/f hello"}, steps: []string{"mv d/f e/g", "mv e/g h"}},
	{name: "rename of a directory", setup: []string{"mkdir -p d/s", "write d/s/f hello"}, steps: []string{"mv d e", "append e/s/f more", "write e/s/g new"}},
	{name: "move of a directory", setup: []string{"mkdir -p d/s", "mkdir e", "write d/s/f hello"}, steps: []string{"mv d/s e/t", "append e/t/f more"}},
	{name: "unlink", setup: []string{"write f hello"}, steps: []string{"rm f", "write f again"}},
	{name: "rmdir", setup: []string{"mkdir d"}, steps: []string{"rmdir d"}},
	{name: "remove a tree", setup: []string{"mkdir -p a/b/c", "write a/b/c/f hello"}, steps: []string{"rm -r a"}},
	{name: "chmod", setup: []string{"write f hello"}, steps: []string{"chmod 0444 f", "chmod 0644 f"}},
	{name: "hard link", setup: []string{"write f hello"}, steps: []string{"ln f g", "rm f"},
		not: map[string]string{"peer": "go-smb2 makes no hard links"}},
	{name: "touch", setup: []string{"write f hello"}, steps: []string{"touch f"},
		unlike: map[string][]edit{
			"server": {{sameTouch + "; " + derived, []string{"ATTRIB f"}, []string{"MODIFY f", "CLOSE_WRITE f"}}},
			"peer":   {{sameTouch + "; " + derived, []string{"ATTRIB f"}, []string{"MODIFY f", "CLOSE_WRITE f"}}},
		}},
}

type startWatcher = func(string, testenv.WatchOptions) (*testenv.Watcher, error)

var watchers = []struct {
	name  string
	start startWatcher
}{
	{"inotify", testenv.WatchInotify},
	{"fanotify", testenv.WatchFanotify},
}

const (
	// stepTimeout bounds the wait for a step's events, derived CLOSE_WRITE included.
	stepTimeout = 20 * time.Second
	// afterglow is how long a finished story must stay silent: Samba tells an SMB
	// client's write a second time about two seconds later.
	afterglow = 3 * time.Second
)

// expectation is the local sequence, with the number of lines after each step.
type expectation struct {
	lines []string
	after []int
}

// localStory runs the story on a plain local folder.
func localStory(t *testing.T, s story, start startWatcher) expectation {
	t.Helper()
	dir := t.TempDir()
	a := folderActor(dir)
	for _, step := range s.setup {
		must(t, runStep(a, step))
	}
	w := testenv.MustWatch(t, start, dir, testenv.WatchOptions{})
	var want expectation
	for _, step := range s.steps {
		before := w.Len()
		must(t, runStep(a, step))
		// On a local folder events are queued before the call returns; what takes
		// time is the watcher's own reading, and its following of new directories.
		must(t, w.WaitFor(stepTimeout, func(events []testenv.Event) bool { return len(events) > before }))
		must(t, w.WaitQuiet(250*time.Millisecond, stepTimeout))
		want.after = append(want.after, len(testenv.Normalise(w.Events())))
	}
	want.lines = testenv.Normalise(w.Events())
	if len(want.lines) == 0 {
		t.Fatal("the local folder told nothing")
	}
	return want
}

// adapt applies the edits for a way of making changes.
func (e expectation) adapt(t *testing.T, edits []edit) expectation {
	t.Helper()
	for _, d := range edits {
		at := -1
		for i := range e.lines {
			if i+len(d.from) <= len(e.lines) && slices.Equal(e.lines[i:i+len(d.from)], d.from) {
				at = i
				break
			}
		}
		if at < 0 {
			t.Fatalf("the local sequence %q has no %q to adapt", e.lines, d.from)
		}
		e.lines = slices.Concat(e.lines[:at], d.to, e.lines[at+len(d.from):])
		for i := range e.after {
			if e.after[i] > at {
				e.after[i] += len(d.to) - len(d.from)
			}
		}
	}
	return e
}

// play runs the story's steps and compares what the watcher is told from now on.
func play(t *testing.T, s story, a actor, w *testenv.Watcher, want expectation) {
	t.Helper()
	start := w.Len()
	told := func(events []testenv.Event) []string { return testenv.Normalise(events[start:]) }
	for i, step := range s.steps {
		must(t, runStep(a, step))
		err := w.WaitFor(stepTimeout, func(events []testenv.Event) bool { return len(told(events)) >= want.after[i] })
		if err != nil {
			t.Errorf("after %q: %v", step, err)
			break
		}
	}
	must(t, w.WaitQuiet(afterglow, time.Minute))
	if got := told(w.Events()); !slices.Equal(got, want.lines) {
		t.Errorf("told:\n  %s\nwant:\n  %s\nevents:\n%s", strings.Join(got, "\n  "), strings.Join(want.lines, "\n  "),
			testenv.FormatEvents(w.Events()[start:]))
	}
}

// arm waits until the mount tells changes made on the server in each directory
// of the watched tree: a probe is made, seen, removed and seen to go.
func arm(t *testing.T, w *testenv.Watcher, server string) {
	t.Helper()
	const probe = ".armed"
	var dirs []string
	must(t, filepath.WalkDir(server, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			rel, _ := filepath.Rel(server, p)
			dirs = append(dirs, rel)
		}
		return err
	}))
	for _, event := range []uint32{unix.IN_CREATE, unix.IN_DELETE} {
		for _, d := range dirs {
			file := filepath.Join(server, d, probe)
			if event == unix.IN_CREATE {
				must(t, os.WriteFile(file, nil, 0o644))
			} else {
				must(t, os.Remove(file))
			}
		}
		for _, d := range dirs {
			if err := w.WaitFor(stepTimeout, testenv.Seen(event, path.Join(d, probe))); err != nil {
				t.Fatalf("watching %s: %s of a probe: %v", d, testenv.MaskName(event), err)
			}
		}
	}
	// A probe's derived CLOSE_WRITE may still be on its way if it was removed late.
	must(t, w.WaitQuiet(time.Second, stepTimeout))
}

func TestStoryOnTheServer(t *testing.T) {
	t.Parallel()
	remoteStories(t, "server", func(t *testing.T, s *testenv.Samba, dir string) actor {
		return folderActor(s.Path(dir))
	})
}

func TestStoryBySecondClient(t *testing.T) {
	t.Parallel()
	remoteStories(t, "peer", func(t *testing.T, s *testenv.Samba, dir string) actor {
		return peerActor{testenv.MustPeer(t, s), s, dir}
	})
}

func TestStoryThroughTheMount(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	eachStory(t, "mount", func(t *testing.T, st story, start startWatcher, want expectation) {
		dir := folder(t, s)
		a := folderActor(m.Path(dir))
		shown(t, m.Path(dir), s.Path(dir))
		for _, step := range st.setup {
			must(t, runStep(a, step))
		}
		w := testenv.MustWatch(t, start, m.Path(dir), testenv.WatchOptions{})
		arm(t, w, s.Path(dir)) // so that echoes of own changes do come
		play(t, st, a, w, want)
	})
}

func remoteStories(t *testing.T, way string, actorFor func(*testing.T, *testenv.Samba, string) actor) {
	s := plainSamba(t)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	eachStory(t, way, func(t *testing.T, st story, start startWatcher, want expectation) {
		dir := folder(t, s)
		a := actorFor(t, s, dir)
		for _, step := range st.setup {
			must(t, runStep(a, step))
		}
		shown(t, m.Path(dir), s.Path(dir))
		w := testenv.MustWatch(t, start, m.Path(dir), testenv.WatchOptions{})
		arm(t, w, s.Path(dir))
		if st.name == "chmod" {
			must(t, w.WaitQuiet(afterglow, stepTimeout)) // what the permissions were is known
		}
		play(t, st, a, w, want)
	})
}

// eachStory runs a subtest for each story and kind of watcher. The subtests run
// at the same time: they wait more than they work.
func eachStory(t *testing.T, way string, run func(*testing.T, story, startWatcher, expectation)) {
	for _, st := range stories {
		if st.not[way] != "" {
			continue
		}
		for _, k := range watchers {
			t.Run(st.name+"/"+k.name, func(t *testing.T) {
				t.Parallel()
				want := localStory(t, st, k.start).adapt(t, st.unlike[way])
				run(t, st, k.start, want)
			})
		}
	}
}

// The table and the tools themselves: the same script on two plain folders, the
// second served by nobody, and by the second client on a server's folder that is
// watched directly, tells the same.
func TestStoryTableOnPlainFolders(t *testing.T) {
	eachStory(t, "server-without-edits", func(t *testing.T, st story, start startWatcher, want expectation) {
		dir := t.TempDir()
		for _, step := range st.setup {
			must(t, runStep(folderActor(dir), step))
		}
		w := testenv.MustWatch(t, start, dir, testenv.WatchOptions{})
		arm(t, w, dir)
		play(t, st, folderActor(dir), w, want)
		if len(want.after) != len(st.steps) {
			t.Errorf("%d expectations for %d steps", len(want.after), len(st.steps))
		}
	})
}

// The second client can do every step of the table: after it, the server's
// folder has what a local folder has.
func TestStoryStepsBySecondClient(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	for _, st := range stories {
		if st.not["peer"] != "" {
			continue
		}
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			dir, local := folder(t, s), t.TempDir()
			a := peerActor{testenv.MustPeer(t, s), s, dir}
			for _, step := range slices.Concat(st.setup, st.steps) {
				must(t, runStep(folderActor(local), step))
				must(t, runStep(a, step))
			}
			if got, want := content(t, s.Path(dir)), content(t, local); !slices.Equal(got, want) {
				t.Errorf("the server has %q, a local folder %q", got, want)
			}
		})
	}
}

// content lists a tree with its files' contents.
func content(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if d.IsDir() {
			out = append(out, rel+"/")
			return nil
		}
		b, err := os.ReadFile(p)
		out = append(out, rel+"="+string(b))
		return err
	}))
	return out
}
