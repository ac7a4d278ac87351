package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Time-outs, so that a failing mount says so within ten seconds. Tests shorten them.
var (
	connectTimeout = 8 * time.Second        // for mount: connect, log on, mount
	abandonTimeout = 500 * time.Millisecond // for mount to return after its context ended
	readyTimeout   = 9500 * time.Millisecond
)

// Causes of a context's end.
var (
	errNoAnswer    = errors.New("no answer in time")
	errInterrupted = errors.New("interrupted")
	errForced      = errors.New("ended by a second signal before the mount was free")
)

// collectAt is by how much memory grows before what is not needed any more is collected, in percent. It is half of Go's own: most of what a mount
// keeps stays for long, and a hundred thousand watched directories are to fit.
const collectAt = 50

// mountFn is mount, or what a test puts in its place.
var mountFn = mount

// service is a mount while it is served.
type service struct {
	cfg     Config
	log     *slog.Logger
	manager *serviceManager
	sigs    chan os.Signal // SIGTERM and SIGINT
	m       Mounted
	ended   chan struct{} // closed when the file system is unmounted
}

// serve mounts, calls ready, and returns when the file system is unmounted. SIGTERM and SIGINT unmount it; a second one ends at once.
// SIGHUP opens the log file again.
func serve(cfg Config, log *slog.Logger, ready func() error) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	s := service{cfg: cfg, log: log, manager: findServiceManager(log), sigs: make(chan os.Signal, 4), ended: make(chan struct{})}
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, unix.SIGHUP)
	signal.Notify(s.sigs, unix.SIGTERM, unix.SIGINT)
	defer signal.Stop(s.sigs)

	var err error
	if s.m, err = start(cfg, log, s.sigs); err != nil {
		return err
	}
	log.Info("mounted", "mount", cfg)
	go func() {
		s.m.Wait()
		close(s.ended)
	}()
	if err := ready(); err != nil { // nobody waits for this mount any more
		log.Warn("the mount is given up", "err", err)
		return errors.Join(err, s.unmountAndWait())
	}
	s.manager.tell("READY=1")
	go s.manager.attend(s.m.Condition, s.ended)
	if err := s.untilEnd(reload); err != nil {
		return err
	}
	log.Info("unmounted", "mount", cfg)
	return nil
}

// untilEnd returns when the file system is unmounted, by whomever.
func (s *service) untilEnd(reload <-chan os.Signal) error {
	for {
		select {
		case <-s.ended:
			return nil
		case <-reload:
			s.reload()
		case sig := <-s.sigs:
			s.log.Info("unmounting", "signal", sig.String())
			return s.unmountAndWait()
		}
	}
}

// reload is what SIGHUP asks for.
func (s *service) reload() {
	s.manager.reloading()
	if err := reopenLog(s.log); err != nil {
		s.log.Error("the log goes on in the old file", "err", err)
	}
	s.manager.tell("READY=1")
}

// start calls mountFn with a context that ends after connectTimeout or with a signal, and does not wait for one that ignores it.
func start(cfg Config, log *slog.Logger, sigs <-chan os.Signal) (Mounted, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	limit := time.AfterFunc(connectTimeout, func() { cancel(errNoAnswer) })
	defer limit.Stop()

	type result struct {
		m   Mounted
		err error
	}
	results := make(chan result, 1)
	go func() { // abandoned only when the process ends
		m, err := mountFn(ctx, cfg, log)
		results <- result{m, err}
	}()
	for {
		select {
		case r := <-results:
			if r.err != nil && ctx.Err() != nil {
				return nil, errors.Join(context.Cause(ctx), r.err)
			}
			return r.m, r.err
		case <-sigs:
			cancel(errInterrupted)
		case <-ctx.Done():
			select {
			case r := <-results:
				if r.m != nil {
					_ = r.m.Unmount()
				}
				return nil, errors.Join(context.Cause(ctx), r.err)
			case <-time.After(abandonTimeout):
				return nil, context.Cause(ctx)
			}
		}
	}
}

// unmountAndWait unmounts; if the mount is in use it is detached, so that nobody new gets in, and served until the last user is gone
// or another signal comes.
func (s *service) unmountAndWait() error {
	s.manager.tell("STOPPING=1", "STATUS=unmounting")
	unmounted := make(chan error, 1)
	go func() { unmounted <- s.m.Unmount() }()
	for {
		select {
		case <-s.ended:
			return nil
		case err := <-unmounted:
			if err == nil {
				continue
			}
			s.log.Warn("the mount is in use: detached, served until its last user is gone; a second signal ends it now", "err", err)
			s.manager.tell("STATUS=in use: served until the last user is gone")
			if err := detach(s.cfg); err != nil {
				s.log.Error("cannot detach the mount", "err", err)
			}
		case <-s.sigs:
			s.log.Warn("a second signal: ended while in use")
			_ = detach(s.cfg)
			return errForced
		}
	}
}

// detach unmounts lazily, if what is mounted there is ours.
func detach(cfg Config) error {
	e, ok := mountAt(cfg.Mountpoint)
	if !ok || !strings.HasPrefix(e.fstype, "fuse") {
		return nil
	}
	if os.Geteuid() == 0 {
		return unix.Unmount(cfg.Mountpoint, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	}
	var err error
	for _, tool := range []string{"fusermount3", "fusermount"} {
		if err = exec.Command(tool, "-u", "-z", "--", cfg.Mountpoint).Run(); err == nil {
			return nil
		}
	}
	return err
}
