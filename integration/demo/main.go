// Command demo shows what smbfs is for: it starts a throw-away Samba server on a loopback port, mounts its share with the real smbfs,
// runs a recursive inotify watcher on the mount, makes changes in the server's own folder, and prints each change beside the events
// that reached the watcher, with the time each took since the change began.
//
// It leaves nothing behind, also when it is interrupted or its output is closed. With -local the watcher looks at the server's folder
// itself: the same story as any local program would see it.
//
// The main goroutine owns everything; a second one runs the story and ends with its context.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"smbfs/integration/testenv"
)

const (
	exitMissing     = 1   // an event did not come, or there was nothing to show it on
	exitInterrupted = 130 // as shells have it for SIGINT
)

func main() {
	local := flag.Bool("local", false, "watch the server's folder itself, without smbfs")
	flag.Parse()
	os.Exit(run(os.Stdout, *local))
}

func run(out io.Writer, local bool) int {
	signal.Ignore(unix.SIGPIPE) // a closed pipe is a write error, after which there is something to clean up
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sigs := make(chan os.Signal, 1)
	signal.Notify(sigs, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)

	done := make(chan error, 1)
	go func() { done <- demo(ctx, out, local) }()
	interrupted := false
	for {
		select {
		case <-sigs:
			if !interrupted {
				fmt.Fprintln(out, "\ninterrupted, cleaning up")
			}
			interrupted = true
			cancel()
		case err := <-done:
			switch {
			case interrupted:
				return exitInterrupted
			case err != nil:
				fmt.Fprintln(os.Stderr, "demo:", err)
				return exitMissing
			}
			return 0
		}
	}
}

// demo builds the stage, plays the story and takes the stage down again.
func demo(ctx context.Context, out io.Writer, local bool) (err error) {
	defer testenv.CleanUp()
	p := &printer{out: out}
	samba, err := testenv.StartSamba(testenv.Options{})
	if err != nil {
		return err
	}
	defer samba.Stop()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	watched := samba.Dir
	if !local {
		p.say("building and mounting smbfs ...")
		m, err := testenv.Mount(testenv.MountOptions{Samba: samba, Daemon: true})
		if err != nil {
			return err
		}
		defer m.Close()
		watched = m.Mountpoint
	}
	w, err := testenv.WatchInotify(watched, testenv.WatchOptions{})
	if err != nil {
		return err
	}
	defer w.Close()
	p.head(samba, watched, local)
	return errors.Join(tell(ctx, p, samba.Dir, w), p.err)
}
