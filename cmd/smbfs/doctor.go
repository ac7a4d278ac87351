package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"smbfs/health/doctor"
	"smbfs/smbclient"
)

const doctorUsage = "smbfs doctor [-o option,...] //host[:port]/share[/path]"

// runDoctor is smbfs doctor. It is well (exit code 0) if the server can be used and notifies every kind of change.
func runDoctor(ctx context.Context, args []string, env passwordEnv) error {
	if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		fmt.Println("Usage: " + doctorUsage)
		return nil
	}
	s, err := doctorSettings(args)
	if err != nil {
		return err
	}
	if err := s.complete(env, warn, askPassword); err != nil {
		return err
	}
	fmt.Printf("%s\n", oneLine(s.Source))
	work, watch, err := connectForDoctor(ctx, s.Config)
	if err != nil {
		line, _ := explain(err, &s.Config)
		fmt.Printf("  %-16s%s\n", "Connection", oneLine(line))
		return errUnwell
	}
	fmt.Printf("  %-16s%s\n", "Connection", "two connections and log-ons succeeded")
	defer leave(watch, work)
	r := doctor.Examine(ctx, doctor.Options{
		Work: work, Watch: watch, Prefix: s.Path, Out: os.Stdout, Setting: s.Notify,
		Reconnect: func(ctx context.Context) (*smbclient.TreeConnect, error) {
			return connect(ctx, s.Config, client{}, slog.New(slog.DiscardHandler))
		},
	})
	if !r.Healthy() {
		return errUnwell
	}
	return nil
}

// connectForDoctor makes the two connections of a mount.
func connectForDoctor(ctx context.Context, cfg Config) (work, watch *smbclient.TreeConnect, err error) {
	limited, cancel := context.WithTimeoutCause(ctx, connectTimeout, errNoAnswer)
	defer cancel()
	work, watch, err = connectTwice(limited, cfg, slog.New(slog.DiscardHandler))
	if err != nil && limited.Err() != nil {
		cause := context.Cause(limited)
		if ctx.Err() != nil {
			cause = errInterrupted
		}
		err = errors.Join(cause, err)
	}
	return work, watch, err
}

// doctorSettings reads a command line with a share and no mount point.
func doctorSettings(args []string) (*settings, error) {
	p := argParser{inv: &invocation{settings: settings{Config: defaultConfig()}}, rest: args}
	if err := p.run(); err != nil {
		return nil, usageError{err}
	}
	if len(p.plain) != 1 {
		return nil, usageError{fmt.Errorf("give one share: %s", strings.TrimSpace(doctorUsage))}
	}
	p.plain = append(p.plain, "/") // where a mount point stands; nothing is mounted
	if err := p.finish(); err != nil {
		return nil, usageError{err}
	}
	return &p.inv.settings, nil
}
