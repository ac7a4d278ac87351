package replay

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// runner makes calls on the mount.
//
// It never works by plain path, since a path can lead out of the mount: something else
// is mounted on a directory inside, the mount itself was taken away lazily, a hostile
// server made a component a symbolic link. For each call
//
//   - the mount's root is opened with O_PATH, which asks the file system nothing, and
//     must be the device and the very mount on which the daemon saw the introduction;
//   - the parents are opened below it by openat2, which refuses to leave the mount
//     upwards, by something mounted on it, or by a symbolic link;
//   - the call names the object relative to that descriptor. mknod, mkdir, symlink,
//     unlink, rmdir and rename do not follow what is mounted on the last component
//     (EEXIST or EBUSY); link does, and then fails with EXDEV, its two ends being on
//     different mounts. utimensat and open would succeed there, so these open the object
//     itself by openat2 and work on the descriptor.
//
// A descriptor keeps its mount, so nothing can slip between check and call. All are
// closed before the reply: the helper never makes an unmount busy for longer than a call.
type runner struct {
	device     uint64
	mountpoint string
}

// resolveInside is how every path below the root is resolved.
const resolveInside = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_XDEV |
	unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS

func (r *runner) run(m *message) reply {
	if m.Op != opIntroduce {
		if m.check() != nil {
			return failed(StepPath, unix.EINVAL)
		}
	}
	root, res := r.openRoot(m)
	if res.step != 0 {
		return res
	}
	defer unix.Close(root)
	if m.Op == opIntroduce {
		return introduce(root, m.Name, res.mountID)
	}
	dir, err := openDir(root, m.Dir)
	if err != nil {
		return failed(StepPath, err)
	}
	defer unix.Close(dir)
	if !m.Op.hasNewName() {
		return callOne(dir, &m.Call)
	}
	newDir, err := openDir(root, m.NewDir)
	if err != nil {
		return failed(StepPath, err)
	}
	defer unix.Close(newDir)
	return callTwo(dir, newDir, &m.Call)
}

func failed(step Step, err error) reply {
	if err == nil {
		return reply{}
	}
	errno, ok := err.(syscall.Errno)
	if !ok {
		errno = unix.EIO
	}
	res := reply{step: step, errno: errno}
	if errno == unix.EXDEV || step == StepPath && errno == unix.ELOOP {
		res.kind = kindOutside
	}
	return res
}

// openRoot opens the mount's root, if it is the one that is meant. An introduction asks
// for no particular mount of the device, and is told which one it was.
func (r *runner) openRoot(m *message) (int, reply) {
	fd, err := openRetry(unix.AT_FDCWD, r.mountpoint, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
	})
	if err != nil {
		res := failed(StepPath, err)
		res.kind = kindNotMounted
		return -1, res
	}
	device, mountID, err := whichMount(fd)
	res := reply{mountID: mountID}
	switch {
	case err != nil:
		res = failed(StepPath, err)
	case device != r.device:
		res = reply{step: StepPath, kind: kindNotMounted, errno: unix.ENODEV}
	case m.Op != opIntroduce && mountID != m.mountID:
		res = reply{step: StepPath, kind: kindMoved, errno: unix.ENODEV}
	}
	if res.step != 0 {
		unix.Close(fd)
		return -1, res
	}
	return fd, res
}

// whichMount tells the device and the mount that fd is on, without a request to the
// file system. Device numbers of file systems like ours are used again after an unmount;
// the mount id is not, since Linux 6.8, and seldom before.
func whichMount(fd int) (device, mountID uint64, err error) {
	var st unix.Statx_t
	err = unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC,
		unix.STATX_MNT_ID|unix.STATX_MNT_ID_UNIQUE, &st)
	return unix.Mkdev(st.Dev_major, st.Dev_minor), st.Mnt_id, err
}

