package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// place is a folder of a test's own, in the mount and on the server.
type place struct{ mount, server string }

func (p place) path(name string) string { return filepath.Join(p.mount, name) }

// semantics are what open(2), rename(2), unlink(2) and their like promise, as far as SMB carries it.
var semantics = []struct {
	name string
	do   func(t *testing.T, p place)
}{
	{"O_EXCL", exclusiveCreate},
	{"O_APPEND", appendToTheEnd},
	{"truncate", truncates},
	{"times", setsTimes},
	{"read-only files", readOnlyFiles},
	{"rename", renames},
	{"rename above open and watched", renamesAboveOpen},
	{"save by rename", savesByRename},
	{"hard links", hardLinks},
	{"names", reservedNames},
	{"unlink of open files", unlinksOpen},
	{"rmdir around files just closed", removesAroundOpen},
	{"remove a watched tree", removesWatched},
	{"errors", sayWhatIsWrong},
	{"moved on the server", opensWhatMoved},
}

// TestSemantics runs on one mount; afterwards nothing that smbfs set aside is left on the server.
func TestSemantics(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	for _, c := range semantics {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, s)
			shown(t, m.Path(dir), s.Path(dir))
			c.do(t, place{m.Path(dir), s.Path(dir)})
			for _, name := range append(listing(t, m.Path(dir)), listing(t, s.Path(dir))...) {
				if strings.HasPrefix(filepath.Base(name), ".smbfs-") {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}

func put(t *testing.T, name, content string) {
	t.Helper()
	must(t, os.WriteFile(name, []byte(content), 0o644))
}

func openFile(t *testing.T, name string, flags int, mode os.FileMode) *os.File {
	t.Helper()
	f := try[*os.File](t)(os.OpenFile(name, flags, mode))
	t.Cleanup(func() { f.Close() })
	return f
}

func wantErrno(t *testing.T, what string, err error, want ...syscall.Errno) {
	t.Helper()
	var got syscall.Errno
	if !errors.As(err, &got) || !slices.Contains(want, got) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	var got []string
	for _, e := range try[[]os.DirEntry](t)(os.ReadDir(dir)) {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s has %q, want %q", dir, got, want)
	}
}

func exclusiveCreate(t *testing.T, p place) {
	openFile(t, p.path("a"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	put(t, filepath.Join(p.server, "made"), "x")
	for _, name := range []string{"a", "made"} {
		_, err := os.OpenFile(p.path(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		wantErrno(t, "O_EXCL of "+name, err, syscall.EEXIST)
	}
	wantErrno(t, "mkdir", os.Mkdir(p.path("a"), 0o755), syscall.EEXIST)
}

func appendToTheEnd(t *testing.T, p place) {
	f := openFile(t, p.path("a"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	g := openFile(t, p.path("a"), os.O_APPEND|os.O_WRONLY, 0)
	var want strings.Builder
	for i := range 20 {
		for k, w := range []*os.File{f, g} {
			line := fmt.Sprintln("writer", k, "line", i)
			want.WriteString(line)
			try[int](t)(w.WriteString(line))
		}
	}
	h := openFile(t, filepath.Join(p.server, "a"), os.O_APPEND|os.O_WRONLY, 0)
	try[int](t)(h.WriteString("from the server\n"))
	try[int](t)(f.WriteString("last\n"))
	want.WriteString("from the server\nlast\n")
	wantContent(t, filepath.Join(p.server, "a"), want.String())
}

func truncates(t *testing.T, p place) {
	put(t, p.path("a"), strings.Repeat("x", 10000))
	f := openFile(t, p.path("a"), os.O_RDWR, 0)
	must(t, f.Truncate(100))
	must(t, f.Truncate(5000))
	wantContent(t, p.path("a"), strings.Repeat("x", 100)+strings.Repeat("\x00", 4900))
	must(t, os.Truncate(p.path("a"), 7))
	wantContent(t, p.path("a"), "xxxxxxx")
	openFile(t, p.path("a"), os.O_WRONLY|os.O_TRUNC, 0)
	wantContent(t, filepath.Join(p.server, "a"), "")
	try[int](t)(f.WriteAt([]byte("x"), 5<<30))
	if size := try[os.FileInfo](t)(f.Stat()).Size(); size != 5<<30+1 {
		t.Errorf("a sparse file has %d bytes", size)
	}
}

func setsTimes(t *testing.T, p place) {
	want := time.Unix(1_200_000_000, 765_432_100)
	for _, mode := range []os.FileMode{0o644, 0o444} {
		name := p.path(fmt.Sprintf("f%o", mode))
		f := openFile(t, name, os.O_CREATE|os.O_WRONLY, mode)
		try[int](t)(f.WriteString("content"))
		tv := unix.NsecToTimeval(want.UnixNano())
		must(t, unix.Futimes(int(f.Fd()), []unix.Timeval{tv, tv}))
		must(t, f.Close())
		must(t, os.Chtimes(name, time.Time{}, want))
		for _, n := range []string{name, filepath.Join(p.server, filepath.Base(name))} {
			if got := try[os.FileInfo](t)(os.Stat(n)).ModTime(); !got.Equal(want) {
				t.Errorf("%s: modified %v, want %v", n, got, want)
			}
		}
	}
	must(t, os.Mkdir(p.path("d"), 0o755))
	must(t, os.Chtimes(p.path("d"), want, want))
	if got := try[os.FileInfo](t)(os.Stat(p.path("d"))).ModTime(); !got.Equal(want) {
		t.Errorf("the directory: modified %v, want %v", got, want)
	}
}

func readOnlyFiles(t *testing.T, p place) {
	put(t, p.path("a"), "a")
	writable := func(want bool) {
		t.Helper()
		if m := try[os.FileInfo](t)(os.Stat(p.path("a"))).Mode(); (m&0o222 != 0) != want {
			t.Errorf("mode %v, want writable: %v", m, want)
		}
	}
	must(t, os.Chmod(p.path("a"), 0o444))
	writable(false)
	must(t, os.Chmod(p.path("a"), 0o644))
	writable(true)
	must(t, os.Chmod(p.path("a"), 0o444))
	put(t, p.path("b"), "b")
	must(t, os.Rename(p.path("b"), p.path("a")))
	wantContent(t, p.path("a"), "b")
	must(t, os.Chmod(p.path("a"), 0o444))
	must(t, os.Rename(p.path("a"), p.path("c")))
	must(t, os.Remove(p.path("c")))
	wantNames(t, p.server)
}

func renames(t *testing.T, p place) {
	put(t, p.path("a"), "a")
	put(t, p.path("b"), "b")
	old := openFile(t, p.path("b"), os.O_RDONLY, 0)
	must(t, os.Rename(p.path("a"), p.path("b")))
	wantContent(t, p.path("b"), "a")
	buf := make([]byte, 1)
	if try[int](t)(old.ReadAt(buf, 0)); buf[0] != 'b' {
		t.Errorf("the replaced file reads %q", buf)
	}
	must(t, old.Close())
	for _, d := range []string{"d1", "d2", "d3"} {
		must(t, os.Mkdir(p.path(d), 0o755))
	}
	put(t, p.path("d1/x"), "x")
	must(t, unix.Rename(p.path("d1"), p.path("d2"))) // Go refuses to
	wantContent(t, p.path("d2/x"), "x")
	wantErrno(t, "onto a full directory", unix.Rename(p.path("d3"), p.path("d2")), syscall.ENOTEMPTY, syscall.EEXIST)
	wantErrno(t, "file onto directory", unix.Rename(p.path("b"), p.path("d3")), syscall.EISDIR)
	wantErrno(t, "directory onto file", unix.Rename(p.path("d3"), p.path("b")), syscall.ENOTDIR)
	wantErrno(t, "into itself", unix.Rename(p.path("d2"), p.path("d2/sub")), syscall.EINVAL)
	wantErrno(t, "of nothing", unix.Rename(p.path("none"), p.path("z")), syscall.ENOENT)
	wantErrno(t, "RENAME_NOREPLACE", unix.Renameat2(unix.AT_FDCWD, p.path("d3"), unix.AT_FDCWD, p.path("b"), unix.RENAME_NOREPLACE), syscall.EEXIST)
	wantNames(t, p.server, "b", "d2", "d3")
}

func renamesAboveOpen(t *testing.T, p place) {
	must(t, os.MkdirAll(p.path("a/b/c"), 0o755))
	must(t, os.Mkdir(p.path("t"), 0o755))
	put(t, p.path("a/b/f"), "1")
	w := testenv.MustWatch(t, watchers[0].start, p.mount, testenv.WatchOptions{})
	f := openFile(t, p.path("a/b/f"), os.O_RDWR, 0)
	must(t, os.Rename(p.path("a"), p.path("t/a2")))
	try[int](t)(f.WriteAt([]byte("2"), 0))
	put(t, p.path("t/a2/b/g"), "g")
	wantNames(t, p.path("t/a2/b"), "c", "f", "g")
	must(t, os.Rename(p.path("t/a2/b"), p.path("b")))
	try[int](t)(f.WriteAt([]byte("3"), 1))
	must(t, f.Close())
	wantContent(t, p.path("b/f"), "23")
	put(t, filepath.Join(p.server, "b/told"), "x") // the watch goes on where the directory is now
	must(t, w.WaitFor(stepTimeout, func(events []testenv.Event) bool {
		return slices.ContainsFunc(events, func(e testenv.Event) bool { return e.Name == "told" })
	}))
}

func savesByRename(t *testing.T, p place) {
	put(t, p.path("doc"), "0")
	for i := range 30 {
		f := openFile(t, p.path(".doc.tmp"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		try[int](t)(f.WriteString(word(i)))
		must(t, f.Sync())
		must(t, f.Close())
		must(t, os.Rename(p.path(".doc.tmp"), p.path("doc")))
		wantContent(t, p.path("doc"), word(i))
		must(t, os.Rename(p.path("doc"), p.path("doc~")))
		put(t, p.path("doc"), word(i)+"again")
		must(t, os.Remove(p.path("doc~")))
		wantContent(t, p.path("doc"), word(i)+"again")
	}
	wantNames(t, p.server, "doc")
}

func hardLinks(t *testing.T, p place) {
	put(t, p.path("a"), "1")
	must(t, os.Link(p.path("a"), p.path("b")))
	links := func(want uint64) {
		t.Helper()
		var st unix.Stat_t
		if must(t, unix.Stat(p.path("b"), &st)); uint64(st.Nlink) != want {
			t.Errorf("%d links, want %d", st.Nlink, want)
		}
	}
	links(2)
	if a, b := try[os.FileInfo](t)(os.Stat(p.path("a"))), try[os.FileInfo](t)(os.Stat(p.path("b"))); !os.SameFile(a, b) {
		t.Error("two names, two files")
	}
	put(t, p.path("b"), "22")
	wantContent(t, p.path("a"), "22")
	wantErrno(t, "link onto a name", os.Link(p.path("a"), p.path("b")), syscall.EEXIST)
	must(t, os.Remove(p.path("a")))
	links(1)
	wantContent(t, p.path("b"), "22")
}

func reservedNames(t *testing.T, p place) {
	var want []string
	for _, c := range `:*?"<>|\` {
		want = append(want, "a"+string(c)+"b")
	}
	want = append(want, "dot.", "space ", " lead", "...", "tab\there", "line\nfeed", "\x01", "Größe", "\U0001F600",
		strings.Repeat("x", 255), strings.Repeat("ä", 127))
	for _, name := range want {
		put(t, p.path(name), name)
		wantContent(t, p.path(name), name)
	}
	wantNames(t, p.mount, want...)
	wantErrno(t, "256 bytes", os.WriteFile(p.path(strings.Repeat("y", 256)), nil, 0o644), syscall.ENAMETOOLONG)
	for _, name := range want {
		must(t, os.Rename(p.path(name), p.path("to")))
		must(t, os.Rename(p.path("to"), p.path(name)))
		must(t, os.Remove(p.path(name)))
	}
	wantNames(t, p.server)
}

// removesAroundOpen: what was unlinked while it was open is in nobody's way once it is closed, be that a moment after the rmdir was asked for.
func removesAroundOpen(t *testing.T, p place) {
	must(t, os.Mkdir(p.path("d"), 0o755))
	f := openFile(t, p.path("d/f"), os.O_CREATE|os.O_WRONLY, 0o644)
	must(t, os.Remove(p.path("d/f")))
	wantNames(t, p.path("d"))
	wantErrno(t, "rmdir around an open file", os.Remove(p.path("d")), syscall.ENOTEMPTY)
	time.AfterFunc(100*time.Millisecond, func() { f.Close() })
	must(t, os.Remove(p.path("d")))
	must(t, gone(filepath.Join(p.server, "d")))
}

func unlinksOpen(t *testing.T, p place) {
	f := openFile(t, p.path("a"), os.O_CREATE|os.O_RDWR, 0o644)
	try[int](t)(f.WriteString("hello"))
	must(t, os.Remove(p.path("a")))
	wantNames(t, p.mount)
	put(t, p.path("a"), "new")
	try[int](t)(f.WriteString(" world"))
	must(t, f.Truncate(3))
	must(t, f.Sync())
	buf := make([]byte, 10)
	if n, _ := f.ReadAt(buf, 0); string(buf[:n]) != "hel" {
		t.Errorf("the removed file reads %q", buf[:n])
	}
	wantContent(t, p.path("a"), "new")
	must(t, f.Close())
	for range 50 {
		put(t, p.path("b"), "short-lived")
		must(t, os.Remove(p.path("b")))
	}
	if !testenv.WaitUntil(stepTimeout, func() bool { return names(p.server) == names(p.mount) }) {
		t.Errorf("the server has %s", names(p.server))
	}
	wantNames(t, p.mount, "a")
}

func removesWatched(t *testing.T, p place) {
	for i := range 10 {
		must(t, os.MkdirAll(p.path(fmt.Sprintf("t/%d/x/y", i)), 0o755))
		for k := range 5 {
			put(t, p.path(fmt.Sprintf("t/%d/x/f%d", i, k)), "x")
		}
	}
	for _, k := range watchers {
		testenv.MustWatch(t, k.start, p.mount, testenv.WatchOptions{})
	}
	run(t, "", "rm", "-rf", p.path("t"))
	wantNames(t, p.server)
}

func sayWhatIsWrong(t *testing.T, p place) {
	put(t, p.path("f"), "x")
	must(t, os.MkdirAll(p.path("d/e"), 0o755))
	wantErrno(t, "rmdir of a full directory", unix.Rmdir(p.path("d")), syscall.ENOTEMPTY)
	wantErrno(t, "rmdir of a file", unix.Rmdir(p.path("f")), syscall.ENOTDIR)
	wantErrno(t, "unlink of a directory", unix.Unlink(p.path("d")), syscall.EISDIR)
	wantErrno(t, "open below a file", unix.Access(p.path("f/x"), unix.R_OK), syscall.ENOTDIR)
	wantErrno(t, "write to a directory", os.WriteFile(p.path("d"), nil, 0o644), syscall.EISDIR)
	wantErrno(t, "mkdir in nothing", os.Mkdir(p.path("none/x"), 0o755), syscall.ENOENT)
	wantErrno(t, "a pipe", unix.Mkfifo(p.path("p"), 0o644), syscall.EPERM)
	wantErrno(t, "a symbolic link, which Samba does not store", os.Symlink("f", p.path("l")), syscall.EPERM)
	wantNames(t, p.server, "d", "f")
}

// opensWhatMoved opens names while the server changes what they stand for: an open may find
// the old file or the new one, but always one of them.
func opensWhatMoved(t *testing.T, p place) {
	put(t, p.path("a"), "0")
	for i := range 20 {
		put(t, filepath.Join(p.server, "new"), word(i))
		if i%2 == 0 {
			must(t, os.Rename(filepath.Join(p.server, "a"), filepath.Join(p.server, "b")))
		}
		must(t, os.Rename(filepath.Join(p.server, "new"), filepath.Join(p.server, "a")))
		if _, err := os.ReadFile(p.path("a")); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("round %d: %v", i, err)
		}
		if !testenv.WaitUntil(stepTimeout, func() bool { b, err := os.ReadFile(p.path("a")); return err == nil && string(b) == word(i) }) {
			t.Fatalf("round %d: the new content does not come", i)
		}
	}
}
