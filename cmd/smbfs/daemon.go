package main

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// daemonArg as the first argument makes the command the daemon: it reads its Config from descriptor configFD and writes its report to
// reportFD. The share and the mount point follow, for ps(1) only.
const (
	daemonArg = "--daemon"
	configFD  = 3
	reportFD  = 4
)

// report is what the daemon tells the command that started it, once.
type report struct {
	Failure string // "": mounted
	Code    int    // exit code for a failure
	Warning string
}

// reportedError is a failure that the daemon has already put into words.
type reportedError struct {
	line string
	code int
}

func (e reportedError) Error() string { return e.line }

// runDaemon starts the daemon and returns nil when a request on the mount has been answered.
func runDaemon(cfg Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, errNoAnswer)
	defer cancel()

	cmd, reports, err := startDaemon(cfg)
	if err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	select {
	case r := <-reports:
		if err := r.err(cmd); err != nil {
			return err
		}
		if r.Warning != "" && cfg.Verbose {
			warn(r.Warning)
		}
	case <-ctx.Done():
		giveUp(cmd, cfg)
		return endCause(ctx)
	}
	if err := firstRequest(ctx, cfg.Mountpoint); err != nil {
		giveUp(cmd, cfg)
		return err
	}
	return cmd.Process.Release()
}

// endCause tells the watchdog's end from a signal's.
func endCause(ctx context.Context) error {
	if err := context.Cause(ctx); errors.Is(err, errNoAnswer) {
		return err
	}
	return errInterrupted
}

// startDaemon starts the daemon in a session of its own and hands it the Config. The channel yields one
// report, not done if the daemon ended without any.
func startDaemon(cfg Config) (*exec.Cmd, <-chan daemonReport, error) {
	configR, configW, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer configR.Close()
	defer configW.Close()
	reportR, reportW, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer reportW.Close()

	cmd := exec.Command(selfPath())
	cmd.Args = []string{"smbfs", daemonArg, cfg.Source, cfg.Mountpoint}
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr // for a crash before the report; the daemon leaves it then
	cmd.ExtraFiles = []*os.File{configR, reportW}
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		reportR.Close()
		return nil, nil, err
	}
	if err := gob.NewEncoder(configW).Encode(cfg); err != nil {
		reportR.Close()
		_ = cmd.Process.Kill()
		return nil, nil, err
	}
	reports := make(chan daemonReport, 1)
	go func() { // ends with the daemon's report or the daemon
		defer reportR.Close()
		var r daemonReport
		r.done = gob.NewDecoder(reportR).Decode(&r.report) == nil
		reports <- r
	}()
	return cmd, reports, nil
}

type daemonReport struct {
	report
	done bool
}

func (r daemonReport) err(cmd *exec.Cmd) error {
	switch {
	case !r.done:
		_ = cmd.Process.Kill()
		err := cmd.Wait()
		return fmt.Errorf("the daemon ended before the mount was ready (%v)", err)
	case r.Failure != "":
		return reportedError{r.Failure, r.Code}
	}
	return nil
}

// selfPath is this program, also if its file was replaced meanwhile.
func selfPath() string {
	if p, err := os.Executable(); err == nil {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return "/proc/self/exe"
}

// firstRequest asks the new mount for its root. The daemon must not do this itself: it would wait for its own answer.
func firstRequest(ctx context.Context, mountpoint string) error {
	answered := make(chan error, 1)
	go func() { // ends when the daemon answers or dies
		_, err := os.Lstat(mountpoint)
		answered <- err
	}()
	select {
	case err := <-answered:
		if err != nil {
			return fmt.Errorf("the mount does not answer: %w", err)
		}
		return nil
	case <-ctx.Done():
		return endCause(ctx)
	}
}

// giveUp ends a daemon that did not get ready and removes what it may have mounted.
func giveUp(cmd *exec.Cmd, cfg Config) {
	_ = cmd.Process.Signal(unix.SIGTERM)
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(abandonTimeout):
		_ = cmd.Process.Kill() // the kernel then aborts the mount, so nothing waits for it
	}
	_ = detach(cfg)
}
