package integration

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// The replay helper makes system calls with names that a server chose. These
// tests try to lead it to files that are not on the mount. The decoys have the
// names of the files that are changed on the server, in the place where a helper
// that works by path would find them.

// decoys are files outside the mount that nobody may touch.
type decoys struct {
	root   string
	before []string
}

// decoyNames are made in the decoys' folder and on the server alike.
var decoyNames = []string{"f", "g", "sub/f", "sub/deep/f"}

func makeTree(t *testing.T, root, content string) {
	t.Helper()
	for _, n := range decoyNames {
		must(t, os.MkdirAll(filepath.Join(root, filepath.Dir(n)), 0o755))
		must(t, os.WriteFile(filepath.Join(root, n), []byte(content), 0o644))
	}
}

func makeDecoys(t *testing.T, root string) *decoys {
	t.Helper()
	makeTree(t, root, "a decoy: outside the mount")
	return &decoys{root, fingerprint(t, root)}
}

// untouched fails the test if anything at all happened to the decoys: change
// times tell a chmod, a utimensat and a link too.
func (d *decoys) untouched(t *testing.T) {
	t.Helper()
	if now := fingerprint(t, d.root); !slices.Equal(now, d.before) {
		t.Errorf("files outside the mount were touched:\nbefore %q\nnow    %q", d.before, now)
	}
}

func fingerprint(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(p, &st); err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		out = append(out, fmt.Sprintf("%s ino=%d mode=%o nlink=%d size=%d mtime=%d.%09d ctime=%d.%09d",
			rel, st.Ino, st.Mode, st.Nlink, st.Size, st.Mtim.Sec, st.Mtim.Nsec, st.Ctim.Sec, st.Ctim.Nsec))
		return nil
	}))
	return out
}

// assault makes every kind of change to the names of the decoys in a folder of
// the server, and leaves the folder without them.
func assault(t *testing.T, server string) {
	t.Helper()
	a := folderActor(server)
	for _, step := range []string{
		"append f more", "chmod 0600 f", "touch g", "write g other", "write new hello", "mkdir newdir", "ln f hard",
		"mv f moved", "mv g sub/g", "append sub/f more", "chmod 0700 sub", "mv sub/deep sub/deeper",
		"write f again", "rm f", "rm moved", "rm new", "rm hard", "rmdir newdir", "rm -r sub",
	} {
		if err := runStep(a, step); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
}

// tells checks that the mount still tells changes in a folder nobody attacked.
func tells(t *testing.T, w *testenv.Watcher, server, name string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(server, name), []byte("hello"), 0o644))
	if err := w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CLOSE_WRITE, name)); err != nil {
		t.Errorf("a change elsewhere is not told: %v", err)
	}
}

// attacked is a mount with a folder to attack and one beside it, both watched.
type attacked struct {
	samba        *testenv.Samba
	m            *testenv.Mounted
	dir          string // the test's folder: target and beside are in it
	w, beside    *testenv.Watcher
	server       string // target, on the server
	local        string // target, through the mount
	besideServer string
}

func newAttacked(t *testing.T, s *testenv.Samba) *attacked {
	t.Helper()
	a := &attacked{samba: s, dir: folder(t, s)}
	a.server, a.besideServer = s.Path(a.dir, "target"), s.Path(a.dir, "beside")
	must(t, os.Mkdir(a.server, 0o755))
	must(t, os.Mkdir(a.besideServer, 0o755))
	makeTree(t, a.server, "on the server")
	a.m = testenv.MustMount(t, testenv.MountOptions{Samba: s})
	a.local = a.m.Path(a.dir, "target")
	shown(t, a.m.Path(a.dir), s.Path(a.dir))
	a.w = testenv.MustWatch(t, testenv.WatchInotify, a.local, testenv.WatchOptions{})
	a.beside = testenv.MustWatch(t, testenv.WatchInotify, a.m.Path(a.dir, "beside"), testenv.WatchOptions{})
	arm(t, a.w, a.server)
	arm(t, a.beside, a.besideServer)
	return a
}

// bind mounts src on point, a directory or file of the mount, until the test ends.
func bind(t *testing.T, src, point string) {
	t.Helper()
	must(t, within(t, 20*time.Second, "bind mount", func() error { return unix.Mount(src, point, "", unix.MS_BIND, "") }))
	t.Cleanup(func() { _ = unix.Unmount(point, unix.MNT_DETACH) })
}

