package integration

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// A replayed call names its object by directory and name. These tests let names
// change their meaning while a replay is on its way, with local processes that
// look at the names in between.

// stage is a folder on the server, watched through a mount.
type stage struct {
	m             *testenv.Mounted
	server, local string
	w             *testenv.Watcher
}

// newStage makes the setup's files and waits until all its directories are told.
func newStage(t *testing.T, setup ...string) *stage {
	t.Helper()
	s := plainSamba(t)
	dir := folder(t, s)
	st := &stage{m: testenv.MustMount(t, testenv.MountOptions{Samba: s}), server: s.Path(dir)}
	st.local = st.m.Path(dir)
	st.do(t, setup...)
	shown(t, st.local, st.server)
	st.w = testenv.MustWatch(t, testenv.WatchInotify, st.local, testenv.WatchOptions{})
	arm(t, st.w, st.server)
	return st
}

// do makes changes on the server.
func (st *stage) do(t *testing.T, steps ...string) {
	t.Helper()
	for _, step := range steps {
		if err := runStep(folderActor(st.server), step); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
}

// waitTold waits until these lines have been told since start, in this order;
// other lines may be between them.
func (st *stage) waitTold(t *testing.T, start int, lines ...string) {
	t.Helper()
	err := st.w.WaitFor(stepTimeout, func(events []testenv.Event) bool {
		next := 0
		for _, line := range testenv.Normalise(events[start:]) {
			if plainLine, _, _ := strings.Cut(line, " #"); next < len(lines) && plainLine == lines[next] {
				next++
			}
		}
		return next == len(lines)
	})
	if err != nil {
		t.Errorf("%v: %q; told:\n%s", err, lines, testenv.FormatEvents(st.w.Events()[start:]))
	}
}

// watchFile watches one object of the mount itself.
func (st *stage) watchFile(t *testing.T, name string) *testenv.Watcher {
	t.Helper()
	w, err := testenv.WatchFile(filepath.Join(st.local, name))
	must(t, err)
	t.Cleanup(w.Close)
	return w
}

// hammer stats names through the mount until stop is called.
func (st *stage) hammer(names ...string) (stop func()) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	for _, n := range names {
		wg.Go(func() {
			for {
				select {
				case <-quit:
					return
				default:
					_, _ = os.Lstat(filepath.Join(st.local, n))
				}
			}
		})
	}
	return func() { close(quit); wg.Wait() }
}

// ended says whether an object's own watch was ended by its deletion.
func ended(w *testenv.Watcher) bool {
	return testenv.Seen(unix.IN_DELETE_SELF, ".")(w.Events())
}

// TestObjectMovedAndNameReused: `mv a b` and a new `a` on the server, with local
// stats of both in between. The watch on a's object goes with it to b.
func TestObjectMovedAndNameReused(t *testing.T) {
	t.Parallel()
	st := newStage(t, "write a "+word(0))
	for round := 1; round <= 10; round++ {
		object := st.watchFile(t, "a")
		stop := st.hammer("a", "b")
		start := st.w.Len()
		st.do(t, "mv a b", "write a "+word(round))
		st.waitTold(t, start, "MOVED_FROM a", "MOVED_TO b", "CREATE a", "CLOSE_WRITE a")
		stop()
		if err := shows(filepath.Join(st.local, "a"), word(round)); err != nil {
			t.Errorf("round %d: a: %v", round, err)
		}
		if err := shows(filepath.Join(st.local, "b"), word(round-1)); err != nil {
			t.Errorf("round %d: b: %v", round, err)
		}
		if ended(object) {
			t.Errorf("round %d: the watch on the moved file was told that it was deleted", round)
		}
		before := object.Len()
		st.do(t, "append b more")
		err := object.WaitFor(stepTimeout, func(e []testenv.Event) bool { return testenv.Seen(unix.IN_MODIFY, ".")(e[before:]) })
		if err != nil {
			t.Errorf("round %d: the watch on the moved file misses a change of it: %v", round, err)
		}
		start = st.w.Len()
		st.do(t, "rm b")
		st.waitTold(t, start, "DELETE b")
	}
}

// word is text for a script, which splits its lines at spaces.
func word(round int) string { return fmt.Sprintf("content-of-round-%06d", round) }

