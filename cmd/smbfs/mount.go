package main

import (
	"context"
	"fmt"
	"log/slog"

	"smbfs/cache"
	"smbfs/fs"
	"smbfs/fs/inval"
	"smbfs/health"
	"smbfs/notify"
	"smbfs/notify/replay"
	"smbfs/share"
)

// Mounted is a mounted file system.
type Mounted interface {
	// Wait returns when the file system is unmounted, by whomever.
	Wait()
	// Unmount unmounts it, and fails without changing anything if it is in use.
	Unmount() error
	// Condition is one line on how it does. It takes the locks that everything else takes: if it hangs, so does the mount.
	Condition() string
}

// mounted is a mount with the two connections it stands on and what says how it does.
type mounted struct {
	*fs.FileSystem
	lines   lines
	monitor *monitor
}

// Wait also takes leave of the server.
func (m *mounted) Wait() {
	m.FileSystem.Wait()
	m.monitor.stop()
	m.monitor.share.Close()
	m.lines.close()
}

// Condition implements Mounted.
func (m *mounted) Condition() string {
	return condition(m.monitor.cfg.Source, m.monitor.Status())
}

// condition is one line on how a mount does, of which the first connection is the one for work.
func condition(source string, st health.Status) string {
	n := &st.Notify
	state := "connected, " + n.Text()
	switch {
	case !st.Connections[0].Up:
		state = "no connection: " + st.Connections[0].Error
	case n.Unseen > 0:
		state = fmt.Sprintf("unhealthy: %d directories that programs watch are neither notified nor compared", n.Unseen)
	case n.Mode != "poll":
		state = "connected, notify " + n.Mode
	case n.Why != "":
		state += ": " + n.Why
	}
	return source + ": " + state
}

// mount connects, logs on and mounts, and returns when the kernel sends requests. The context ends the attempt only: it is
// cancelled once mount has returned, and the mount lives on.
func mount(ctx context.Context, cfg Config, log *slog.Logger) (Mounted, error) {
	metrics, err := listenMetrics(&cfg)
	if err != nil {
		return nil, err
	}
	m, err := mountShare(ctx, cfg, log)
	if err != nil {
		if metrics != nil {
			metrics.Close()
		}
		return nil, err
	}
	m.monitor.start(metrics, log)
	if m.monitor.Status().Server.Guest {
		log.Warn("mounted as guest: nothing is signed or encrypted, somebody in between can read and change it")
	}
	return m, nil
}

func mountShare(ctx context.Context, cfg Config, log *slog.Logger) (*mounted, error) {
	l, err := openLines(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	recorder := new(health.Recorder)
	s := share.New(l.work, l.watch, cfg.Path)
	s.Spread(func(ctx context.Context, number int) (*share.Line, error) {
		return openWatches(ctx, cfg, fmt.Sprintf("watch %d", number), log)
	})
	f, err := fs.Mount(ctx, s, cfg.Mountpoint, fs.Options{
		Source:      cfg.Source,
		UID:         cfg.UID,
		GID:         cfg.GID,
		FileMode:    cfg.FileMode,
		DirMode:     cfg.DirMode,
		ReadOnly:    cfg.ReadOnly,
		AllowOther:  cfg.AllowOther,
		AttrTimeout: cfg.AttrTimeout,
		LocalLocks:  cfg.LocalLocks,
		Offline:     cfg.OfflineCached,
		MountFlags:  cfg.MountFlags,
		Notify: notify.Options{
			Mode:    notify.Mode(cfg.Notify),
			Budget:  cfg.NotifyMax,
			Poll:    cfg.PollInterval,
			Compare: cfg.CompareInterval,
			Pace:    cache.Pace{Modify: cfg.ModifyInterval, Rest: cfg.CloseWriteDelay},
			Trace:   recorder.Trace,
		},
		Logger: log,
	})
	if err != nil {
		s.Close()
		l.close()
		return nil, err
	}
	return &mounted{f, l, &monitor{Recorder: recorder, cfg: cfg, fs: f, share: s, lines: l}}, nil
}

// helperHook does not return if this process was started as a helper of a mount's: one that replays, or one that notifies the kernel.
func helperHook() {
	replay.RunIfHelper()
	inval.RunIfProcess()
}