// TestOutsideBindMountOnDirectory: another file system is mounted on a directory
// inside the mount, and what is below that directory changes on the server.
func TestOutsideBindMountOnDirectory(t *testing.T) {
	t.Parallel()
	a := newAttacked(t, plainSamba(t))
	d := makeDecoys(t, t.TempDir())
	bind(t, d.root, a.local)
	assault(t, a.server)
	tells(t, a.beside, a.besideServer, "f")
	must(t, a.w.WaitQuiet(afterglow, time.Minute))
	d.untouched(t)
	if got := listing(t, a.local); len(got) != len(d.before) {
		t.Errorf("the bind mount was detached: %q", got)
	}
	must(t, unix.Unmount(a.local, 0))
	eventually(t, "the listing under the bind mount", func() bool { return len(listing(t, a.local)) == len(listing(t, a.server)) })
	tells(t, a.beside, a.besideServer, "g")
}

// TestOutsideBindMountBelow: the directory with the bind mount is itself removed
// and renamed away on the server; the same with a bind mount on a single file.
func TestOutsideBindMountBelow(t *testing.T) {
	t.Parallel()
	a := newAttacked(t, plainSamba(t))
	d := makeDecoys(t, t.TempDir())
	bind(t, filepath.Join(d.root, "sub"), filepath.Join(a.local, "sub"))
	bind(t, filepath.Join(d.root, "f"), filepath.Join(a.local, "f"))
	actor := folderActor(a.server)
	for _, step := range []string{"append f more", "chmod 0600 f", "mv sub/deep sub/x", "append sub/f more", "write f all-new", "mv sub moved", "rm f", "rm -r moved", "write f again"} {
		must(t, runStep(actor, step))
	}
	tells(t, a.beside, a.besideServer, "f")
	must(t, a.w.WaitQuiet(afterglow, time.Minute))
	d.untouched(t)
	tells(t, a.w, a.server, "told")
	// A replayed open of the mount's file must not reach what lies over it.
	if content, err := os.ReadFile(filepath.Join(d.root, "f")); err != nil || string(content) != "a decoy: outside the mount" {
		t.Errorf("the decoy has %q, %v", content, err)
	}
}

// unmountUnderFire queues replays by changing many files on the server, unmounts
// in the middle, and checks the decoys that then come to light under the mount.
func unmountUnderFire(t *testing.T, unmount func(m *testenv.Mounted) error) {
	s := plainSamba(t)
	dir := folder(t, s)
	point := t.TempDir()
	under := filepath.Join(point, dir)
	const files = 2000
	names := map[string]bool{}
	for i := range files {
		names[fmt.Sprintf("f%d", i)] = true
	}
	for _, root := range []string{under, s.Path(dir)} {
		must(t, os.MkdirAll(root, 0o755))
		must(t, eachName(names, func(n string) error { return os.WriteFile(filepath.Join(root, n), []byte("x"), 0o644) }))
	}
	d := &decoys{under, fingerprint(t, under)}
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Point: point})
	processes := append(m.HelperPIDs(), m.PID)
	shown(t, m.Path(dir), s.Path(dir))
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Path(dir), testenv.WatchOptions{})
	arm(t, w, s.Path(dir))
	deleted := newTally(unix.IN_DELETE, w.Len())
	removed := make(chan error, 1)
	go func() { removed <- eachName(names, func(n string) error { return os.Remove(s.Path(dir, n)) }) }()
	if err := w.WaitFor(stepTimeout, deleted.reached(files/10)); err != nil {
		t.Errorf("no replays were under way: %v", err)
	}
	must(t, unmount(m))
	must(t, <-removed)
	for _, pid := range processes {
		if !testenv.WaitUntil(20*time.Second, func() bool { return !testenv.Alive(pid) }) {
			t.Errorf("process %d is left after the unmount", pid)
		}
	}
	if testenv.IsMounted(point) {
		t.Fatal("still mounted: the decoys cannot be looked at")
	}
	d.untouched(t)
	if len(d.before) != files+1 {
		t.Errorf("only %d decoys were there", len(d.before))
	}
}

