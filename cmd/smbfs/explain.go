package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"smbfs/smbclient"
	"smbfs/smbclient/auth"
	"smbfs/smbclient/wire"
)

// Exit codes of mount(8) and its helpers.
const (
	exitOK     = 0
	exitUsage  = 1  // incorrect invocation or permissions
	exitSystem = 2  // this system cannot do it
	exitMount  = 32 // the mount failed
)

// explain turns any error that ends the command into one line, which says what is wrong and what to do about it, and an exit code. It
// goes by type and value, never by text, and never shows a password.
func explain(err error, cfg *Config) (line string, code int) {
	for _, part := range []func(error, *Config) (string, int){explainLocal, explainStatus, explainProtocol, explainErrno, explainNetwork} {
		if line, code := part(err, cfg); line != "" {
			return line, code
		}
	}
	return fmt.Sprintf("cannot mount %s: %v", cfg.Source, err), exitMount
}

// explainLocal is for what this command itself found.
func explainLocal(err error, cfg *Config) (string, int) {
	var (
		usage    usageError
		reported reportedError
		point    mountpointError
		fuse     fuseError
		creds    credentialsError
		logFile  logFileError
		metrics  metricsError
	)
	switch {
	case errors.As(err, &reported):
		return reported.line, reported.code
	case errors.As(err, &usage):
		return usage.Error(), exitUsage
	case errors.As(err, &point):
		return point.Error(), exitMount
	case errors.As(err, &fuse):
		return fuse.Error(), exitSystem
	case errors.As(err, &creds):
		return creds.Error(), exitSystem
	case errors.As(err, &logFile):
		return logFile.Error(), exitSystem
	case errors.As(err, &metrics):
		return metrics.Error(), exitSystem
	case errors.Is(err, errForced):
		return fmt.Sprintf("%s was ended while in use: a second signal came", cfg.Mountpoint), exitSystem
	case errors.Is(err, errInterrupted):
		return "interrupted; nothing is mounted", exitMount
	}
	return "", 0
}

// explainStatus is for what the server answered.
func explainStatus(err error, cfg *Config) (string, int) {
	status, ok := smbclient.StatusOf(err)
	if !ok {
		return "", 0
	}
	what, advice := describeStatus(status, cfg)
	return fmt.Sprintf("%s: %s (%v); %s", cfg.Source, what, status, advice), exitMount
}

func describeStatus(status wire.Status, cfg *Config) (what, advice string) {
	switch status {
	case wire.StatusLogonFailure, wire.StatusWrongPassword, wire.StatusNoSuchUser:
		if cfg.Anonymous {
			return "the server takes no anonymous users", "give username= and a password"
		}
		return fmt.Sprintf("wrong user name or password for %s", who(cfg)), "check username=, domain= and the password"
	case wire.StatusBadNetworkName, wire.StatusNetworkNameDeleted:
		return fmt.Sprintf("there is no share %q on %s", cfg.Share, cfg.Host), fmt.Sprintf("smbclient -L //%s lists the shares", cfg.Host)
	case wire.StatusAccessDenied, wire.StatusNetworkAccessDenied:
		return fmt.Sprintf("access denied for %s", who(cfg)), "use another user, or change the share's permissions on the server"
	case wire.StatusObjectNameNotFound, wire.StatusObjectPathNotFound, wire.StatusNoSuchFile, wire.StatusObjectNameInvalid, wire.StatusObjectPathSyntaxBad:
		return fmt.Sprintf("there is no directory %q in the share", cfg.Path), "check the path after the share's name"
	case wire.StatusNotADirectory, wire.StatusObjectTypeMismatch:
		return fmt.Sprintf("%q in the share is not a directory", cfg.Path), "check the path after the share's name"
	case wire.StatusBadDeviceType:
		return fmt.Sprintf("%q is not a share of files", cfg.Share), "printers and pipes cannot be mounted"
	case wire.StatusPathNotCovered:
		return "the path is a DFS link to another server", "mount that server's share instead"
	case wire.StatusNotSupported:
		return "the server refuses what is asked for", "check vers=, seal and sec="
	}
	return describeAccount(status, cfg)
}

func describeAccount(status wire.Status, cfg *Config) (what, advice string) {
	account := "ask the server's administrator"
	switch status {
	case wire.StatusAccountDisabled:
		return fmt.Sprintf("the account of %s is disabled", who(cfg)), account
	case wire.StatusAccountLockedOut:
		return fmt.Sprintf("the account of %s is locked", who(cfg)), "wait, or " + account
	case wire.StatusAccountExpired:
		return fmt.Sprintf("the account of %s has expired", who(cfg)), account
	case wire.StatusPasswordExpired, wire.StatusPasswordMustChange:
		return fmt.Sprintf("the password of %s has to be changed first", who(cfg)), "smbpasswd -r " + cfg.Host + " changes it"
	case wire.StatusAccountRestriction, wire.StatusInvalidLogonHours, wire.StatusInvalidWorkstation, wire.StatusLogonTypeNotGranted, wire.StatusPasswordRestriction:
		return fmt.Sprintf("the server does not let %s in from here now", who(cfg)), account
	case wire.StatusInsufficientResources, wire.StatusInsuffServerResources, wire.StatusRequestNotAccepted, wire.StatusTooManySessions, wire.StatusRemoteSessionLimit:
		return "the server has no room for another connection", "try later, or " + account
	}
	return "the server refuses", account
}

