package notify

import (
	"context"
	"errors"
	"time"
)

// A connection for watches that fails again and again must cost notification alone: everything is compared then, by the connection
// for work, and the way back is tried after a pause that grows.

const (
	// watchesDownMost is how long the connection for watches may be down while that for work is up.
	watchesDownMost = 3 * time.Second
	// lossesMost is how often it may be lost within lossWindow while that for work stays up.
	lossesMost = 4
	lossWindow = 30 * time.Second
	// firstRetry is the first pause before notification is tried again; it doubles up to askAgainAfter.
	firstRetry = 10 * time.Second
)

// errWatchConnection is why notification is given up though the server has not refused it.
var errWatchConnection = errors.New("the connection for watches fails again and again")

// breaker counts the failures of the connection for watches. Guarded by Engine.mu.
type breaker struct {
	downAt time.Time   // since when it is down, as keep has seen it; zero: it is up
	losses []time.Time // the last ones, lossesMost at most
	retry  time.Duration
	gaveUp time.Time // when the connection was last given up
}

// lost takes note that the connection was lost.
func (b *breaker) lost(now time.Time) {
	if len(b.losses) == lossesMost {
		b.losses = b.losses[1:]
	}
	b.losses = append(b.losses, now)
}

// fails reports whether the connection is to be given up for a while. up says whether it is up now, and steady since when
// that for work has been up without a break (zero: it is down).
func (b *breaker) fails(now time.Time, up bool, steady time.Time) bool {
	switch {
	case up:
		b.downAt = time.Time{}
	case b.downAt.IsZero():
		b.downAt = now
	}
	if steady.IsZero() {
		return false
	}
	down := !b.downAt.IsZero() && now.Sub(b.downAt) >= watchesDownMost && now.Sub(steady) >= watchesDownMost
	flaps := len(b.losses) == lossesMost && now.Sub(b.losses[0]) <= lossWindow && b.losses[0].After(steady)
	return down || flaps
}

// pause is how long notification is not tried after the connection was given up once more. After a long time without that the pauses
// begin anew.
func (b *breaker) pause(now time.Time) time.Duration {
	if now.Sub(b.gaveUp) > 2*askAgainAfter {
		b.retry = 0
	}
	b.losses, b.gaveUp = nil, now
	b.retry = min(max(2*b.retry, firstRetry), askAgainAfter)
	return b.retry
}

// checkWatchConnection gives notification up for a while if its connection fails while the server can be reached. The server is asked
// over the connection for work: that nothing has been heard of its loss yet proves nothing.
func (e *Engine) checkWatchConnection(now time.Time) {
	e.mu.Lock()
	fails := e.breaker.fails(now, e.share.WatchesUp(), e.share.SteadySince()) && e.notifiable() && !e.byTree
	e.mu.Unlock()
	if !fails {
		return
	}
	ctx, cancel := context.WithTimeout(e.ctx, keepEvery)
	defer cancel()
	if _, err := e.share.Root(ctx); err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refuse(errWatchConnection)
	e.refusedFor = e.breaker.pause(now)
}
