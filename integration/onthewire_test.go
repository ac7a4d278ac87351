package integration

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"smbfs/health"
	"smbfs/integration/testenv"
)

// attributeTime is the actimeo of these mounts: a busy machine does all that has to be done within it.
const attributeTime = 3 * time.Second

func onTheWire(t *testing.T, s *testenv.Samba, dir string) *testenv.Mounted {
	t.Helper()
	return testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + dir, Options: []string{fmt.Sprintf("actimeo=%.0f", attributeTime.Seconds())}})
}

// TestOnTheWire counts requests: a directory that is watched, and was compared since, answers for names and their absence from memory.
// Within the attribute time-out so do its files; after it one listing does for each directory. It has the machine to itself: all has to
// be done within that time.
func TestOnTheWire(t *testing.T) {
	s := plainSamba(t)
	root := folder(t, s)
	const directories, files = 8, 12
	for d := range directories {
		dir := s.Path(root, fmt.Sprintf("d%d", d))
		must(t, os.Mkdir(dir, 0o755))
		for f := range files {
			must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d", f)), []byte("content"), 0o644))
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-qm", "all"}, {"gc", "-q"}} {
		git(t, s.Path(root), args...)
	}
	m := onTheWire(t, s, root)
	git(t, m.Mountpoint, "update-index", "-q", "--refresh") // its index knows the mount's inodes from now on
	for _, w := range []warm{
		{"find", directories, func(t *testing.T) { walkNames(t, m.Mountpoint, directories) }},
		{"stat", directories, func(t *testing.T) { statAll(t, m.Mountpoint, directories, files, nil) }},
		{"names that are not there", 0, func(t *testing.T) { statAll(t, m.Mountpoint, directories, files, fs.ErrNotExist) }},
		{"git status", countDirectories(t, s.Path(root)), func(t *testing.T) { gitStatus(t, m.Mountpoint) }},
	} {
		t.Run(w.name, func(t *testing.T) { w.measure(t, m) })
	}
}

// TestNewDirectoryOnTheWire: a directory that was made here is known to be empty, so that what is made in it is not asked for first.
func TestNewDirectoryOnTheWire(t *testing.T) {
	s := plainSamba(t)
	m := onTheWire(t, s, folder(t, s))
	must(t, os.Mkdir(m.Path("first"), 0o755)) // asks what else is there
	tried, asked := 0, int64(0)
	inTime := testenv.WaitUntil(stepTimeout, func() bool {
		tried++
		before, start := questions(t, m), time.Now()
		dir := m.Path(fmt.Sprintf("made-%d", tried))
		must(t, os.Mkdir(dir, 0o755))
		made := questions(t, m)
		for i := range 10 {
			must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d", i)), nil, 0o644))
		}
		asked = questions(t, m) - made
		return made-before <= 1 && time.Since(start) < attributeTime // what MKDIR itself asks: what it has made
	})
	if !inTime || asked != 0 {
		t.Errorf("ten files in a new directory: %d questions (in time: %v)", asked, inTime)
	}
}

// TestSmallFilesOnTheWire: the content of a small file comes with the answer to the CREATE: one round trip, and the CLOSE that nobody waits for.
func TestSmallFilesOnTheWire(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	const files = 50
	for i := range files {
		must(t, os.WriteFile(s.Path(root, fmt.Sprintf("f%d", i)), fmt.Appendf(nil, "content %d", i), 0o644))
	}
	m := onTheWire(t, s, root)
	try[[]os.DirEntry](t)(os.ReadDir(m.Mountpoint)) // what is small is known from the listing
	before := statusOf(t, m).Connections[0]
	for i := range files {
		wantContent(t, m.Path(fmt.Sprintf("f%d", i)), fmt.Sprintf("content %d", i))
	}
	var after health.ConnectionStatus
	if !testenv.WaitUntil(stepTimeout, func() bool {
		after = statusOf(t, m).Connections[0]
		return after.Requests["CLOSE"]-before.Requests["CLOSE"] >= files
	}) {
		t.Fatal("the files are not closed")
	}
	if n := after.Requests["READ"] - before.Requests["READ"]; n != files {
		t.Errorf("%d READs for %d files", n, files)
	}
	const others = 20 // ECHO, a listing, a question about a name
	if n := after.Messages - before.Messages; n > 2*files+others {
		t.Errorf("%d messages for %d files, want two each", n, files)
	}
}

// TestUnpackOnTheWire: what a program writes to a small file, and the times that it gives it then, travel together: two round trips, and the
// CLOSE that nobody waits for.
func TestUnpackOnTheWire(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	m := onTheWire(t, s, root)
	const files = 40
	packed, archive := t.TempDir(), filepath.Join(t.TempDir(), "archive")
	then := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for i := range files {
		name := filepath.Join(packed, fmt.Sprintf("f%d", i))
		must(t, os.WriteFile(name, fmt.Appendf(nil, "content %d", i), 0o644))
		must(t, os.Chtimes(name, then, then))
	}
	try[[]byte](t)(exec.Command("tar", "-C", packed, "-cf", archive, ".").CombinedOutput())
	must(t, os.Mkdir(m.Path("new"), 0o755)) // it is known to be empty
	before := statusOf(t, m).Connections[0]
	try[[]byte](t)(exec.Command("tar", "-C", m.Path("new"), "-xf", archive).CombinedOutput())
	after := statusOf(t, m).Connections[0]
	const others = 20 // ECHO, a listing after the time-out, a question about a name, the times of the directory itself
	if n := after.Messages - before.Messages; n > 3*files+others {
		t.Errorf("%d messages for %d files, want three each: %v", n, files, after.Requests)
	}
	if n := after.Requests["WRITE"] - before.Requests["WRITE"]; n != files {
		t.Errorf("%d WRITEs for %d files", n, files)
	}
	for i := range files {
		name := fmt.Sprintf("f%d", i)
		if at := try[os.FileInfo](t)(os.Stat(m.Path("new", name))).ModTime(); !at.Equal(then) {
			t.Errorf("%s is of %v", name, at)
		}
		wantContent(t, s.Path(root, "new", name), fmt.Sprintf("content %d", i))
	}
}

// TestTimeOfOwnWrite: the time of a file's last write is final when the file has been closed. The kernel, which keeps the one that it was told before,
// is told so then, or a program that looked at it, as git does, would see it change by itself.
func TestTimeOfOwnWrite(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + root, Options: []string{"actimeo=600"}})
	for i := range 10 {
		name := fmt.Sprint(i)
		f := try[*os.File](t)(os.Create(m.Path(name)))
		try[int](t)(f.WriteString("content"))
		shown := try[os.FileInfo](t)(f.Stat()).ModTime()
		must(t, f.Close())
		var there, here time.Time
		if !testenv.WaitUntil(stepTimeout, func() bool {
			there = try[os.FileInfo](t)(os.Stat(s.Path(root, name))).ModTime().Truncate(100 * time.Nanosecond) // a FILETIME's resolution
			here = try[os.FileInfo](t)(os.Stat(m.Path(name))).ModTime()
			return here.Equal(there)
		}) {
			t.Fatalf("the mount shows %v, and %v before the file was closed; the server says %v", here, shown, there)
		}
	}
}

