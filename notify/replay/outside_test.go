package replay

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// destructive are calls that would touch what is named victim, or make something beside
// it, in the directory d.
var destructive = []Call{
	{Op: Unlink, Dir: "d", Name: "victim"},
	{Op: Rename, Dir: "d", Name: "victim", NewDir: "d", NewName: "moved"},
	{Op: Rename, Dir: "d", Name: "victim", NewName: "moved"},
	{Op: Rename, Name: "inside", NewDir: "d", NewName: "victim"},
	{Op: Link, Dir: "d", Name: "victim", NewDir: "d", NewName: "linked"},
	{Op: Modify, Dir: "d", Name: "victim", Mtime: someTime},
	{Op: Attrib, Dir: "d", Name: "victim", Atime: someTime, Mtime: someTime},
	{Op: CloseWrite, Dir: "d", Name: "victim"},
	{Op: Mknod, Dir: "d", Name: "made"},
	{Op: Mkdir, Dir: "d", Name: "made"},
	{Op: Symlink, Dir: "d", Name: "made", Target: "x"},
	{Op: Rmdir, Dir: "d", Name: "empty"},
}

// victims fills a directory with what the destructive calls are after, and returns a
// check that nothing in it has changed.
func victims(t *testing.T, dir string) (check func()) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "victim"), []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	state := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			st := info.Sys().(*syscall.Stat_t)
			s = append(s, e.Name(), info.ModTime().String(), info.Mode().String(), time.Unix(st.Ctim.Unix()).String())
		}
		return strings.Join(s, " ")
	}
	before := state()
	return func() {
		t.Helper()
		if after := state(); after != before {
			t.Errorf("touched:\n%s\nbefore:\n%s", after, before)
		}
	}
}

// wantRefused: none of the calls is made, and all say why.
func (r *rig) wantRefused(calls []Call, want error) {
	r.t.Helper()
	before := len(r.fs.calls())
	for _, c := range calls {
		if err := r.do(c); !errors.Is(err, want) {
			r.t.Errorf("%v %s/%s: %v, want %v", c.Op, c.Dir, c.Name, err, want)
		}
	}
	if got := r.fs.calls()[before:]; len(got) != 0 {
		r.t.Errorf("calls reached the file system: %+v", got)
	}
}

func mustRun(t *testing.T, name string, args ...string) {
	t.Helper()
	var out []byte
	err := inTime(t, name, func() (err error) {
		out, err = exec.Command(name, args...).CombinedOutput()
		return err
	})
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test mounts other file systems: run it as root")
	}
}

// mountOver has another process mount, since the walk to the place asks our file system.
func mountOver(t *testing.T, args ...string) {
	t.Helper()
	mustRun(t, "mount", args...)
	place := args[len(args)-1]
	t.Cleanup(func() { mustRun(t, "umount", place) })
}

// TestRootMountedOverDirectory: a local folder is bind-mounted on a directory inside.
func TestRootMountedOverDirectory(t *testing.T) {
	needRoot(t)
	r := newRig(t, time.Hour, Config{})
	r.fs.add("d", dirMode)
	r.fs.add("d/victim", fileMode)
	r.fs.add("d/empty", dirMode)
	r.fs.add("inside", fileMode)
	check := victims(t, r.local)
	mountOver(t, "--bind", r.local, r.path("d"))
	r.wantRefused(destructive, ErrOutside)
	check()

	// The mount point itself is busy for the kernel, and stays as it is.
	for _, c := range []Call{
		{Op: Rmdir, Name: "d"}, {Op: Rename, Name: "d", NewName: "e"}, {Op: Rename, Name: "inside", NewName: "d"},
	} {
		if err := r.do(c); !errors.Is(err, syscall.EBUSY) && !errors.Is(err, syscall.EISDIR) {
			t.Errorf("%v of the mount point: %v, want EBUSY", c.Op, err)
		}
	}
	check()
}

// TestRootMountedOverFile: the last component is mounted over, by a file of another file
// system or by another file of our own.
func TestRootMountedOverFile(t *testing.T) {
	needRoot(t)
	for _, own := range []bool{false, true} {
		r := newRig(t, time.Hour, Config{})
		r.fs.add("d", dirMode)
		r.fs.add("d/victim", fileMode)
		r.fs.add("d/other", fileMode)
		check := victims(t, r.local)
		source := filepath.Join(r.local, "victim")
		if own {
			source = r.path("d/other")
		}
		mountOver(t, "--bind", source, r.path("d/victim"))
		r.wantRefused([]Call{
			{Op: Modify, Dir: "d", Name: "victim", Mtime: someTime},
			{Op: Attrib, Dir: "d", Name: "victim", Atime: someTime, Mtime: someTime},
			{Op: CloseWrite, Dir: "d", Name: "victim"},
			{Op: Link, Dir: "d", Name: "victim", NewDir: "d", NewName: "linked"},
		}, ErrOutside)
		r.wantRefused([]Call{
			{Op: Unlink, Dir: "d", Name: "victim"},
			{Op: Rename, Dir: "d", Name: "victim", NewDir: "d", NewName: "moved"},
		}, syscall.EBUSY)
		check()
	}
}

