package health

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// runDirectory is root's, whatever its environment says: a mount made at boot and a later question meet there.
const runDirectory = "/run"

// RuntimeDirectory is where a user's sockets are: in /run for root, else in $XDG_RUNTIME_DIR or, without that, where
// systemd would have it.
func RuntimeDirectory(uid int) string {
	parent := os.Getenv("XDG_RUNTIME_DIR")
	switch {
	case uid == 0:
		parent = runDirectory
	case uid != os.Geteuid() || !filepath.IsAbs(parent):
		parent = "/run/user/" + strconv.Itoa(uid)
	}
	return filepath.Join(parent, "smbfs")
}

// SocketName is the name of a mount's control socket.
func SocketName(mountpoint string) string {
	sum := sha256.Sum256([]byte(filepath.Clean(mountpoint)))
	return hex.EncodeToString(sum[:16]) + ".sock"
}

// directory is an open directory for sockets. Names in it are used through the descriptor, so that nobody can put another
// in its place, and a path's length does not count.
type directory struct{ f *os.File }

// ErrUnsafe is wrapped by the error for a directory that is a symbolic link or somebody else's.
var ErrUnsafe = errors.New("it is not safe")

// openDirectory opens the directory at path, which has to belong to uid and be no symbolic link, and neither may the one it is in. With
// create it is made if it does not exist, and closed to others.
func openDirectory(path string, uid int, create bool) (*directory, error) {
	parent, err := openOwned(unix.AT_FDCWD, filepath.Dir(path), uid)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	name := filepath.Base(path)
	if create {
		if err := unix.Mkdirat(int(parent.Fd()), name, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
			return nil, &os.PathError{Op: "mkdir", Path: path, Err: err}
		}
	}
	f, err := openOwned(int(parent.Fd()), name, uid)
	if err != nil {
		return nil, err
	}
	if create {
		err = f.Chmod(0o700)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &directory{f}, nil
}

// openOwned opens a directory that is no symbolic link and belongs to uid or root, and that others may not write to.
func openOwned(at int, path string, uid int) (*os.File, error) {
	fd, err := unix.Openat(at, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) {
		return nil, fmt.Errorf("%s is not a directory, or a symbolic link: %w", path, ErrUnsafe)
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		f.Close()
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	own := int(st.Uid) == uid || at == unix.AT_FDCWD && st.Uid == 0
	if !own || st.Mode&0o022 != 0 && at == unix.AT_FDCWD && st.Mode&unix.S_ISVTX == 0 {
		f.Close()
		return nil, fmt.Errorf("%s belongs to user %d with mode %o: %w", path, st.Uid, st.Mode&0o7777, ErrUnsafe)
	}
	return f, nil
}

// path is a name's path through the descriptor.
func (d *directory) path(name string) string {
	return fmt.Sprintf("/proc/self/fd/%d/%s", d.f.Fd(), name)
}

func (d *directory) Close() error { return d.f.Close() }

// inode identifies what a name stands for; ok is false if there is nothing.
func (d *directory) inode(name string) (st unix.Stat_t, ok bool, err error) {
	err = unix.Fstatat(int(d.f.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return st, false, nil
	}
	return st, err == nil, err
}

// socket opens, for its path alone, a socket that belongs to uid. Through a symbolic link somebody who is asked about his mount could have
// us speak to another's.
func (d *directory) socket(name string, uid int) (*os.File, error) {
	fd, err := unix.Openat(int(d.f.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	f := os.NewFile(uintptr(fd), name)
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil && (st.Mode&unix.S_IFMT != unix.S_IFSOCK || int(st.Uid) != uid) {
		err = fmt.Errorf("%s/%s is no socket of user %d: %w", d.f.Name(), name, uid, ErrUnsafe)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// clear removes a socket of that name, which a daemon that was killed has left, or one whose mount is below ours.
func (d *directory) clear(name string) error {
	st, ok, err := d.inode(name)
	switch {
	case err != nil:
		return err
	case !ok:
		return nil
	case st.Mode&unix.S_IFMT != unix.S_IFSOCK:
		return fmt.Errorf("%s/%s is there and is not a socket: %w", d.f.Name(), name, ErrUnsafe)
	}
	return unix.Unlinkat(int(d.f.Fd()), name, 0)
}
