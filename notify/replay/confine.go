package replay

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// helperName is argv[0] of the helper process.
	helperName = "smbfs-replay"
	// selfPath executes this very binary, replaced or deleted as it may be on disk.
	selfPath = "/proc/self/exe"
	// controlFD is the helper's end of the control socket.
	controlFD = 3

	stageConfine = "confine" // as the daemon starts it
	stageWork    = "work"    // as it executes itself
)

// helperEnv is the whole environment of the helper. A preemption signal would interrupt
// FUSE requests; watching the cgroup's CPU limit would keep descriptors.
var helperEnv = []string{"GODEBUG=asyncpreemptoff=1,containermaxprocs=0,updatemaxprocs=0"}

func helperArgs(stage string, device uint64, mountpoint string) []string {
	return []string{helperName, stage, strconv.FormatUint(device, 10), mountpoint}
}

// The process's first thread must be no worker: that it has ended is how the daemon sees
// a process that dies with a worker's request unanswered. Only here is main surely on it.
func init() {
	if IsHelper() {
		runtime.LockOSThread()
	}
}

// IsHelper tells whether this process was started as the helper.
func IsHelper() bool { return len(os.Args) == 4 && os.Args[0] == helperName }

// RunIfHelper is the first thing in main and TestMain: in the helper process it does
// the helper's work and does not return, in any other it does nothing.
func RunIfHelper() {
	if IsHelper() {
		HelperMain()
	}
}

// HelperMain is the main function of the helper process. It does not return. It ends
// without what os.Exit does for others: the race detector, for one, would sleep.
func HelperMain() {
	err := helperMain(os.Args[1], os.Args[2], os.Args[3])
	if err == nil {
		syscall.Exit(0)
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", helperName, err)
	syscall.Exit(1)
}

func helperMain(stage, device, mountpoint string) error {
	// Someone else's privilege must not be had by choosing argv[0].
	if unix.Getuid() != unix.Geteuid() || unix.Getgid() != unix.Getegid() {
		return syscall.EPERM
	}
	dev, err := strconv.ParseUint(device, 10, 64)
	if err != nil {
		return err
	}
	switch stage {
	case stageConfine:
		return confine(dev, mountpoint)
	case stageWork:
		return work(dev, mountpoint)
	}
	return syscall.EINVAL
}

// confine gives up what the helper does not need and executes the binary again. What
// belongs to a thread (capabilities, signal mask, no_new_privs) passes from this one
// to all threads of the new image, those that Go's runtime makes before main included.
// Preconditions: the goroutine is locked to its thread; see init.
func confine(device uint64, mountpoint string) error {
	if err := unix.CloseRange(controlFD+1, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("close_range: %w", err)
	}
	if err := clearCloseOnExec(controlFD); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("chdir: %w", err)
	}
	unix.Umask(0)
	if err := dropCapabilities(); err != nil {
		return err
	}
	if err := blockSignals(); err != nil {
		return err
	}
	err := syscall.Exec(selfPath, helperArgs(stageWork, device, mountpoint), helperEnv)
	return fmt.Errorf("exec: %w", err)
}

func clearCloseOnExec(fd int) error {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

// blockSignals blocks all that can be: a signal interrupts FUSE requests. Go's runtime
// keeps the mask it starts with, but for signals that end a process; see work.
func blockSignals() error {
	var all unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, nil); err != nil {
		return fmt.Errorf("sigmask: %w", err)
	}
	return nil
}

// keptCapabilities: a directory or file that is shown as somebody else's is replayed
// in all the same. Nothing else is needed.
const keptCapabilities = uint64(1)<<unix.CAP_DAC_OVERRIDE | uint64(1)<<unix.CAP_FOWNER

func dropCapabilities() error {
	if err := dropBounding(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("ambient capabilities: %w", err)
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	for i := range data {
		keep := uint32(keptCapabilities >> (32 * i))
		data[i].Permitted &= keep
		data[i].Effective = data[i].Permitted
		data[i].Inheritable = 0
	}
	if err := unix.Capset(&hdr, &data[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	return nil
}

// dropBounding lowers the bounding set, which is what root has after an exec. An
// ordinary user may not, and need not.
func dropBounding() error {
	for c := uintptr(0); ; c++ {
		set, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err == unix.EINVAL {
			return nil // past the last one this kernel has
		}
		if err != nil {
			return fmt.Errorf("bounding set: %w", err)
		}
		if set == 0 || keptCapabilities&(1<<c) != 0 {
			continue
		}
		err = unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if err != nil && (err != unix.EPERM || unix.Geteuid() == 0) {
			return fmt.Errorf("bounding set: %w", err)
		}
	}
}