// introduce looks a name up that cannot exist, by which the daemon learns this thread.
func introduce(root int, nonce string, mountID uint64) reply {
	if !validName(nonce) {
		return failed(StepPath, unix.EINVAL)
	}
	var st unix.Stat_t
	if err := unix.Fstatat(root, nonce, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil && err != unix.ENOENT {
		return failed(StepCall, err)
	}
	return reply{mountID: mountID}
}

// openRetry opens without changing anything, so EINTR is safe to retry; so is EAGAIN,
// openat2's answer to a rename that raced with the walk. Bounded, lest a handler that
// always interrupts keeps a worker for good.
func openRetry(dir int, path string, how *unix.OpenHow) (int, error) {
	const tries = 10
	for i := 0; ; i++ {
		fd, err := unix.Openat2(dir, path, how)
		if (err != unix.EINTR && err != unix.EAGAIN) || i == tries {
			return fd, err
		}
	}
}

// openDir opens a directory below root. A path longer than the kernel takes at once is
// walked in pieces; each starts from the descriptor of the last.
func openDir(root int, path string) (int, error) {
	how := &unix.OpenHow{
		// Not O_NOFOLLOW: it would make a link at the end ENOTDIR instead of ELOOP.
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: resolveInside,
	}
	if path == "" {
		path = "."
	}
	from := root
	for {
		piece, rest := splitPath(path)
		fd, err := openRetry(from, piece, how)
		if from != root {
			unix.Close(from)
		}
		if err != nil || rest == "" {
			return fd, err
		}
		from, path = fd, rest
	}
}

// splitPath cuts a piece shorter than PATH_MAX from path, at a separator.
func splitPath(path string) (piece, rest string) {
	if len(path) < unix.PathMax {
		return path, ""
	}
	i := strings.LastIndexByte(path[:unix.PathMax-1], '/')
	if i <= 0 {
		return path, "" // the kernel will say ENAMETOOLONG
	}
	return path[:i], path[i+1:]
}

func callOne(dir int, c *Call) reply {
	switch c.Op {
	case Mknod:
		return failed(StepCall, unix.Mknodat(dir, c.Name, unix.S_IFREG|c.Mode&0o7777, 0))
	case Mkdir:
		return failed(StepCall, unix.Mkdirat(dir, c.Name, c.Mode&0o7777))
	case Symlink:
		return failed(StepCall, unix.Symlinkat(c.Target, dir, c.Name))
	case Unlink:
		return failed(StepCall, unix.Unlinkat(dir, c.Name, 0))
	case Rmdir:
		return failed(StepCall, unix.Unlinkat(dir, c.Name, unix.AT_REMOVEDIR))
	case Modify, Attrib:
		return setTimes(dir, c)
	case CloseWrite:
		return openAndClose(dir, c.Name)
	}
	return failed(StepPath, unix.EINVAL)
}

func callTwo(dir, newDir int, c *Call) reply {
	switch c.Op {
	case Link:
		return failed(StepCall, unix.Linkat(dir, c.Name, newDir, c.NewName, 0))
	case Rename:
		return failed(StepCall, unix.Renameat2(dir, c.Name, newDir, c.NewName, 0))
	}
	return failed(StepPath, unix.EINVAL)
}

// setTimes works on the object's own descriptor: utimensat takes AT_EMPTY_PATH, for an
// O_PATH descriptor too, since Linux 5.8.
func setTimes(dir int, c *Call) reply {
	fd, err := openRetry(dir, c.Name, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC,
		Resolve: resolveInside,
	})
	if err != nil {
		return failed(StepPath, err)
	}
	defer unix.Close(fd)
	times, err := timesOf(c)
	if err != nil {
		return failed(StepPath, err)
	}
	return failed(StepCall, unix.UtimesNanoAt(fd, "", times[:], unix.AT_EMPTY_PATH))
}

// timesOf gives the access and the modification time as utimensat takes them.
func timesOf(c *Call) (times [2]unix.Timespec, err error) {
	times[0] = unix.Timespec{Nsec: unix.UTIME_OMIT}
	if c.Op == Attrib {
		if times[0], err = unix.TimeToTimespec(c.Atime); err != nil {
			return times, err
		}
	}
	times[1], err = unix.TimeToTimespec(c.Mtime)
	return times, err
}

// openAndClose does not wait for a lease or a reader of a pipe (O_NONBLOCK), and is not
// repeated: EAGAIN is a local lease's answer.
func openAndClose(dir int, name string) reply {
	fd, err := unix.Openat2(dir, name, &unix.OpenHow{
		Flags:   unix.O_WRONLY | unix.O_NONBLOCK | unix.O_NOFOLLOW | unix.O_NOCTTY | unix.O_CLOEXEC,
		Resolve: resolveInside,
	})
	if err != nil {
		res := failed(StepCall, err)
		if err == unix.ELOOP {
			res.kind = kindOutside
		}
		return res
	}
	return failed(StepCall, unix.Close(fd))
}
