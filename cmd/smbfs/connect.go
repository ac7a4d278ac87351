package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"smbfs/share"
	"smbfs/smbclient"
	"smbfs/smbclient/auth"
	"smbfs/smbclient/wire"
)

// goodbye bounds what is said to the server when the mount has ended.
const goodbye = 3 * time.Second

// lines are the two connections that a mount begins with, made anew when they are lost. To the server they are two clients.
type lines struct{ work, watch *share.Line }

// openLines connects. A request for work waits for a lost connection, as hard and soft have it; the watches are told at once that
// theirs is lost, and again when it is back.
func openLines(ctx context.Context, cfg Config, log *slog.Logger) (l lines, err error) {
	wait := time.Duration(cfg.Retrans+1) * cfg.EchoInterval
	if cfg.Hard {
		wait = share.Forever
	}
	if l.work, err = openLine(ctx, cfg, share.LineOptions{Name: "work", Wait: wait, Logger: log}); err != nil {
		return lines{}, err
	}
	if l.watch, err = openWatches(ctx, cfg, "watch", log); err != nil {
		closeLines(l.work)
		return lines{}, err
	}
	return l, nil
}

func openWatches(ctx context.Context, cfg Config, name string, log *slog.Logger) (*share.Line, error) {
	return openLine(ctx, cfg, share.LineOptions{Name: name, Logger: log})
}

func openLine(ctx context.Context, cfg Config, o share.LineOptions) (*share.Line, error) {
	var guid wire.GUID
	if _, err := rand.Read(guid[:]); err != nil {
		return nil, err
	}
	o.Silence = 2 * cfg.EchoInterval
	o.Dial = func(ctx context.Context, previous uint64) (*smbclient.TreeConnect, error) {
		return connect(ctx, cfg, client{guid, previous}, o.Logger)
	}
	t, err := o.Dial(ctx, 0)
	if err != nil {
		return nil, err
	}
	return share.NewLine(t, o), nil
}

func (l lines) close() { closeLines(l.watch, l.work) }

func closeLines(list ...*share.Line) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	for _, l := range list {
		l.Close(ctx)
	}
}

// leave disconnects from the share, logs off and closes the connections.
func leave(trees ...*smbclient.TreeConnect) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	for _, t := range trees {
		_ = t.Disconnect(ctx)
		_ = t.Session().Logoff(ctx)
		t.Session().Close()
	}
}

// connectTwice makes the connection for work and that for watches, for who needs them once.
func connectTwice(ctx context.Context, cfg Config, log *slog.Logger) (work, watch *smbclient.TreeConnect, err error) {
	if work, err = connect(ctx, cfg, client{}, log); err != nil {
		return nil, nil, err
	}
	if watch, err = connect(ctx, cfg, client{}, log); err != nil {
		leave(work)
		return nil, nil, err
	}
	return work, watch, nil
}

// client is who connects, as the server knows it.
type client struct {
	guid     wire.GUID // zero: a new client
	previous uint64    // the session of its last connection
}

// connect makes one connection to the share. The name of the host is looked up each time.
func connect(ctx context.Context, cfg Config, as client, log *slog.Logger) (*smbclient.TreeConnect, error) {
	s, err := smbclient.Connect(ctx, smbclient.Config{
		Address: cfg.Address(),
		Server:  cfg.Host,
		Credentials: auth.Credentials{
			User:      cfg.Username,
			Domain:    cfg.Domain,
			Password:  auth.NewSecret(string(cfg.Password)),
			Anonymous: cfg.Anonymous,
		},
		MinDialect: wire.Dialect(cfg.MinDialect),
		MaxDialect: wire.Dialect(cfg.MaxDialect),
		Sign:       cfg.RequireSigning,
		Seal:       cfg.Seal,
		MaxRead:    int(cfg.ReadSize),
		MaxWrite:   int(cfg.WriteSize),
		Logger:     log,

		ClientGUID:      as.guid,
		PreviousSession: as.previous,
		EchoInterval:    cfg.EchoInterval,
		RequestTimeout:  3 * cfg.EchoInterval,
	})
	if err != nil {
		return nil, err
	}
	t, err := s.TreeConnect(ctx, cfg.Share)
	if err != nil {
		_ = s.Logoff(ctx)
		s.Close()
		return nil, err
	}
	return t, nil
}