// TestOwnWorkOnTheWire: what a local program makes in a watched directory comes back as notifications. They are gathered, and the questions about
// them: there are so many in a time, however much is made in it.
func TestOwnWorkOnTheWire(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	must(t, os.Mkdir(s.Path(root, "dir"), 0o755))
	m := onTheWire(t, s, root)
	must(t, os.WriteFile(m.Path("dir", "first"), nil, 0o644))
	if !testenv.WaitUntil(stepTimeout, func() bool { return statusOf(t, m).Connections[1].Requests["CHANGE_NOTIFY"] >= 2 }) {
		t.Fatal("the directory is not watched")
	}
	const files = 300
	before, began := statusOf(t, m).Connections[1].Messages, time.Now()
	for i := range files {
		must(t, os.WriteFile(m.Path("dir", fmt.Sprint(i)), []byte("content"), 0o644))
	}
	n, took := statusOf(t, m).Connections[1].Messages-before, time.Since(began)
	// A notification every 20 ms, and for a question every 50 one or two messages; what the directory is compared with takes no more than these.
	const each, others = 10 * time.Millisecond, 30
	if most := int64(took/each) + others; n > most {
		t.Errorf("%d messages of %d files in %v, want at most %d", n, files, took, most)
	}
}

// warm is a piece of metadata work that is done again and again.
type warm struct {
	name        string
	directories int // whose attributes it asks for, below the root
	do          func(*testing.T)
}

