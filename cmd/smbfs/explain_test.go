package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"smbfs/smbclient"
	"smbfs/smbclient/auth"
	"smbfs/smbclient/wire"
)

func dialError(err error) error {
	return fmt.Errorf("connect: %w", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)})
}

func statusError(op string, s wire.Status) error {
	return fmt.Errorf("mount: %w", &smbclient.Error{Op: op, Status: s})
}

func TestExplain(t *testing.T) {
	cfg := defaultConfig()
	cfg.Source, cfg.Host, cfg.Share, cfg.Path, cfg.Mountpoint = "//host/share/dir", "host", "share", "dir", "/mnt"
	cfg.Username, cfg.Domain, cfg.Password = "bob", "DOM", "very-secret"
	for name, tc := range map[string]struct {
		err  error
		code int
		says []string
	}{
		"wrong password":   {statusError("session setup", wire.StatusLogonFailure), 32, []string{`wrong user name or password for user "DOM\\bob"`, "STATUS_LOGON_FAILURE"}},
		"unknown share":    {statusError("tree connect", wire.StatusBadNetworkName), 32, []string{`no share "share" on host`, "smbclient -L //host"}},
		"access denied":    {statusError("tree connect", wire.StatusAccessDenied), 32, []string{"access denied for user", "permissions"}},
		"unknown path":     {statusError("create", wire.StatusObjectNameNotFound), 32, []string{`no directory "dir"`}},
		"path is a file":   {statusError("create", wire.StatusNotADirectory), 32, []string{`"dir" in the share is not a directory`}},
		"printer":          {statusError("tree connect", wire.StatusBadDeviceType), 32, []string{"not a share of files"}},
		"DFS":              {statusError("create", wire.StatusPathNotCovered), 32, []string{"DFS"}},
		"disabled":         {statusError("session setup", wire.StatusAccountDisabled), 32, []string{"disabled", "administrator"}},
		"locked":           {statusError("session setup", wire.StatusAccountLockedOut), 32, []string{"locked", "wait"}},
		"account expired":  {statusError("session setup", wire.StatusAccountExpired), 32, []string{"account", "expired"}},
		"password expired": {statusError("session setup", wire.StatusPasswordExpired), 32, []string{"has to be changed", "smbpasswd"}},
		"hours":            {statusError("session setup", wire.StatusInvalidLogonHours), 32, []string{"does not let"}},
		"no resources":     {statusError("session setup", wire.StatusInsufficientResources), 32, []string{"no room", "try later"}},
		"not supported":    {statusError("negotiate", wire.StatusNotSupported), 32, []string{"vers="}},
		"other status":     {statusError("negotiate", wire.StatusInternalError), 32, []string{"the server refuses", "STATUS_INTERNAL_ERROR"}},

		"dialect":        {fmt.Errorf("x: %w", smbclient.ErrDialect), 32, []string{"host:445 does not speak SMB 2.1 to 3.1.1", "vers="}},
		"guest":          {smbclient.ErrGuest, 32, []string{"guest access instead", "-o guest"}},
		"no encryption":  {smbclient.ErrNoEncryption, 32, []string{"cannot encrypt", "seal"}},
		"downgrade":      {smbclient.ErrDowngrade, 32, []string{"do not trust this network"}},
		"signature":      {&smbclient.ConnectionError{Cause: smbclient.ErrSignature}, 32, []string{"not authentic"}},
		"no mechanism":   {auth.ErrNoMechanism, 32, []string{"NTLMSSP"}},
		"rejected":       {auth.ErrRejected, 32, []string{"rejected the log-on", "password"}},
		"not SMB":        {&smbclient.ConnectionError{Cause: smbclient.ErrProtocol}, 32, []string{"does not answer as an SMB3 server", "host and port"}},
		"server hung up": {&smbclient.ConnectionError{Cause: io.EOF}, 32, []string{"closed the connection"}},
		"reset":          {fmt.Errorf("read: %w", unix.ECONNRESET), 32, []string{"closed the connection"}},

		"unknown host":   {fmt.Errorf("x: %w", &net.DNSError{Err: "no such host", Name: "host", IsNotFound: true}), 32, []string{`host "host" is not known`, "ip="}},
		"no name server": {&net.DNSError{Err: "timeout", Name: "host", IsTimeout: true}, 32, []string{"cannot be looked up", "ip="}},
		"refused":        {dialError(unix.ECONNREFUSED), 32, []string{"host:445 refuses the connection", "port"}},
		"unreachable":    {dialError(unix.EHOSTUNREACH), 32, []string{"host:445 cannot be reached", "network"}},
		"no network":     {dialError(unix.ENETUNREACH), 32, []string{"cannot be reached"}},
		"firewall":       {dialError(unix.EPERM), 32, []string{"firewall", "host:445"}},
		"connect time":   {dialError(unix.ETIMEDOUT), 32, []string{"does not answer"}},
		"dial time-out":  {fmt.Errorf("x: %w", context.DeadlineExceeded), 32, []string{"does not answer"}},
		"watchdog":       {errors.Join(errNoAnswer, context.Canceled), 32, []string{"does not answer"}},
		"keep-alive":     {&smbclient.ConnectionError{Cause: smbclient.ErrTimeout}, 32, []string{"does not answer"}},

		"not permitted": {&os.SyscallError{Syscall: "mount", Err: unix.EPERM}, 2, []string{"/mnt", "CAP_SYS_ADMIN"}},
		"busy":          {&os.SyscallError{Syscall: "mount", Err: unix.EBUSY}, 32, []string{"/mnt is busy"}},
		"too many":      {&os.PathError{Op: "open", Path: "/dev/fuse", Err: unix.EMFILE}, 2, []string{"ulimit"}},
		"dead mount":    {fmt.Errorf("x: %w", unix.ENOTCONN), 32, []string{"ended at once", "log"}},

		"interrupted": {errors.Join(errInterrupted, dialError(unix.ECONNREFUSED)), 32, []string{"interrupted"}},
		"forced":      {errForced, 2, []string{"second signal"}},
		"from daemon": {reportedError{"as it was", 7}, 7, []string{"as it was"}},
		"unforeseen":  {errors.New("something\nnew"), 32, []string{"cannot mount //host/share/dir: something"}},
	} {
		line, code := explain(tc.err, &cfg)
		if code != tc.code {
			t.Errorf("%s: exit code %d, want %d", name, code, tc.code)
		}
		for _, s := range tc.says {
			if !strings.Contains(line, s) {
				t.Errorf("%s: %q is missing in: %s", name, s, line)
			}
		}
		if strings.Contains(line, "very-secret") || strings.Contains(oneLine(line), "\n") {
			t.Errorf("%s: %s", name, line)
		}
	}
}

func TestExplainNamesWhatWasAsked(t *testing.T) {
	cfg := defaultConfig()
	cfg.Host, cfg.Addr, cfg.MinDialect, cfg.MaxDialect, cfg.Anonymous = "host", "192.0.2.1", dialect302, dialect302, true
	for _, tc := range []struct {
		err  error
		says string
	}{
		{smbclient.ErrDialect, "host (192.0.2.1:445) does not speak SMB 3.0.2"},
		{statusError("session setup", wire.StatusLogonFailure), "no anonymous users"},
		{statusError("tree connect", wire.StatusAccessDenied), "an anonymous user"},
	} {
		if line, _ := explain(tc.err, &cfg); !strings.Contains(line, tc.says) {
			t.Errorf("%q is missing in: %s", tc.says, line)
		}
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine(" a\nb\x1b[31mc\t\u0085d "); got != "a b [31mc  d" {
		t.Errorf("%q", got)
	}
}
