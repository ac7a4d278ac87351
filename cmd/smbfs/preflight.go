package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// mountpointError is a mount point that cannot be used.
type mountpointError struct{ msg string }

func (e mountpointError) Error() string { return e.msg }

// fuseError is a machine that cannot mount FUSE file systems for this user.
type fuseError struct{ msg string }

func (e fuseError) Error() string { return e.msg }

// pathTimeout bounds looking at the mount point.
const pathTimeout = 5 * time.Second

// Places that tests move.
var (
	fuseDevice = "/dev/fuse"
	fuseConf   = "/etc/fuse.conf"
)

// findMountpoint is checkMountpoint with a bound: the way to the mount point may lead through a file system that hangs.
func findMountpoint(target string) (string, error) {
	type result struct {
		path string
		err  error
	}
	results := make(chan result, 1)
	go func() { // ends when the file system answers, or with the process
		path, err := checkMountpoint(target)
		results <- result{path, err}
	}()
	select {
	case r := <-results:
		return r.path, r.err
	case <-time.After(pathTimeout):
		return "", mountpointError{fmt.Sprintf("mount point %s does not answer; a file system on the way to it hangs", target)}
	}
}

// checkMountpoint gives the absolute path of a usable mount point, without symbolic links. The mount table is read before anything is asked
// of the path itself: a dead file system there could make that wait for ever.
func checkMountpoint(target string) (string, error) {
	path, err := filepath.Abs(target)
	if err != nil {
		return "", mountpointError{fmt.Sprintf("mount point %s: %v", target, err)}
	}
	if err := checkNotMounted(path); err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", describeMountpointError(path, err)
	}
	if err := checkNotMounted(resolved); err != nil {
		return "", err
	}
	st, err := os.Stat(resolved)
	if err != nil {
		return "", describeMountpointError(path, err)
	}
	if !st.IsDir() {
		return "", mountpointError{fmt.Sprintf("mount point %s is not a directory", path)}
	}
	if os.Geteuid() != 0 && unix.Access(resolved, unix.W_OK) != nil {
		return "", mountpointError{fmt.Sprintf("mount point %s is not writable for you; an ordinary user can only mount on a directory of their own", path)}
	}
	return resolved, nil
}

func checkNotMounted(path string) error {
	e, ok := mountAt(path)
	switch {
	case !ok || e.fstype == "autofs": // systemd's automount and autofs ask us to mount on top of theirs
		return nil
	case strings.HasPrefix(e.fstype, "fuse"):
		return mountpointError{fmt.Sprintf("mount point %s is busy: %s (%s) is mounted there; fusermount3 -u %s first", path, e.source, e.fstype, path)}
	}
	return mountpointError{fmt.Sprintf("mount point %s is busy: %s (%s) is mounted there; umount it first", path, e.source, e.fstype)}
}

func describeMountpointError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return mountpointError{fmt.Sprintf("mount point %s does not exist; mkdir -p %s first", path, path)}
	case errors.Is(err, fs.ErrPermission):
		return mountpointError{fmt.Sprintf("mount point %s cannot be reached: permission denied", path)}
	case errors.Is(err, unix.ENOTCONN):
		return mountpointError{fmt.Sprintf("mount point %s lies in a dead FUSE mount; fusermount3 -u it first", path)}
	case errors.Is(err, unix.ENOTDIR):
		return mountpointError{fmt.Sprintf("mount point %s is not a directory", path)}
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return mountpointError{fmt.Sprintf("mount point %s cannot be used: %v", path, err)}
}

// checkFUSE tells early what would make every mount fail.
func checkFUSE(c *Config) error {
	fd, err := unix.Open(fuseDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	switch {
	case err == nil:
		unix.Close(fd)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fuseError{fuseDevice + " is missing; modprobe fuse, or in a container give it the device (--device /dev/fuse)"}
	default:
		return fuseError{fmt.Sprintf("%s cannot be opened (%v); it needs to be readable and writable for you, and allowed in this container", fuseDevice, err)}
	}
	if os.Geteuid() == 0 {
		return nil
	}
	if _, err := exec.LookPath("fusermount3"); err != nil {
		if _, err := exec.LookPath("fusermount"); err != nil {
			return fuseError{"fusermount3 is missing, without which only root can mount; apt install fuse3"}
		}
	}
	if c.AllowOther && !userAllowOther() {
		return fuseError{"allow_other needs the line user_allow_other in " + fuseConf + " for an ordinary user"}
	}
	return nil
}

func userAllowOther() bool {
	f, err := os.Open(fuseConf)
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.TrimSpace(lines.Text()) == "user_allow_other" {
			return true
		}
	}
	return false
}