func who(cfg *Config) string {
	switch {
	case cfg.Anonymous:
		return "an anonymous user"
	case cfg.Domain != "":
		return fmt.Sprintf("user %q", cfg.Domain+`\`+cfg.Username)
	}
	return fmt.Sprintf("user %q", cfg.Username)
}

// explainProtocol is for servers that answer, but not so that a mount comes of it.
func explainProtocol(err error, cfg *Config) (string, int) {
	server := serverName(cfg)
	switch {
	case errors.Is(err, smbclient.ErrDialect):
		return fmt.Sprintf("%s does not speak %s; try another vers=, or leave it out", server, dialects(cfg)), exitMount
	case errors.Is(err, smbclient.ErrGuest) && cfg.Anonymous:
		return fmt.Sprintf("%s takes %s for a guest, who has no key to sign or encrypt with; leave sign and seal out, or mount as a user", server, who(cfg)), exitMount
	case errors.Is(err, smbclient.ErrGuest):
		return fmt.Sprintf("%s does not know %s and offers guest access instead; check the user name, or ask for it with -o guest", server, who(cfg)), exitMount
	case errors.Is(err, smbclient.ErrNoEncryption):
		return fmt.Sprintf("%s cannot encrypt; leave seal out, or use vers=3 or newer", server), exitMount
	case errors.Is(err, smbclient.ErrDowngrade), errors.Is(err, smbclient.ErrSignature):
		return fmt.Sprintf("the answers of %s were changed on the way or are not authentic (%v); do not trust this network", server, err), exitMount
	case errors.Is(err, auth.ErrNoMechanism):
		return fmt.Sprintf("%s offers no way to log on that smbfs has (NTLMSSP); enable NTLM there", server), exitMount
	case errors.Is(err, auth.ErrRejected):
		return fmt.Sprintf("%s rejected the log-on of %s; check username=, domain= and the password", server, who(cfg)), exitMount
	case errors.Is(err, smbclient.ErrProtocol):
		return fmt.Sprintf("%s does not answer as an SMB3 server (%v); check host and port", server, err), exitMount
	}
	return "", 0
}

// serverName is how to speak of the server: what was dialled, and the name it came from.
func serverName(cfg *Config) string {
	if cfg.Addr != "" {
		return fmt.Sprintf("%s (%s)", cfg.Host, cfg.Address())
	}
	return cfg.Address()
}

func dialects(cfg *Config) string {
	names := map[uint16]string{dialect210: "2.1", dialect300: "3.0", dialect302: "3.0.2", dialect311: "3.1.1"}
	if cfg.MinDialect == cfg.MaxDialect {
		return "SMB " + names[cfg.MinDialect]
	}
	return fmt.Sprintf("SMB %s to %s", names[cfg.MinDialect], names[cfg.MaxDialect])
}

// explainNetwork is for servers that do not answer at all.
func explainNetwork(err error, cfg *Config) (string, int) {
	server := serverName(cfg)
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("host %q is not known; check the name, or give its address with ip=", cfg.Host), exitMount
	case errors.As(err, &dns):
		return fmt.Sprintf("host %q cannot be looked up (the name server fails); give its address with ip=", cfg.Host), exitMount
	case errors.Is(err, unix.ECONNREFUSED):
		return fmt.Sprintf("%s refuses the connection; is an SMB server running there, on that port?", server), exitMount
	case errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTDOWN), errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Sprintf("%s cannot be reached; check the network and the address", server), exitMount
	case errors.Is(err, unix.EACCES) && isDial(err), errors.Is(err, unix.EPERM) && isDial(err):
		return fmt.Sprintf("a firewall on this machine forbids connecting to %s", server), exitMount
	case isTimeout(err):
		return fmt.Sprintf("%s does not answer; check the address, the network and firewalls", server), exitMount
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return fmt.Sprintf("%s closed the connection; is it an SMB server, and does it allow %s?", server, dialects(cfg)), exitMount
	}
	return "", 0
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, errNoAnswer) || errors.Is(err, smbclient.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, unix.ETIMEDOUT) || (errors.As(err, &ne) && ne.Timeout())
}

// explainErrno is for the kernel's refusal to mount, and what else fails on this side.
func explainErrno(err error, cfg *Config) (string, int) {
	var network *net.OpError
	var dns *net.DNSError
	if errors.As(err, &network) || errors.As(err, &dns) {
		return "", 0
	}
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Sprintf("mounting on %s is not permitted; run as root, or in a container allow mounts (CAP_SYS_ADMIN)", cfg.Mountpoint), exitSystem
	case errors.Is(err, unix.EBUSY):
		return fmt.Sprintf("mount point %s is busy; unmount what is there first", cfg.Mountpoint), exitMount
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return "too many open files on this machine; raise the limit (ulimit -n)", exitSystem
	case errors.Is(err, unix.ENOMEM):
		return "this machine is out of memory", exitSystem
	case errors.Is(err, unix.ENOTCONN):
		return fmt.Sprintf("the mount on %s ended at once; see the log (-f -v shows it)", cfg.Mountpoint), exitMount
	}
	return "", 0
}
