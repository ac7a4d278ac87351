package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"smbfs/health"
)

// subcommands are told from a share by their names: a share begins with two slashes. As a mount helper there are none.
var subcommands = map[string]func(ctx context.Context, args []string, env passwordEnv) error{
	"status": runStatus,
	"watch":  runWatch,
	"doctor": runDoctor,
}

// errUnwell makes the exit code 1 where everything has been said.
var errUnwell = errors.New("not well")

// runSubcommand runs what the first argument names, up to the exit code; ok is false if it names none.
func runSubcommand(args []string, env passwordEnv) (code int, ok bool) {
	if len(args) < 2 || asMountHelper(args[0]) {
		return 0, false
	}
	run := subcommands[args[1]]
	if run == nil {
		return 0, false
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	err := run(ctx, args[2:], env)
	switch {
	case err == nil:
		return exitOK, true
	case !errors.Is(err, errUnwell):
		fmt.Fprintf(os.Stderr, "smbfs: %s\n", oneLine(err.Error()))
	}
	return exitUsage, true
}

// splitFlags separates flags, of which only those allowed may be there, from the rest.
func splitFlags(args []string, allowed ...string) (flags, rest []string, err error) {
	for i, a := range args {
		switch {
		case a == "--":
			return flags, append(rest, args[i+1:]...), nil
		case !strings.HasPrefix(a, "-"):
			rest = append(rest, a)
		case !slices.Contains(allowed, a):
			return nil, nil, usageError{fmt.Errorf("unknown option %s; it takes %s", a, strings.Join(allowed, " and "))}
		default:
			flags = append(flags, a)
		}
	}
	return flags, rest, nil
}

func mountinfo() (string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	return string(b), err
}

// findSmbfs finds the mount of ours that path lies in. The path's own words are tried before its symbolic links are followed: a mount
// that hangs answers no questions.
func findSmbfs(path string) (e mountEntry, below string, err error) {
	table, err := mountinfo()
	if err != nil {
		return e, "", err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return e, "", err
	}
	e, below, ok := inMount(table, abs)
	if !ok || e.fstype != smbfsType {
		if real, rerr := filepath.EvalSymlinks(abs); rerr == nil {
			e, below, ok = inMount(table, real)
		}
	}
	if !ok || e.fstype != smbfsType {
		return e, "", fmt.Errorf("%s is not in a mount of smbfs", path)
	}
	return e, below, nil
}

// ask asks the daemon of a mount. One that was mounted elsewhere and bound here answers under its first name.
func ask(ctx context.Context, e mountEntry) (*health.Status, error) {
	var st *health.Status
	err := atFirstName(e, func(point string) (err error) {
		st, err = health.Ask(ctx, point, e.owner)
		return err
	})
	return st, err
}

// atFirstName calls f with the mount point, and if no daemon answers for it with the others of the same file system.
func atFirstName(e mountEntry, f func(point string) error) error {
	err := f(e.mountpoint)
	if !errors.Is(err, health.ErrNoDaemon) {
		return err
	}
	table, terr := mountinfo()
	if terr != nil {
		return err
	}
	for _, other := range smbfsMounts(table) {
		if other.device != e.device || other.mountpoint == e.mountpoint {
			continue
		}
		if oerr := f(other.mountpoint); !errors.Is(oerr, health.ErrNoDaemon) {
			return oerr
		}
	}
	return err
}
