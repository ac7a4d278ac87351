package share

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

const (
	// dialTimeout bounds one attempt to connect, log on and connect to the share.
	dialTimeout = 10 * time.Second
	// restoreTimeout bounds the time for which requests wait for open files to be taken up again.
	restoreTimeout = 30 * time.Second
	// firstPause and lastPause bound the pause between two attempts, which doubles.
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
	// refusedPause is the pause after a refusal of the user: a server may lock the account of one who insists.
	refusedPause = 5 * time.Minute
	// stable is how long a connection has to last, and longer than the pause before it, for the pauses to begin anew.
	stable = firstPause * 5
)

// supervise makes the connection anew as often as it is lost. One attempt is made at a time.
func (l *Line) supervise() {
	failures, paused := 0, time.Duration(0)
	for {
		l.mu.Lock()
		t, up, turned, since := l.tree, l.up, l.turned, l.since
		l.mu.Unlock()
		if up {
			select {
			case <-t.Session().Connection().Done():
				l.lost(t, t.Session().Connection().Err())
			case <-turned:
			case <-l.ctx.Done():
				return
			}
			if time.Since(since) > max(stable, paused) {
				failures = 0
			}
			continue
		}
		if paused = pauseAfter(failures, l.cause()); !l.pause(paused) {
			return
		}
		failures++
		next, err := l.connect(t)
		if err != nil {
			l.failed(err, failures)
			continue
		}
		l.came(next)
	}
}

// lost takes note that t is of no use any more.
func (l *Line) lost(t *smbclient.TreeConnect, err error) {
	l.mu.Lock()
	if l.tree != t || !l.up || l.opts.Dial == nil {
		l.mu.Unlock()
		return
	}
	watchers := l.turn(false, err)
	l.mu.Unlock()
	if l.ctx.Err() == nil {
		l.log.Warn("connection lost", "connection", l.opts.Name, "err", err)
	}
	for _, f := range watchers {
		f(false)
	}
}

// turn notes that the line has gone up or down, and returns who is to be told. Preconditions: l.mu is held.
func (l *Line) turn(up bool, err error) []func(bool) {
	l.up, l.err, l.since = up, err, time.Now()
	close(l.turned)
	l.turned = make(chan struct{})
	return l.watchers
}

func (l *Line) cause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// pauseAfter is how long to wait before an attempt. The first is made at once.
func pauseAfter(failures int, last error) time.Duration {
	switch {
	case isRefusal(last):
		return refusedPause
	case failures == 0:
		return 0
	}
	d := min(firstPause<<min(failures-1, 16), lastPause)
	return d + time.Duration(rand.Int64N(int64(d)/4))
}

// retryNow ends the pause before the next attempt: another connection has just reached the server.
func (l *Line) retryNow() {
	if l.isUp() {
		return
	}
	select {
	case l.hurry <- struct{}{}:
	default:
	}
}

// pause waits so long, and reports false if the line is to end.
func (l *Line) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return l.ctx.Err() == nil
	case <-l.hurry:
		return l.ctx.Err() == nil
	case <-l.ctx.Done():
		return false
	}
}

// isRefusal reports whether the server refused the user rather than the moment.
func isRefusal(err error) bool {
	return errors.Is(err, smbclient.ErrGuest) || smbclient.HasStatus(err, wire.StatusLogonFailure, wire.StatusWrongPassword,
		wire.StatusAccountRestriction, wire.StatusAccountDisabled, wire.StatusAccountLockedOut, wire.StatusAccountExpired,
		wire.StatusPasswordExpired, wire.StatusPasswordMustChange, wire.StatusLogonTypeNotGranted)
}

// connect makes one attempt, and has what was open taken up again. A session that lives is used further: the share alone was lost then.
func (l *Line) connect(former *smbclient.TreeConnect) (*smbclient.TreeConnect, error) {
	ctx, cancel := context.WithTimeout(l.ctx, dialTimeout)
	defer cancel()
	old := former.Session()
	var t *smbclient.TreeConnect
	var err error
	if smbclient.HasStatus(l.cause(), wire.StatusNetworkNameDeleted) && old.Connection().Err() == nil {
		if t, err = old.TreeConnect(ctx, former.Share()); err != nil {
			return nil, err
		}
	} else {
		l.wg.Go(old.Close) // it waits for who answers a break of a lease, and they may wait for the new connection
		if t, err = l.opts.Dial(ctx, old.ID()); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	l.tree = t // the next attempt, should this one fail now, takes the place of this session
	restore := l.restore
	l.mu.Unlock()
	if restore != nil {
		ctx, cancel := context.WithTimeout(l.ctx, restoreTimeout)
		defer cancel()
		restore(ctx, t)
	}
	if err := t.Session().Connection().Err(); err != nil {
		return nil, err
	}
	return t, nil
}

// failed notes why an attempt failed.
func (l *Line) failed(err error, failures int) {
	if l.ctx.Err() != nil {
		return
	}
	l.mu.Lock()
	l.err = err
	l.mu.Unlock()
	switch {
	case isRefusal(err):
		l.log.Error("the server refuses to log the user on again", "connection", l.opts.Name, "err", err, "next", refusedPause)
	case failures == 1:
		l.log.Info("the server cannot be reached yet", "connection", l.opts.Name, "err", err)
	default:
		l.log.Debug("the server cannot be reached yet", "connection", l.opts.Name, "err", err, "attempts", failures)
	}
}

// came lets requests use a new connection.
func (l *Line) came(t *smbclient.TreeConnect) {
	l.mu.Lock()
	after := time.Since(l.since)
	l.tree = t
	l.reconnects++
	watchers := l.turn(true, nil)
	l.mu.Unlock()
	l.log.Info("reconnected", "connection", l.opts.Name, "after", after.Round(time.Millisecond))
	for _, f := range watchers {
		f(true)
	}
}