// TestObjectReplaced: another file is moved onto a watched one again and again; its
// own watch ends, and the other's lives on under the name.
func TestObjectReplaced(t *testing.T) {
	t.Parallel()
	st := newStage(t, "write f "+word(0))
	for round := 1; round <= 10; round++ {
		st.do(t, "write g "+word(round))
		st.waitTold(t, 0, slices.Repeat([]string{"CLOSE_WRITE g"}, round)...)
		loser, winner := st.watchFile(t, "f"), st.watchFile(t, "g")
		stop := st.hammer("f", "g")
		start := st.w.Len()
		st.do(t, "mv g f")
		st.waitTold(t, start, "MOVED_FROM g", "MOVED_TO f")
		stop()
		if err := shows(filepath.Join(st.local, "f"), word(round)); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if !testenv.WaitUntil(stepTimeout, func() bool { return ended(loser) }) {
			t.Errorf("round %d: the watch on the overwritten file was not ended", round)
		}
		if ended(winner) {
			t.Errorf("round %d: the watch on the winning file was ended", round)
		}
	}
}

// dweller is a process with its working directory in a directory of the mount.
type dweller struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func newDweller(t *testing.T, dir string) *dweller {
	t.Helper()
	cmd := exec.Command("sh")
	cmd.Dir = dir
	in := try[io.WriteCloser](t)(cmd.StdinPipe())
	out := try[io.ReadCloser](t)(cmd.StdoutPipe())
	must(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		if err := within(t, 20*time.Second, "the shell in the moved directory", cmd.Wait); err != nil {
			t.Errorf("shell: %v", err)
		}
	})
	return &dweller{in, bufio.NewReader(out)}
}

// cat is what the process reads from a name relative to where it is.
func (d *dweller) cat(t *testing.T, name string) string {
	t.Helper()
	_, err := fmt.Fprintf(d.in, "cat %s 2>&1; echo; echo END\n", name)
	must(t, err)
	var text strings.Builder
	must(t, within(t, 20*time.Second, "a read relative to the working directory", func() error {
		for {
			line, err := d.out.ReadString('\n')
			if err != nil || line == "END\n" {
				return err
			}
			text.WriteString(line)
		}
	}))
	return strings.TrimSpace(text.String())
}

// TestDirectoryMovedAndLookedUpFirst: a directory is moved to another one on the
// server, and looked up under its new name before its rename can be replayed, with
// a process's working directory inside.
func TestDirectoryMovedAndLookedUpFirst(t *testing.T) {
	t.Parallel()
	st := newStage(t, "mkdir -p d/sub", "mkdir e", "write d/sub/f "+word(0))
	at := []string{"d/sub", "e/sub"}
	d := newDweller(t, filepath.Join(st.local, "d/sub"))
	object := st.watchFile(t, "d/sub")
	for round := 1; round <= 10; round++ {
		from, to := at[(round-1)%2], at[round%2]
		start := st.w.Len()
		st.do(t, fmt.Sprintf("mv %s %s", from, to))
		_, _ = os.Lstat(filepath.Join(st.local, to))
		_, _ = os.Lstat(filepath.Join(st.local, to, "f"))
		st.waitTold(t, start, "MOVED_FROM,ISDIR "+from, "MOVED_TO,ISDIR "+to)
		if err := shows(filepath.Join(st.local, to, "f"), word(round-1)); err != nil {
			t.Errorf("round %d: under the new name: %v", round, err)
		}
		if err := gone(filepath.Join(st.local, from)); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		st.do(t, fmt.Sprintf("overwrite %s/f %s", to, word(round)))
		st.waitTold(t, start, "MOVED_TO,ISDIR "+to, fmt.Sprintf("CLOSE_WRITE %s/f", to))
		if got := d.cat(t, "f"); got != word(round) {
			t.Errorf("round %d: the process inside reads %q", round, got)
		}
		if ended(object) {
			t.Fatalf("round %d: the watch on the moved directory was ended", round)
		}
	}
}

// TestParentCycle: `mv a/b x; mv a x/a`: told in the wrong order or by stale
// parents, each directory is below the other.
func TestParentCycle(t *testing.T) {
	t.Parallel()
	for _, lookFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("lookFirst=%v", lookFirst), func(t *testing.T) {
			st := newStage(t, "mkdir -p a/b", "write a/b/f inner", "write a/f outer")
			for round := 1; round <= 5; round++ {
				start := st.w.Len()
				st.do(t, "mv a/b x", "mv a x/a")
				if lookFirst {
					for _, n := range []string{"x/a/f", "x", "x/a", "x/f", "a"} {
						_, _ = os.Lstat(filepath.Join(st.local, n))
					}
				}
				st.waitTold(t, start, "MOVED_FROM,ISDIR a/b", "MOVED_TO,ISDIR x", "MOVED_FROM,ISDIR a", "MOVED_TO,ISDIR x/a")
				checkTree(t, st)
				start = st.w.Len()
				st.do(t, "mv x/a a", "mv x a/b")
				st.waitTold(t, start, "MOVED_FROM,ISDIR x/a", "MOVED_TO,ISDIR a", "MOVED_FROM,ISDIR x", "MOVED_TO,ISDIR a/b")
				checkTree(t, st)
			}
		})
	}
}

