package smbclient

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"

	"smbfs/smbclient/wire"
)

// Errors that a caller branches on, besides *Error.
var (
	// ErrNotifyEnumDir says that changes were too many to be told: the directory has to be listed again. It stands for
	// STATUS_NOTIFY_ENUM_DIR and for a success without an entry (MS-SMB2 3.3.4.4, 3.2.5.16).
	ErrNotifyEnumDir = errors.New("changes were lost, list the directory again")

	// ErrProtocol says that the server broke the protocol. It ends the connection.
	ErrProtocol = errors.New("the server broke the protocol")

	// ErrSignature says that a message was not signed, or not encrypted, or not as it has to be. It ends the connection.
	ErrSignature = errors.New("a message of the server is not authentic")

	// ErrTimeout says that the server did not answer in time. It ends the connection.
	ErrTimeout = errors.New("the server does not answer")

	// ErrGuest says that the server let the user in as guest or anonymously, which nobody had asked for.
	ErrGuest = errors.New("the server refused the user and offers guest access instead")

	// ErrDialect says that client and server have no dialect in common.
	ErrDialect = errors.New("no common dialect")

	// ErrNoEncryption says that encryption is required here and the server cannot do it.
	ErrNoEncryption = errors.New("the server cannot encrypt")

	// ErrDowngrade says that the negotiation was tampered with (MS-SMB2 3.2.5.5). It ends the connection.
	ErrDowngrade = errors.New("the negotiation was tampered with")

	// ErrListingTooLong says that a listing went beyond MaxListEntries or MaxListBytes.
	ErrListingTooLong = errors.New("the listing does not end")

	// ErrInvalidName says that a name cannot be used in a request: a NUL or a slash in it, a backslash in front, or a
	// wildcard where the request would take it for a pattern.
	ErrInvalidName = errors.New("invalid name")
)

// Error is the answer of a server that refused an operation.
type Error struct {
	Op     string // operation, such as "create" or "set info"
	Name   string // what it was about, as the caller named it; may be empty
	Status wire.Status
}

func (e *Error) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Status)
	}
	return fmt.Sprintf("%s %q: %v", e.Op, e.Name, e.Status)
}

// Is makes errors.Is work for fs.ErrNotExist, fs.ErrExist, fs.ErrPermission and ErrNotifyEnumDir.
func (e *Error) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return isNotExist(e.Status)
	case fs.ErrExist:
		return e.Status == wire.StatusObjectNameCollision
	case fs.ErrPermission:
		return isPermission(e.Status)
	case ErrNotifyEnumDir:
		return e.Status == wire.StatusNotifyEnumDir
	}
	status, ok := any(target).(wire.Status)
	return ok && status == e.Status
}

// isNotExist names the statuses that say: nothing has that name. STATUS_DELETE_PENDING is not among them: the name is still
// taken.
func isNotExist(s wire.Status) bool {
	switch s {
	case wire.StatusNoSuchFile, wire.StatusObjectNameNotFound, wire.StatusObjectPathNotFound,
		wire.StatusNotFound, wire.StatusBadNetworkName:
		return true
	}
	return false
}

func isPermission(s wire.Status) bool {
	switch s {
	case wire.StatusAccessDenied, wire.StatusNetworkAccessDenied, wire.StatusPrivilegeNotHeld, wire.StatusCannotDelete,
		wire.StatusMediaWriteProtected, wire.StatusInvalidOwner, wire.StatusLogonFailure:
		return true
	}
	return false
}

// StatusOf returns the server's answer in err, if there is one.
func StatusOf(err error) (wire.Status, bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Status, true
	}
	return 0, false
}

// HasStatus reports whether err is the server's answer and one of statuses.
func HasStatus(err error, statuses ...wire.Status) bool {
	s, ok := StatusOf(err)
	return ok && slices.Contains(statuses, s)
}

// ConnectionError is why a connection ended. It matches net.ErrClosed and its cause.
type ConnectionError struct{ Cause error }

func (e *ConnectionError) Error() string { return "connection lost: " + e.Cause.Error() }

// Unwrap returns the cause and net.ErrClosed.
func (e *ConnectionError) Unwrap() []error { return []error{e.Cause, net.ErrClosed} }

// errClosedByUs is the cause of a connection that was closed on purpose.
var errClosedByUs = errors.New("closed")

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}
