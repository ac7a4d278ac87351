package inval

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// fuseDevice is the device number of /dev/fuse.
var fuseDevice = unix.Mkdev(10, 229)

// ownDevice duplicates the descriptor on which this process serves its mount, and sees to it that no
// child inherits the original. A second mount in the same process is an error: the two could not be told apart.
func ownDevice() (*os.File, error) {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	found := -1
	for _, n := range names {
		fd, err := strconv.Atoi(n.Name())
		var st unix.Stat_t
		if err != nil || unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != fuseDevice {
			continue
		}
		if found >= 0 {
			return nil, errors.New("this process serves more than one mount")
		}
		found = fd
	}
	if found < 0 {
		return nil, errors.New("this process serves no mount")
	}
	unix.CloseOnExec(found)
	dup, err := unix.FcntlInt(uintptr(found), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate the FUSE device: %w", err)
	}
	return os.NewFile(uintptr(dup), "FUSE device"), nil
}

// clone opens the device of the same connection once more (linux/fuse.h, FUSE_DEV_IOC_CLONE).
func clone(device *os.File) (*os.File, error) {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/fuse: %w", err)
	}
	if err := unix.IoctlSetPointerInt(fd, devIoctlClone, int(device.Fd())); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("clone the FUSE device: %w", err)
	}
	return os.NewFile(uintptr(fd), "FUSE device"), nil
}
