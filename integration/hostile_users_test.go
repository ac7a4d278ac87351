package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// TestOtherUsersAreKeptOut: without allow_other nobody but the mount's owner gets in, whatever the modes say; with it they do.
func TestOtherUsersAreKeptOut(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		t.Run(fmt.Sprint("allow_other=", allowed), func(t *testing.T) {
			t.Parallel()
			s := plainSamba(t)
			dir := folder(t, s)
			must(t, os.WriteFile(s.Path(dir, "f"), []byte("private"), 0o666))
			o := testenv.MountOptions{Samba: s, Path: "/" + dir, Options: []string{"file_mode=0777", "dir_mode=0777"}}
			if allowed {
				o.Options = append(o.Options, "allow_other")
			}
			m := testenv.MustMount(t, o)
			for _, args := range [][]string{
				{"ls", m.Mountpoint}, {"cat", m.Path("f")}, {"sh", "-c", "echo x > " + m.Path("f")}, {"stat", m.Path("f")},
				{"mkdir", m.Path("d")}, {"mv", m.Path("f"), m.Path("g")}, {"test", "-e", m.Path("g")},
			} {
				cmd := exec.Command(args[0], args[1:]...)
				cmd.SysProcAttr = nobody(t)
				if out, err := cmd.CombinedOutput(); (err == nil) != allowed {
					t.Errorf("%v: %v: %s", args, err, out)
				}
			}
			if !allowed {
				wantContent(t, s.Path(dir, "f"), "private")
			}
		})
	}
}

// TestGarbageCalls: calls that make no sense on such a file, with arguments that make none at all, get an error.
func TestGarbageCalls(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + dir})
	file := m.Path("f")
	must(t, os.WriteFile(file, []byte("content"), 0o644))
	for _, name := range []string{file, m.Mountpoint} {
		f := try[*os.File](t)(os.Open(name))
		fd := int(f.Fd())
		buf := make([]byte, 1<<16)
		for _, request := range []uint{0, 0x5401, unix.FS_IOC_GETFLAGS, unix.FS_IOC_SETFLAGS, 0x8004e500, 0xc0185879, 0xffffffff} {
			if _, err := unix.IoctlGetInt(fd, request); err == nil {
				t.Errorf("ioctl %#x of %s succeeded", request, name)
			}
		}
		for _, attr := range []string{"user.x", "security.selinux", "system.posix_acl_access", "trusted.overlay.opaque", strings.Repeat("u", 256), "", "\xff"} {
			if err := unix.Setxattr(name, attr, buf, 0); err == nil {
				t.Errorf("setxattr %q of %s succeeded", brief(attr), name)
			}
			if n, err := unix.Getxattr(name, attr, buf); err == nil {
				t.Errorf("getxattr %q of %s: %d bytes", brief(attr), name, n)
			}
			_ = unix.Removexattr(name, attr)
		}
		_, _ = unix.Listxattr(name, buf)
		for _, mode := range []uint32{0, unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE, unix.FALLOC_FL_COLLAPSE_RANGE, 0xffff} {
			if err := unix.Fallocate(fd, mode, 0, 1<<62); err == nil {
				t.Errorf("fallocate %#x of %s, open for reading, succeeded", mode, name)
			}
		}
		_, _ = unix.Seek(fd, 1<<62, unix.SEEK_DATA)
		_, _ = unix.Pread(fd, buf, 1<<62)
		_ = unix.Flock(fd, 0xff)
		_ = f.Close()
	}
	_ = os.Truncate(file, 1<<62) // an error, or a sparse file
	must(t, os.WriteFile(file, []byte("still here"), 0o644))
	wantContent(t, s.Path(dir, "f"), "still here")
}

// TestNobodyPassesAsAHelper: the hidden names of the helper processes are of no use to anybody. It is not parallel: to start a
// process means to flush what this one has open, on the mounts that other tests keep hanging, too.
func TestNobodyPassesAsAHelper(t *testing.T) {
	bin := try[string](t)(testenv.Binary())
	for _, args := range [][]string{{"smbfs-replay", "confine", "42", "/"}, {"smbfs-replay", "work", "42", "/"}, {"smbfs-inval"}} {
		cmd := &exec.Cmd{Path: bin, Args: args}
		must(t, within(t, 20*time.Second, "the start of "+args[0], cmd.Start))
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		if err := within(t, 20*time.Second, args[0], cmd.Wait); err == nil {
			t.Errorf("%v succeeded", args)
		}
	}
}