// TestOutsideLazyUnmount: `umount -l` while replays are queued. Paths then lead to
// what lies under the mount point.
func TestOutsideLazyUnmount(t *testing.T) {
	t.Parallel()
	unmountUnderFire(t, func(m *testenv.Mounted) error {
		return within(t, 20*time.Second, "umount -l", func() error { return unix.Unmount(m.Mountpoint, unix.MNT_DETACH) })
	})
}

// TestOutsidePlainUnmount: fusermount3 -u while replays are queued; it may be busy
// for a moment, never for long.
func TestOutsidePlainUnmount(t *testing.T) {
	unmountUnderFire(t, func(m *testenv.Mounted) error {
		var err error
		var out []byte
		testenv.WaitUntil(20*time.Second, func() bool {
			out, err = exec.Command("timeout", "10", "fusermount3", "-u", m.Mountpoint).CombinedOutput()
			return err == nil
		})
		if err != nil {
			return fmt.Errorf("fusermount3 -u: %w: %s", err, out)
		}
		return nil
	})
}

// TestOutsideParentBecomesSymlink: while changes below a directory are on their
// way, the directory is replaced on the server by a symbolic link that leads to
// decoys, and back.
func TestOutsideParentBecomesSymlink(t *testing.T) {
	t.Parallel()
	for name, share := range map[string][]string{
		"links inside the share": nil,
		"wide links":             {"wide links = yes", "follow symlinks = yes"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testenv.MustSamba(t, testenv.Options{Share: share, Global: []string{"allow insecure wide links = yes"}})
			a := newAttacked(t, s)
			d := makeDecoys(t, t.TempDir())
			const rounds = 20
			aside := a.server + "-aside"
			for round := range rounds {
				must(t, os.WriteFile(filepath.Join(a.server, "sub", fmt.Sprint("n", round)), []byte("x"), 0o644))
				must(t, os.Remove(filepath.Join(a.server, "sub", fmt.Sprint("n", round))))
				must(t, os.Rename(a.server, aside))
				must(t, os.Symlink(d.root, a.server))
				// These are changes of the directory that the name no longer leads to.
				must(t, os.WriteFile(filepath.Join(aside, "f"), []byte(text(round)), 0o644))
				must(t, os.Rename(filepath.Join(aside, "g"), filepath.Join(aside, "g2")))
				must(t, os.Rename(filepath.Join(aside, "g2"), filepath.Join(aside, "g")))
				_, _ = os.Stat(filepath.Join(a.local, "f")) // whatever it is now
				must(t, os.Remove(a.server))
				must(t, os.Rename(aside, a.server))
			}
			tells(t, a.beside, a.besideServer, "f")
			must(t, a.w.WaitQuiet(afterglow, time.Minute))
			d.untouched(t)
			// The watch may have had to end with the name; a look is right in any case.
			eventually(t, "content through the mount", func() bool {
				return shows(filepath.Join(a.local, "f"), text(rounds-1)) == nil
			})
		})
	}
}

// TestOutsideSymlinkInside: a symbolic link on the server that leads to another
// directory of the share; changes behind it are made under both names.
func TestOutsideSymlinkInside(t *testing.T) {
	a := newAttacked(t, plainSamba(t))
	d := makeDecoys(t, t.TempDir())
	must(t, os.Symlink("target", filepath.Join(a.samba.Path(a.dir), "inside")))
	must(t, os.Symlink(d.root, filepath.Join(a.samba.Path(a.dir), "outside")))
	_, _ = os.ReadDir(a.m.Path(a.dir, "inside"))
	_, _ = os.ReadDir(a.m.Path(a.dir, "outside"))
	assault(t, a.samba.Path(a.dir, "inside"))
	tells(t, a.w, a.server, "told")
	tells(t, a.beside, a.besideServer, "f")
	d.untouched(t)
	wantListing(t, a.local, a.server)
}

// eventually waits for a condition that needs no event.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	if !testenv.WaitUntil(stepTimeout, done) {
		t.Errorf("%s does not become right", what)
	}
}

// inode is the inode number of a name, on whatever file system it is.
func inode(t *testing.T, name string) uint64 {
	t.Helper()
	var st syscall.Stat_t
	must(t, syscall.Lstat(name, &st))
	return st.Ino
}
