package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// What a hostile review of the design asked for.

// TestReviewCaseOnlyRename: a name that differs by case only is one pair, and the old case is no name.
func TestReviewCaseOnlyRename(t *testing.T) {
	t.Parallel()
	st := newStage(t, "write name.txt "+word(0), "mkdir dir", "write dir/f "+word(1))
	start := st.w.Len()
	st.do(t, "mv name.txt NAME.txt", "mv dir DIR")
	st.waitTold(t, start, "MOVED_FROM name.txt", "MOVED_TO NAME.txt")
	st.waitTold(t, start, "MOVED_FROM,ISDIR dir", "MOVED_TO,ISDIR DIR")
	wantListing(t, st.local, st.server)
	wantContent(t, filepath.Join(st.local, "DIR/f"), word(1))
	for _, e := range st.w.Events()[start:] {
		if e.Mask == unix.IN_CREATE || e.Mask == unix.IN_DELETE {
			t.Errorf("told: %s", e)
		}
	}
}

// TestReviewRawNames: names made on the server that SMB reserves. Samba shows them mangled and
// notifies of them as they are; what is told and what is listed must be the same names.
func TestReviewRawNames(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	start := st.w.Len()
	for _, name := range []string{"a:b", `c\d`, "plain"} {
		must(t, os.WriteFile(filepath.Join(st.server, name), []byte(name), 0o644))
	}
	err := st.w.WaitFor(stepTimeout, func(events []testenv.Event) bool { return countMask(events[start:], unix.IN_CREATE) >= 3 })
	if err != nil {
		t.Errorf("%v; told:\n%s", err, testenv.FormatEvents(st.w.Events()[start:]))
	}
	must(t, st.w.WaitQuiet(afterglow, stepTimeout))
	entries, err := os.ReadDir(st.local)
	must(t, err)
	if len(entries) != 3 {
		t.Errorf("the mount lists %v, the server has three names", entries)
	}
	for _, e := range entries {
		if n := count(st.w.Events()[start:], unix.IN_CREATE, e.Name()); n != 1 {
			t.Errorf("CREATE of %q, which is listed, was told %d times", e.Name(), n)
		}
	}
}

func countMask(events []testenv.Event, mask uint32) (n int) {
	for _, e := range events {
		if e.Mask == mask {
			n++
		}
	}
	return n
}

// TestReviewOldTimePutBack: new content of the same length with the old modification time. MODIFY is
// told, and at it the new content is there.
func TestReviewOldTimePutBack(t *testing.T) {
	t.Parallel()
	st := newStage(t, "write f "+word(0))
	server, local := filepath.Join(st.server, "f"), filepath.Join(st.local, "f")
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(server, old, old))
	must(t, st.w.WaitQuiet(afterglow, stepTimeout))
	wantContent(t, local, word(0)) // its pages are cached now
	start := st.w.Len()
	st.do(t, "overwrite f "+word(1))
	must(t, os.Chtimes(server, old, old))
	st.waitTold(t, start, "MODIFY f")
	must(t, st.w.WaitQuiet(afterglow, stepTimeout))
	wantContent(t, local, word(1))
}

// TestReviewHandleKeptOpen: writes through one handle over ten seconds. The server moves the times
// later and says so; each write is told once.
func TestReviewHandleKeptOpen(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	start := st.w.Len()
	f, err := os.Create(filepath.Join(st.local, "log"))
	must(t, err)
	defer f.Close()
	const writes = 10
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range writes {
		_, err := fmt.Fprintf(f, "line %d\n", i)
		must(t, err)
		<-tick.C
	}
	must(t, f.Close())
	st.waitTold(t, start, "CLOSE_WRITE log")
	must(t, st.w.WaitQuiet(afterglow, stepTimeout))
	events := st.w.Events()[start:]
	for mask, want := range map[uint32]int{unix.IN_CREATE: 1, unix.IN_MODIFY: writes, unix.IN_CLOSE_WRITE: 1} {
		if n := count(events, mask, "log"); n != want {
			t.Errorf("%s told %d times, want %d", testenv.MaskName(mask), n, want)
		}
	}
}

// TestReviewOwnRenameOfWatchedDirectory: a directory with watched directories and an open file below is
// renamed by a local program; the watches go on below, and so does the file.
func TestReviewOwnRenameOfWatchedDirectory(t *testing.T) {
	t.Parallel()
	st := newStage(t, "mkdir -p d/sub/deep", "write d/sub/f "+word(0))
	f, err := os.OpenFile(filepath.Join(st.local, "d/sub/f"), os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	start := st.w.Len()
	must(t, os.Rename(filepath.Join(st.local, "d"), filepath.Join(st.local, "e")))
	st.waitTold(t, start, "MOVED_FROM,ISDIR d", "MOVED_TO,ISDIR e")
	if _, err := f.WriteAt([]byte("X"), 0); err != nil {
		t.Errorf("write to the open file below: %v", err)
	}
	st.do(t, "write e/sub/deep/new "+word(1))
	st.waitTold(t, start, "CREATE e/sub/deep/new", "CLOSE_WRITE e/sub/deep/new")
	must(t, f.Close())
	wantContent(t, filepath.Join(st.server, "e/sub/f"), "X"+word(0)[1:])
	if n := count(st.w.Events()[start:], unix.IN_MOVED_TO, "e"); n != 1 {
		t.Errorf("the rename was told %d times", n)
	}
}

// TestReviewRemovalByAnotherClient: `rm -r` by another client through watched directories.
func TestReviewRemovalByAnotherClient(t *testing.T) {
	t.Parallel()
	st := newStage(t, "mkdir -p d/a/b", "mkdir d/c", "write d/a/f x", "write d/a/b/g y")
	s := plainSamba(t)
	second := peerActor{testenv.MustPeer(t, s), s, filepath.Base(st.server)}
	start := st.w.Len()
	must(t, runStep(second, "rm -r d"))
	st.waitTold(t, start, "DELETE,ISDIR d")
	must(t, st.w.WaitQuiet(afterglow, stepTimeout))
	for _, name := range []string{"d", "d/a", "d/a/b", "d/c", "d/a/f", "d/a/b/g"} {
		if n := count(st.w.Events()[start:], unix.IN_DELETE, name); n != 1 {
			t.Errorf("DELETE of %s told %d times", name, n)
		}
	}
	if _, err := os.Lstat(filepath.Join(st.server, "d")); err == nil {
		t.Error("the directory is still there on the server")
	}
	wantListing(t, st.local, st.server)
}
