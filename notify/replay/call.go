package replay

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// Op is the system call that is replayed.
type Op uint8

// The events each call gives are in the table of events_test.go.
const (
	opIntroduce Op = iota // internal: lstat of a nonce in the mount's root

	Mknod      // mknodat of a regular file
	Mkdir      // mkdirat
	Symlink    // symlinkat
	Link       // linkat
	Unlink     // unlinkat
	Rmdir      // unlinkat with AT_REMOVEDIR
	Rename     // renameat2, replaces an existing target
	Modify     // utimensat, the modification time only
	Attrib     // utimensat, both times
	CloseWrite // open for writing and close

	opEnd
)

var opNames = [opEnd]string{"introduce", "mknod", "mkdir", "symlink", "link", "unlink", "rmdir",
	"rename", "modify", "attrib", "closewrite"}

func (o Op) String() string {
	if o < opEnd {
		return opNames[o]
	}
	return fmt.Sprintf("op %d", uint8(o))
}

// Call is one system call on the mount.
type Call struct {
	Op Op

	// Dir is the parent's path below the mount's root, separated by '/', without one
	// at either end; "" is the root. Name is the object's name in it. For Link it is
	// the object that exists already.
	Dir, Name string

	// NewDir and NewName are the other name of Rename and Link.
	NewDir, NewName string

	// Target is what a Symlink holds.
	Target string

	// Mode holds the permission bits of Mknod and Mkdir. The helper's umask is 0.
	Mode uint32

	// Mtime is set by Modify and Attrib, Atime by Attrib.
	Atime, Mtime time.Time
}

var (
	// ErrNotMounted: what is found at the mount point is not our mount.
	ErrNotMounted = errors.New("the mount is not at its mount point")
	// ErrOutside: the way to the object leaves the mount, by something mounted on it
	// or by a symbolic link. Nothing was called.
	ErrOutside = errors.New("the path leads out of the mount")
	// ErrHelperLost: the helper died with the call under way. It may have happened or
	// not; it does not happen any more, unless its handler has it and does not answer.
	ErrHelperLost = errors.New("the helper process was lost")
	// ErrUnfinished: the context, or CloseWrite's deadline, ended while the call was
	// under way. It may still happen: its worker keeps the expectation until it returns.
	ErrUnfinished = errors.New("the call is still under way")
	// ErrClosed: the Helper was closed before the call was begun.
	ErrClosed = errors.New("the helper is closed")
	// ErrStuck: the helper process could not be ended, because a FUSE request of its
	// is not answered. It is waited for in the background.
	ErrStuck = errors.New("the helper process cannot be ended")
	// ErrName: a name or path that is not one below the mount.
	ErrName = errors.New("invalid name")
)

// Step tells how far a failed call came.
type Step uint8

const (
	// StepPath: the object or its parent was not reached; the call was not made.
	StepPath Step = iota + 1
	// StepCall: the call itself failed.
	StepCall
)

// Error is a call that the kernel, or the FUSE handler, refused.
type Error struct {
	Op    Op
	Step  Step
	Errno syscall.Errno
	Kind  error // ErrNotMounted, ErrOutside or nil
}

func (e *Error) Error() string {
	step := "path"
	if e.Step == StepCall {
		step = "call"
	}
	if e.Kind != nil {
		return fmt.Sprintf("replay %v: %s: %v (%v)", e.Op, step, e.Kind, e.Errno)
	}
	return fmt.Sprintf("replay %v: %s: %v", e.Op, step, e.Errno)
}

// Unwrap gives the errno, and ErrNotMounted or ErrOutside if it is one.
func (e *Error) Unwrap() []error {
	if e.Kind != nil {
		return []error{e.Kind, e.Errno}
	}
	return []error{e.Errno}
}

// nameMax is the kernel's NAME_MAX.
const nameMax = 255

func validName(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsAny(s, "/\x00")
}

func checkName(s string) error {
	if !validName(s) {
		return fmt.Errorf("%w: %q", ErrName, s)
	}
	if len(s) > nameMax {
		return fmt.Errorf("%w: %d bytes: %w", ErrName, len(s), syscall.ENAMETOOLONG)
	}
	return nil
}

func checkDir(s string) error {
	if s == "" {
		return nil
	}
	for part := range strings.SplitSeq(s, "/") {
		if err := checkName(part); err != nil {
			return err
		}
	}
	return nil
}

func (o Op) hasNewName() bool { return o == Rename || o == Link }

// check refuses what must not reach a system call. Both processes do.
func (c *Call) check() error {
	if c.Op <= opIntroduce || c.Op >= opEnd {
		return fmt.Errorf("%v: %w", c.Op, syscall.EINVAL)
	}
	err := errors.Join(checkDir(c.Dir), checkName(c.Name))
	if c.Op.hasNewName() {
		err = errors.Join(err, checkDir(c.NewDir), checkName(c.NewName))
	}
	if c.Op == Symlink && (c.Target == "" || strings.ContainsRune(c.Target, 0)) {
		err = errors.Join(err, fmt.Errorf("%w: target %q", ErrName, c.Target))
	}
	return err
}
