// Command smbfs mounts an SMB3 share through FUSE and makes remote changes visible to local watchers.
//
// This package is the only place where all parts meet, and only mount.go, monitor.go and doctor.go know them. The rest is the command itself:
//
//   - args.go, options*.go, source.go, creds.go, password.go: from arguments to a Config. One table (options_table.go) drives parsing,
//     --help, the manual page and the README's list.
//   - wipe.go: a password given in the arguments or the environment is overwritten before anything else happens.
//   - preflight.go: what can be checked without the server.
//   - daemon.go, child.go: without -f the command starts itself again as a daemon. The Config goes to it through a pipe, what becomes
//     of the mount comes back through another. The command returns when a request on the mount has been answered.
//   - serve.go: from mounting to unmounting, the same for daemon and foreground; owns the signals.
//   - sdnotify.go: what the service manager is told meanwhile.
//   - monitor.go: what a mount says of itself, to package health.
//   - subcommand.go, status.go, watch.go, doctor.go: the other half of that, and what can be asked of a server without a mount.
//   - explain.go: from any error to the one line that the user sees, and to mount(8)'s exit codes.
//
// Goroutines: serve owns one that mounts, one that waits for the end, one that unmounts and one that tells the service manager; runDaemon owns one that reads the daemon's
// report. Each ends with its process at the latest. There are no locks.
//
// What must never be done: put a password into an argument, the environment, a log or an error; ask anything of a mount point from the
// process that serves it.
package main

import (
	"fmt"
	"os"
	"strings"
	"unicode"
)

func main() {
	helperHook() // does not return in a helper process
	args := takeArgs()
	if isDaemonChild(args) {
		os.Exit(daemonMain())
	}
	env := takePasswordEnv()
	wipeEnviron()
	if code, ok := runSubcommand(args, env); ok {
		os.Exit(code)
	}
	os.Exit(run(args, env))
}

// run is the command, up to its exit code.
func run(args []string, env passwordEnv) int {
	inv, err := parseArgs(args)
	if err != nil {
		return fail(err, &Config{})
	}
	switch {
	case inv.help:
		fmt.Print(helpText())
		return exitOK
	case inv.version:
		fmt.Println(versionText())
		return exitOK
	}
	if err := prepare(inv, env); err != nil {
		return fail(err, &inv.Config)
	}
	switch {
	case inv.fake:
		return exitOK
	case inv.foreground:
		err = runForeground(inv.Config)
	default:
		err = runDaemon(inv.Config)
	}
	if err != nil {
		return fail(err, &inv.Config)
	}
	return exitOK
}

// prepare does everything that needs neither server nor mount; asking for the password comes last.
func prepare(inv *invocation, env passwordEnv) (err error) {
	if inv.Mountpoint, err = findMountpoint(inv.target); err != nil {
		return err
	}
	if err := checkFUSE(&inv.Config); err != nil {
		return err
	}
	return inv.complete(env, warn, askPassword)
}

func runForeground(cfg Config) error {
	log, _, err := openLog(cfg, true)
	if err != nil {
		return err
	}
	return serve(cfg, log, func() error { return nil })
}

// fail prints the one line for an error and gives the exit code.
func fail(err error, cfg *Config) int {
	line, code := explain(err, cfg)
	fmt.Fprintf(os.Stderr, "smbfs: %s\n", oneLine(line))
	return code
}

func warn(msg string) { fmt.Fprintf(os.Stderr, "smbfs: warning: %s\n", oneLine(msg)) }

// oneLine replaces what would break a line or steer a terminal: parts of a message can come from the server.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(s))
}