// TestRootMountedOverMountPoint: another file system on the mount point hides ours. Our
// own root bound over it is ours still; a directory of ours is not the root.
func TestRootMountedOverMountPoint(t *testing.T) {
	needRoot(t)
	r := newRig(t, time.Hour, Config{Workers: 1, CloseWriters: 1})
	r.fs.add("d", dirMode)
	r.fs.add("d/d", dirMode)
	r.fs.add("d/victim", fileMode)
	r.fs.add("d/d/victim", fileMode)

	mountOver(t, "--bind", r.mnt, r.mnt)
	r.mustDo(Call{Op: Modify, Dir: "d", Name: "victim", Mtime: someTime})

	mountOver(t, "--bind", r.path("d"), r.mnt)
	r.wantRefused(destructive, ErrNotMounted)

	mountOver(t, "-t", "tmpfs", "replaytest", r.mnt)
	if err := os.Mkdir(r.path("d"), 0o755); err != nil { // on the tmpfs
		t.Fatal(err)
	}
	check := victims(t, r.path("d"))
	r.wantRefused(destructive, ErrNotMounted)
	check()
}

// TestLazilyUnmounted: the mount is gone from its mount point, but lives on, and under
// the mount point there are files of the same names.
func TestLazilyUnmounted(t *testing.T) {
	r := newRig(t, time.Hour, Config{})
	r.fs.add("d", dirMode)
	r.fs.add("d/victim", fileMode)
	_, _, leave := r.background("replay-test-actor", "stay", r.path("d"))
	if os.Geteuid() == 0 {
		mustRun(t, "umount", "-l", r.mnt)
	} else {
		mustRun(t, "fusermount3", "-u", "-z", r.mnt)
	}
	if err := os.Mkdir(r.path("d"), 0o755); err != nil { // on the local disk
		t.Fatal(err)
	}
	check := victims(t, r.path("d"))
	r.wantRefused(destructive, ErrNotMounted)
	check()
	leave()
	// Now the file system is gone altogether.
	r.wantRefused(destructive, ErrNotMounted)
	check()
}

// TestSymbolicLinkInside: a parent that others know as a directory becomes a symbolic
// link to a local folder, as a hostile server can have it.
func TestSymbolicLinkInside(t *testing.T) {
	r := newRig(t, 0, Config{})
	outside := filepath.Join(r.dir, "outside")
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	check := victims(t, outside)
	r.fs.add("d", dirMode)
	r.fs.add("inside", fileMode)
	r.mustDo(Call{Op: Mknod, Dir: "d", Name: "victim"})
	r.fs.makeGhost("d")
	r.fs.addLink("d", syscall.S_IFLNK|0o777, outside)
	r.wantRefused(destructive, ErrOutside)
	r.wantRefused([]Call{{Op: Unlink, Dir: "d/deeper", Name: "victim"}}, ErrOutside)

	// The link itself can be told of, and opening does not follow it.
	r.fs.addLink("l", syscall.S_IFLNK|0o777, filepath.Join(outside, "victim"))
	r.wantRefused([]Call{{Op: CloseWrite, Name: "l"}}, ErrOutside)
	w := r.watch("")
	r.mustDo(Call{Op: Modify, Name: "l", Mtime: someTime})
	if got := w.events(); len(got) != 1 || got[0] != "/ MODIFY l" {
		t.Errorf("events %q, want one MODIFY of the link", got)
	}
	check()
}

// TestLongPath: a path longer than the kernel takes at once is walked in pieces.
func TestLongPath(t *testing.T) {
	r := newRig(t, time.Hour, Config{})
	part := strings.Repeat("x", 200)
	dir := part
	r.fs.add(dir, dirMode)
	for len(dir) < 2*unix.PathMax {
		dir += "/" + part
		r.fs.add(dir, dirMode)
	}
	r.mustDo(Call{Op: Mknod, Dir: dir, Name: "x"})
	r.mustDo(Call{Op: Rename, Dir: dir, Name: "x", NewName: "y"})
	if !r.fs.exists("y") {
		t.Error("it was not renamed")
	}
	if err := r.do(Call{Op: Mknod, Dir: strings.Repeat(part+"/", 400) + part, Name: "x"}); !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Errorf("a path beyond all bounds: %v, want ENAMETOOLONG", err)
	}
}
