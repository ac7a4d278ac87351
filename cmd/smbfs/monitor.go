package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"smbfs/fs"
	"smbfs/health"
	"smbfs/share"
	"smbfs/smbclient"
)

// monitor says how a mount does: on its control socket and, if asked for, to Prometheus. It is the health.Source of both.
type monitor struct {
	*health.Recorder
	cfg     Config
	since   time.Time
	fs      *fs.FileSystem
	share   *share.Share
	lines   lines
	server  *health.Server  // nil: there is no control socket
	metrics *health.Metrics // nil: none are asked for
}

// metricsError is an address for metrics that cannot be used.
type metricsError struct {
	address string
	err     error
}

func (e metricsError) Error() string { return fmt.Sprintf("metrics=%s: %v", e.address, e.err) }
func (e metricsError) Unwrap() error { return e.err }

// listenMetrics opens the address of metrics=, before anything is mounted: what was asked for and cannot be had is an error.
func listenMetrics(cfg *Config) (net.Listener, error) {
	if cfg.Metrics == "" {
		return nil, nil
	}
	l, err := health.ListenMetrics(cfg.Metrics)
	if err != nil {
		return nil, metricsError{cfg.Metrics, err}
	}
	return l, nil
}

// start begins to answer. Without a control socket the mount goes on.
func (m *monitor) start(metrics net.Listener, log *slog.Logger) {
	m.since = time.Now()
	var err error
	if m.server, err = health.Serve(health.RuntimeDirectory(os.Geteuid()), m.cfg.Mountpoint, m, log); err != nil {
		log.Warn("there is no control socket: smbfs status and smbfs watch will not work for this mount", "err", err)
	}
	if metrics != nil {
		m.metrics = health.ServeMetrics(metrics, m.Status, m.Recorder, log)
	}
}

func (m *monitor) stop() {
	if m.server != nil {
		m.server.Close()
	}
	if m.metrics != nil {
		m.metrics.Close()
	}
}

// Status implements health.Source.
func (m *monitor) Status() health.Status {
	all, files := m.share.Connections(), m.share.FileStats()
	work := all[0]
	session := work.Tree.Session()
	helper := m.fs.HelperStatus()
	st := health.Status{
		Time: time.Now(),
		Mount: health.MountStatus{
			Source: m.cfg.Source, Mountpoint: m.cfg.Mountpoint, PID: os.Getpid(), Version: versionName(), Since: m.since,
		},
		Server: health.ServerStatus{
			Host: m.cfg.Host, Address: m.cfg.Address(), Share: m.cfg.Share, Dialect: session.Connection().Dialect().String(),
			Signing: session.Signing(), Encryption: encryption(work.Tree), Guest: session.Guest(),
		},
		Connections: connections(all),
		Files: health.FileStatus{
			Open: files.Open, Reconnected: files.Reconnected, Reopened: files.Reopened, Lost: files.Lost,
		},
		Offline: m.offlineStatus(),
		Helper: health.HelperStatus{
			PID: helper.Pid, Running: helper.Running, Restarts: helper.Restarts, Workers: helper.Workers, Stalled: helper.Stalled,
		},
		Memory: health.Memory(),
	}
	m.engineStatus(&st)
	return st
}

func (m *monitor) offlineStatus() health.OfflineStatus {
	s := m.fs.Offline()
	st := health.OfflineStatus{Setting: "wait", Now: s.Now, Answers: s.Answers}
	if m.cfg.OfflineCached {
		st.Setting = "cached"
	}
	if s.Now {
		st.Since = &s.Since
	}
	return st
}

// engineStatus fills in what the notification engine counts.
func (m *monitor) engineStatus(st *health.Status) {
	s := m.fs.Stats()
	st.Notify = health.NotifyStatus{
		Setting: m.cfg.Notify, Mode: string(s.Now), Why: s.Why, Every: s.Every.Seconds(), Watched: s.Watched, Pinned: s.Pinned, Polled: s.Polled, Unseen: s.Unseen, OverBudget: s.OverBudget, Budget: s.Budget,
		Listings: s.Listings, Notifications: s.Notifications, Overflows: s.Overflows,
		Comparisons: s.Comparisons, Found: s.Missed, Questions: s.Questions, Armed: s.Armed, Lost: s.Lost, Evicted: s.Evicted,
	}
	st.Events = health.EventStatus{Told: s.Told, Repeated: s.Repeated, Failed: s.Untold, Latency: m.LatencyStatus()}
}

// encryption says how the share's messages are encrypted, which the share can demand where the session does not.
func encryption(t *smbclient.TreeConnect) string {
	s := t.Session().Encryption()
	if t.Encrypted() || s == "none" {
		return s
	}
	return "none (" + s + ")"
}

func connections(all []share.LineStatus) []health.ConnectionStatus {
	list := make([]health.ConnectionStatus, len(all))
	for i, l := range all {
		list[i] = connection(l)
	}
	return list
}

func connection(l share.LineStatus) health.ConnectionStatus {
	c := l.Tree.Session().Connection()
	st := health.ConnectionStatus{Purpose: l.Name, Up: l.Up, Reconnects: l.Reconnects, LastReceived: l.LastReceived}
	traffic := c.Traffic()
	st.Messages, st.Sent, st.Received, st.Requests = traffic.Messages, traffic.Sent, traffic.Received, map[string]int64{}
	for command, n := range traffic.Requests {
		st.Requests[command.String()] = n
	}
	if l.Err != nil {
		st.Error = l.Err.Error()
	}
	return st
}

var _ health.Source = (*monitor)(nil)
