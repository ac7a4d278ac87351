package integration

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// TestMovedIn: what is moved to a watched directory from one that nobody here knows is told as moved. What is copied there with
// its times, gets a second name there, or has just been made is told as made.
func TestMovedIn(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	must(t, os.MkdirAll(s.Path(dir, "inbox"), 0o755))
	must(t, os.MkdirAll(s.Path(dir, "root"), 0o755))
	must(t, os.MkdirAll(s.Path(dir, "tmp/sub"), 0o755))
	for _, name := range []string{"full", "copied", "linked", "outside", "sub/f"} {
		must(t, os.WriteFile(s.Path(dir, "tmp", name), []byte("hello"), 0o644))
	}
	must(t, os.WriteFile(s.Path(dir, "tmp/empty"), nil, 0o644))
	made := time.Now()
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + dir})
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Path("inbox"), testenv.WatchOptions{Flat: true})
	root := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + dir + "/root"})
	rootW := testenv.MustWatch(t, testenv.WatchInotify, root.Path(), testenv.WatchOptions{Flat: true})
	arm(t, rootW, s.Path(dir, "root"))
	arm(t, w, s.Path(dir, "inbox"))
	time.Sleep(time.Until(made.Add(3 * time.Second))) // it was made long before
	for _, c := range []struct {
		command string
		told    []string
	}{
		{"mv tmp/empty inbox/empty", []string{"MOVED_TO empty"}},
		{"mv tmp/full inbox/full", []string{"MOVED_TO full"}},
		{"mv tmp/sub inbox/sub", []string{"MOVED_TO,ISDIR sub"}},
		{"mv inbox/full tmp/full", []string{"DELETE full"}},
		{"mv tmp/full inbox/again", []string{"MOVED_TO again"}},
		{"echo more >> inbox/again", []string{"MODIFY again", "CLOSE_WRITE again"}},
		{"cp -p tmp/copied inbox/copied", []string{"CREATE copied", "MODIFY copied", "CLOSE_WRITE copied"}},
		{"ln tmp/linked inbox/linked", []string{"CREATE linked", "MODIFY linked", "CLOSE_WRITE linked"}},
		{": > inbox/new", []string{"CREATE new", "CLOSE_WRITE new"}},
	} {
		start := w.Len()
		cmd := exec.Command("sh", "-c", c.command)
		cmd.Dir = s.Path(dir)
		must(t, cmd.Run())
		told := func(events []testenv.Event) (lines []string) {
			for _, line := range testenv.Normalise(events[start:]) {
				line, _, _ = strings.Cut(line, " #")
				lines = append(lines, line)
			}
			return lines
		}
		if err := w.WaitFor(stepTimeout, func(events []testenv.Event) bool { return slices.Equal(told(events), c.told) }); err != nil {
			t.Errorf("%s: told %q, want %q", c.command, told(w.Events()), c.told)
		}
	}
	wantContent(t, m.Path("inbox/again"), "hellomore\n")
	wantContent(t, m.Path("inbox/sub/f"), "hello")
	must(t, os.Rename(s.Path(dir, "tmp/outside"), s.Path(dir, "root/inside")))
	if err := rootW.WaitFor(stepTimeout, testenv.Seen(unix.IN_MOVED_TO, "inside")); err != nil {
		t.Errorf("from outside the mount to its root: %v; told:\n%s", err, testenv.FormatEvents(rootW.Events()))
	}
}