func checkTree(t *testing.T, st *stage) {
	t.Helper()
	must(t, within(t, 20*time.Second, "a walk of the mount", func() error {
		got, want := content(t, st.local), content(t, st.server)
		if !slices.Equal(got, want) {
			t.Errorf("the mount has %q, the server %q", got, want)
		}
		return nil
	}))
}

// TestHardLinkLosesOneName: a file with two names loses one while both are
// watched. The watch on the other goes on.
func TestHardLinkLosesOneName(t *testing.T) {
	t.Parallel()
	st := newStage(t, "write f "+word(0), "ln f g")
	for round := 1; round <= 5; round++ {
		wf, wg := st.watchFile(t, "f"), st.watchFile(t, "g")
		start := st.w.Len()
		st.do(t, "rm f")
		st.waitTold(t, start, "DELETE f")
		if ended(wg) {
			t.Fatalf("round %d: the watch on the remaining name was ended", round)
		}
		if err := gone(filepath.Join(st.local, "f")); err != nil {
			t.Error(err)
		}
		before := wg.Len()
		st.do(t, "overwrite g "+word(round))
		err := wg.WaitFor(stepTimeout, func(e []testenv.Event) bool { return testenv.Seen(unix.IN_MODIFY, ".")(e[before:]) })
		if err != nil {
			t.Errorf("round %d: the watch on the remaining name misses a change: %v", round, err)
		}
		if err := shows(filepath.Join(st.local, "g"), word(round)); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		start = st.w.Len()
		st.do(t, "ln g f")
		st.waitTold(t, start, "CREATE f")
		wf.Close()
		wg.Close()
	}
}

// TestSameFileID: delete and create under the same file id. The new file is
// another one: the old one's watch ends, and its pages are not shown. Not parallel: where a comparison comes before the notification, by more than
// it waits for that, it cannot know.
func TestSameFileID(t *testing.T) {
	for _, name := range []string{"f", "g"} {
		t.Run("created as "+name, func(t *testing.T) {
			st := newStage(t, "write f "+word(0))
			reused := 0
			for round := 1; round <= 20; round++ {
				wantContent(t, filepath.Join(st.local, "f"), word(round-1))
				object := st.watchFile(t, "f")
				old := inode(t, filepath.Join(st.server, "f"))
				start := st.w.Len()
				st.do(t, "rm f")
				if makeAs(t, old, filepath.Join(st.server, name), word(round)) {
					reused++
				}
				st.waitTold(t, start, "DELETE f")
				st.waitTold(t, start, "CREATE "+name, "CLOSE_WRITE "+name)
				if err := shows(filepath.Join(st.local, name), word(round)); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
				if !testenv.WaitUntil(stepTimeout, func() bool { return ended(object) }) {
					t.Errorf("round %d: the watch on the deleted file was not ended", round)
				}
				object.Close()
				if name != "f" {
					start = st.w.Len()
					st.do(t, "mv g f")
					st.waitTold(t, start, "MOVED_TO f")
				}
			}
			if reused == 0 {
				t.Error("the server's file system never reused an id: this test has shown nothing")
			}
		})
	}
}

// makeAs makes a file under the inode number of one just removed, and reports whether it got that: files without a name take those that
// the file system would give first, up to the wanted one.
func makeAs(t *testing.T, ino uint64, name, content string) bool {
	t.Helper()
	var f *os.File
	for range 4_000 {
		f = try[*os.File](t)(os.OpenFile(filepath.Dir(name), unix.O_TMPFILE|os.O_WRONLY, 0o644))
		defer f.Close()
		var st unix.Stat_t
		if must(t, unix.Fstat(int(f.Fd()), &st)); st.Ino == ino {
			break
		}
	}
	try[int](t)(f.WriteString(content))
	must(t, unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", f.Fd()), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW))
	return inode(t, name) == ino
}
