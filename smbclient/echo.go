package smbclient

import (
	"context"
	"fmt"
	"time"

	"smbfs/smbclient/wire"
)

// extendedTimeout bounds a request that had its interim response, CHANGE_NOTIFY aside. Windows clients use the same (MS-SMB2
// 3.2.6.1, product behaviour: ExtendedSessTimeout).
const extendedTimeout = 1000 * time.Second

// Bounds of the timer's tick.
const (
	minTick = 10 * time.Millisecond
	maxTick = time.Second
)

// timerLoop watches over all requests and over the connection's silence.
func (c *Connection) timerLoop() {
	tick := min(max(min(c.cfg.RequestTimeout, c.cfg.EchoInterval)/8, minTick), maxTick)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var starved time.Time // since when
	for {
		select {
		case <-ticker.C:
		case <-c.done:
			return
		}
		now := time.Now()
		err := c.checkTimeouts(now)
		switch {
		case !c.credit.starved():
			starved = time.Time{}
		case starved.IsZero():
			starved = now
		case now.Sub(starved) >= c.cfg.RequestTimeout:
			err = errNoCredits
		}
		if err != nil {
			c.fail(err)
			return
		}
		c.keepAlive(now)
	}
}

// checkTimeouts looks for a request that has waited too long.
func (c *Connection) checkTimeouts(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.progress.look(c.answers, c.socket)
	for _, r := range c.pending {
		if c.overdue(r, now) {
			return fmt.Errorf("%w: %v after %v", ErrTimeout, r.command, now.Sub(r.sentAt).Round(time.Millisecond))
		}
	}
	return nil
}

// progress is what shows that the transport works: an answer, or so much of one. Who sends a byte now and then shows nothing.
type progress struct {
	answers  uint64
	received int64
	at       time.Time // when the last of it came
}

// look takes note of what has come.
func (p *progress) look(answers uint64, s *socket) {
	if received := s.received.Load(); answers != p.answers || received-p.received >= creditUnit {
		*p = progress{answers, received, s.lastReadTime()}
	}
}

// overdue decides about one request. On a slow transport the server may not have seen it yet: as long as there is progress, its clock
// starts only when the server has answered something that was sent after it. Even then the response may be on its way behind
// all that others have asked for: so it counts as lost if little has come since, or more than could be in front of it.
//
// Preconditions: mu is held.
func (c *Connection) overdue(r *request, now time.Time) bool {
	if r.interim {
		return r.command != wire.CommandChangeNotify && now.Sub(r.evidenceAt) >= extendedTimeout
	}
	received := c.socket.received.Load()
	if r.evidenceAt.IsZero() && r.messageID < c.lastID {
		r.evidenceAt, r.evidence = now, received
	}
	if !r.evidenceAt.IsZero() && now.Sub(r.evidenceAt) >= c.cfg.RequestTimeout {
		since := received - r.evidence
		return since < creditUnit || since > creditTarget*creditUnit
	}
	since := r.sentAt
	if c.progress.at.After(since) {
		since = c.progress.at
	}
	return now.Sub(since) >= c.cfg.RequestTimeout
}

// keepAlive sends an ECHO after EchoInterval of silence (MS-SMB2 3.2.4.25), unless one is under way.
func (c *Connection) keepAlive(now time.Time) {
	c.mu.Lock()
	s := c.echoSession
	due := s != nil && !c.echoing && now.Sub(c.progress.at) >= c.cfg.EchoInterval
	c.echoing = c.echoing || due
	c.mu.Unlock()
	if !due {
		return
	}
	// In a goroutine: a write that blocks must not stop the clock.
	c.spawn(func() {
		c.echo(s)
		c.mu.Lock()
		c.echoing = false
		c.mu.Unlock()
	})
}

// echo sends an ECHO and waits for its response, or the end of the connection. Without a credit there are requests outstanding, which
// have time-outs of their own.
func (c *Connection) echo(s *Session) {
	if !c.credit.tryAcquire(1) {
		return
	}
	m := single(s, 0, newRequest(wire.CommandEcho, &wire.EchoRequest{}))
	if c.sendCharged(context.Background(), m) == nil {
		<-m.requests[0].done
	}
}

// Echo asks the server whether it is there.
func (c *Connection) Echo(ctx context.Context) error {
	c.mu.Lock()
	s := c.echoSession
	c.mu.Unlock()
	m := single(s, 0, newRequest(wire.CommandEcho, &wire.EchoRequest{}))
	if err := c.roundTrip(ctx, m); err != nil {
		return opError("echo", err)
	}
	return statusError("echo", "", &m.requests[0].response)
}