// TestSymlinkedMountPoint: a mount point behind a symbolic link is mounted where it leads, and a link that somebody puts in
// its place afterwards changes nothing.
func TestSymlinkedMountPoint(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	base := t.TempDir()
	real, link := filepath.Join(base, "real"), filepath.Join(base, "link")
	must(t, errors.Join(os.Mkdir(real, 0o755), os.Symlink(real, link), os.Mkdir(filepath.Join(base, "other"), 0o755)))
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + dir, Point: real, Options: nil})
	must(t, m.Unmount())
	cmd, _, err := testenv.Command(testenv.MountOptions{Samba: s, Path: "/" + dir, Point: link, Daemon: true})
	must(t, err)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("fusermount3", "-u", "-z", real).Run() })
	if !testenv.IsMounted(real) {
		t.Fatal("nothing is mounted where the link leads")
	}
	must(t, os.Remove(link))
	must(t, os.Symlink(filepath.Join(base, "other"), link))
	must(t, os.WriteFile(filepath.Join(real, "f"), []byte("x"), 0o644))
	w := testenv.MustWatch(t, testenv.WatchInotify, real, testenv.WatchOptions{})
	arm(t, w, s.Path(dir))
	if got := names(filepath.Join(base, "other")); strings.Contains(got, "/") {
		t.Errorf("something was made where the link leads now: %s", got)
	}
	if out, err := exec.Command("fusermount3", "-u", real).CombinedOutput(); err != nil {
		t.Logf("fusermount3: %v: %s", err, out) // the watcher may have it in use; the cleanup detaches it
	}
}

// TestFullDisk: on a server whose disk is full a write says so, or fsync does, and nothing that was acknowledged is missing; when
// there is room again it goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	must(t, unix.Mount("tmpfs", disk, "tmpfs", 0, "size=8m,mode=0777"))
	t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
	s := testenv.MustSamba(t, testenv.Options{Dir: disk, Share: []string{"strict allocate = no"}})
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	f := try[*os.File](t)(os.Create(m.Path("big")))
	chunk, acknowledged := make([]byte, 1<<20), 0
	var err error
	for err == nil && acknowledged < 32 {
		if _, err = f.Write(chunk); err == nil {
			err = f.Sync()
		}
		if err == nil {
			acknowledged++
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	_ = f.Close()
	if st := try[os.FileInfo](t)(os.Stat(filepath.Join(disk, "big"))); st.Size() < int64(acknowledged)<<20 {
		t.Errorf("%d MiB were acknowledged, %d bytes are there", acknowledged, st.Size())
	}
	if err := os.WriteFile(m.Path("another"), chunk, 0o644); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("another file: %v", err)
	}
	for name, end := range map[string]func(*os.File) error{"close": (*os.File).Close, "fsync": (*os.File).Sync} { // of what was written behind
		g := try[*os.File](t)(os.Create(m.Path("at " + name)))
		defer g.Close()
		try[int](t)(g.Write(chunk[:1000]))
		if err := end(g); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, os.Remove(m.Path("big")))
	var room unix.Statfs_t
	if !testenv.WaitUntil(stepTimeout, func() bool { must(t, unix.Statfs(disk, &room)); return room.Bfree > 256 }) { // the server closes it in its own time
		t.Fatal("what was removed still takes the disk's room")
	}
	must(t, os.WriteFile(m.Path("another"), []byte("fits"), 0o644))
	wantContent(t, filepath.Join(disk, "another"), "fits")
}

// TestNoDescriptorsLeft: a daemon that can open nothing any more serves what needs nothing opened, and when it can again, its
// helper is back and events are told.
func TestNoDescriptorsLeft(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	must(t, os.WriteFile(s.Path(dir, "f"), []byte("hello"), 0o644))
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + dir})
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
	arm(t, w, s.Path(dir))
	var old unix.Rlimit
	must(t, unix.Prlimit(m.PID, unix.RLIMIT_NOFILE, nil, &old))
	must(t, unix.Prlimit(m.PID, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: old.Max}, nil))
	for _, pid := range m.HelperPIDs() {
		must(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	failed := func() bool { return strings.Contains(m.Log(), "too many open files") }
	if !testenv.WaitUntil(stepTimeout, failed) {
		t.Error("the helper was started with no descriptor")
	}
	wantContent(t, m.Path("f"), "hello")
	must(t, os.WriteFile(m.Path("own"), []byte("x"), 0o644))
	wantContent(t, s.Path(dir, "own"), "x")
	must(t, unix.Prlimit(m.PID, unix.RLIMIT_NOFILE, &old, nil))
	must(t, os.WriteFile(s.Path(dir, "later"), nil, 0o644))
	told := func(seen []testenv.Event) bool {
		return slices.ContainsFunc(seen, func(e testenv.Event) bool { return e.Name == "later" && e.Mask&unix.IN_CREATE != 0 })
	}
	if err := w.WaitFor(time.Minute, told); err != nil {
		t.Errorf("with descriptors again: %v", err)
	}
}

// TestNoDescriptorsForAConnection: a connection that is lost while nothing can be opened is made anew when something can.
func TestNoDescriptorsForAConnection(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	must(t, os.WriteFile(s.Path("f"), []byte("hello"), 0o644))
	m, p := through(t, s, "hard")
	wantContent(t, m.Path("f"), "hello")
	var old unix.Rlimit
	must(t, unix.Prlimit(m.PID, unix.RLIMIT_NOFILE, nil, &old))
	must(t, unix.Prlimit(m.PID, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: old.Max}, nil))
	p.Reset()
	if !testenv.WaitUntil(stepTimeout, func() bool { return strings.Contains(m.Log(), "too many open files") }) {
		t.Error("a connection was made with no descriptor")
	}
	must(t, unix.Prlimit(m.PID, unix.RLIMIT_NOFILE, &old, nil))
	must(t, within(t, stepTimeout, "a read", func() error { _, err := os.ReadFile(m.Path("f")); return err }))
	reconnected(t, m, 1)
}
