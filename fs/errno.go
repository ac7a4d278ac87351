package fs

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/share"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// statusErrno is the one map from the server's answers to errno. What is not in it is EIO.
var statusErrno = map[wire.Status]syscall.Errno{
	wire.StatusObjectNameNotFound:     syscall.ENOENT,
	wire.StatusObjectPathNotFound:     syscall.ENOENT,
	wire.StatusNoSuchFile:             syscall.ENOENT,
	wire.StatusDeletePending:          syscall.ENOENT,
	wire.StatusFileDeleted:            syscall.ENOENT,
	wire.StatusNotFound:               syscall.ENOENT,
	wire.StatusObjectNameInvalid:      syscall.EINVAL,
	wire.StatusObjectPathSyntaxBad:    syscall.EINVAL,
	wire.StatusInvalidParameter:       syscall.EINVAL,
	wire.StatusObjectNameCollision:    syscall.EEXIST,
	wire.StatusAccessDenied:           syscall.EACCES,
	wire.StatusPrivilegeNotHeld:       syscall.EPERM,
	wire.StatusNetworkAccessDenied:    syscall.EACCES,
	wire.StatusSharingViolation:       syscall.EBUSY,
	wire.StatusFileLockConflict:       syscall.EAGAIN,
	wire.StatusLockNotGranted:         syscall.EAGAIN,
	wire.StatusCannotDelete:           syscall.EACCES,
	wire.StatusDirectoryNotEmpty:      syscall.ENOTEMPTY,
	wire.StatusNotADirectory:          syscall.ENOTDIR,
	wire.StatusFileIsADirectory:       syscall.EISDIR,
	wire.StatusDiskFull:               syscall.ENOSPC,
	wire.StatusQuotaExceeded:          syscall.EDQUOT,
	wire.StatusMediaWriteProtected:    syscall.EROFS,
	wire.StatusNotSupported:           syscall.EOPNOTSUPP,
	wire.StatusNotImplemented:         syscall.EOPNOTSUPP,
	wire.StatusInvalidDeviceRequest:   syscall.EOPNOTSUPP,
	wire.StatusInsufficientResources:  syscall.ENOMEM,
	wire.StatusTooManyOpenedFiles:     syscall.EMFILE,
	wire.StatusNotSameDevice:          syscall.EXDEV,
	wire.StatusTooManyLinks:           syscall.EMLINK,
	wire.StatusCancelled:              syscall.EINTR,
	wire.StatusIOTimeout:              syscall.ETIMEDOUT,
	wire.StatusFileClosed:             syscall.ESTALE,
	wire.StatusInvalidHandle:          syscall.ESTALE,
	wire.StatusNetworkNameDeleted:     syscall.ESTALE,
	wire.StatusUserSessionDeleted:     syscall.ESTALE,
	wire.StatusNetworkSessionExpired:  syscall.ESTALE,
	wire.StatusStoppedOnSymlink:       syscall.ELOOP,
	wire.StatusIOReparseTagNotHandled: syscall.EOPNOTSUPP,
	wire.StatusNotAReparsePoint:       syscall.EOPNOTSUPP, // what Samba says that stores none
	wire.StatusPathNotCovered:         syscall.EREMOTE,
}

// errno is what a local program is told of err.
func errno(err error) fuse.Status {
	if err == nil {
		return fuse.OK
	}
	if share.IsDown(err) {
		return fuse.Status(syscall.EHOSTDOWN)
	}
	if status, ok := smbclient.StatusOf(err); ok {
		if e, ok := statusErrno[status]; ok {
			return fuse.Status(e)
		}
		return fuse.EIO
	}
	var e syscall.Errno
	switch {
	case errors.Is(err, context.Canceled):
		return fuse.EINTR
	case errors.Is(err, context.DeadlineExceeded):
		return fuse.Status(syscall.ETIMEDOUT)
	case errors.Is(err, net.ErrClosed):
		return fuse.Status(syscall.EHOSTDOWN)
	case errors.As(err, &e):
		return fuse.Status(e)
	case errors.Is(err, fs.ErrClosed): // a file that could not be opened again
		return fuse.Status(syscall.ESTALE)
	case errors.Is(err, fs.ErrNotExist):
		return fuse.ENOENT
	}
	return fuse.EIO
}