// questions is how many questions about names and attributes the mount has asked for local programs.
func questions(t *testing.T, m *testenv.Mounted) int64 {
	r := statusOf(t, m).Connections[0].Requests
	return r["QUERY_INFO"] + r["QUERY_DIRECTORY"]
}

// asked is how much w asks for, done twice, and whether attributes were believed all that time.
func (w warm) asked(t *testing.T, m *testenv.Mounted) (first, second int64, inTime bool) {
	began := questions(t, m)
	start := time.Now()
	w.do(t)
	between := questions(t, m)
	w.do(t)
	inTime = time.Since(start) < attributeTime
	return between - began, questions(t, m) - between, inTime
}

func (w warm) measure(t *testing.T, m *testenv.Mounted) {
	var first, second int64
	var inTime bool
	// It takes a moment until all directories are armed and compared, and a machine with a moment to spare. The attributes of the root, which
	// no listing brings, may come to their end in between.
	quiet := testenv.WaitUntil(stepTimeout, func() bool {
		first, second, inTime = w.asked(t, m)
		return inTime && second <= 1
	})
	if !quiet {
		t.Errorf("done again within the attribute time-out (%v) it asks the server %d times", inTime, second)
	}
	const each = 2                          // a listing is one message with two questions
	most := each*int64(w.directories+1) + 1 // and the root's own attributes
	rounds := 0
	done := testenv.WaitUntil(time.Minute, func() bool {
		time.Sleep(attributeTime) // the time-out is what is measured
		if first, _, inTime = w.asked(t, m); !inTime {
			return false
		}
		if first > most {
			t.Errorf("after the attribute time-out it asks the server %d times, want at most %d", first, most)
		}
		rounds++
		return rounds == 2
	})
	if !done {
		t.Error("the machine is too busy to measure anything")
	}
}

// countDirectories counts those below root.
func countDirectories(t *testing.T, root string) int {
	n := -1
	must(t, filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			n++
		}
		return err
	}))
	return n
}

func walkNames(t *testing.T, root string, want int) {
	n := 0
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".git" {
			return fs.SkipDir
		}
		if _, err := d.Info(); err != nil {
			return err
		}
		n++
		return nil
	}))
	if n <= want {
		t.Fatalf("found %d names", n)
	}
}

// statAll asks for every file, or with an error wanted for names beside them.
func statAll(t *testing.T, root string, directories, files int, want error) {
	for d := range directories {
		for f := range files {
			name := filepath.Join(root, fmt.Sprintf("d%d", d), fmt.Sprintf("f%d", f))
			if want != nil {
				name += "-absent"
			}
			if _, err := os.Lstat(name); !errors.Is(err, want) {
				t.Fatalf("%s: %v, want %v", name, err, want)
			}
		}
	}
}

func gitStatus(t *testing.T, root string) {
	t.Helper()
	if out := git(t, root, "--no-optional-locks", "status", "--porcelain"); out != "" {
		t.Fatalf("git status: %s", out)
	}
}

// git runs git in dir. The mount shows modes of its own.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	always := []string{"-c", "safe.directory=*", "-c", "core.filemode=false", "-c", "user.name=a", "-c", "user.email=a@b"}
	cmd := exec.Command("git", append(always, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return string(out)
}
