package share

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// Forever is a LineOptions.Wait without an end.
const Forever = time.Duration(-1)

// LineOptions say how a line is kept up.
type LineOptions struct {
	Name string // for who reads of it: "work", "watch", "watch 2"

	// Dial makes the connection anew, resolving the host again. previous is the session that the new one takes the place of. Nil: a
	// line that is lost stays lost.
	Dial func(ctx context.Context, previous uint64) (*smbclient.TreeConnect, error)

	// Wait is how long after the loss a request waits for the line to come back; zero: it fails at once.
	Wait time.Duration

	// Silence is how long nothing may have come from the server for the connection to count as one that works. Zero: twice the
	// interval at which package smbclient asks a silent server.
	Silence time.Duration

	Logger *slog.Logger // nil: slog.Default()
}

// Line is one connection to a share, made anew whenever it is lost: see redial.go. It has one goroutine, which Close ends.
type Line struct {
	opts   LineOptions
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	hurry  chan struct{} // capacity 1: the next attempt need not wait

	mu         sync.Mutex
	tree       *smbclient.TreeConnect // guarded by mu: the present one, or the last
	up         bool                   // guarded by mu
	err        error                  // guarded by mu: why the line is down
	since      time.Time              // guarded by mu: when it went up or down
	turned     chan struct{}          // guarded by mu: closed when it goes up or down
	reconnects int                    // guarded by mu
	watchers   []func(up bool)        // guarded by mu

	restore func(context.Context, *smbclient.TreeConnect) // guarded by mu: called before requests use a new connection
}

// NewLine begins with a connection that was made.
func NewLine(tree *smbclient.TreeConnect, opts LineOptions) *Line {
	l := &Line{opts: opts, log: opts.Logger, tree: tree, up: true, since: time.Now(), turned: make(chan struct{}), hurry: make(chan struct{}, 1)}
	if l.log == nil {
		l.log = slog.Default()
	}
	if l.opts.Silence == 0 {
		l.opts.Silence = 2 * smbclient.DefaultEchoInterval
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	if opts.Dial != nil {
		l.wg.Go(l.supervise)
	}
	return l
}

// Close ends the line: it takes leave of the server, as long as ctx allows, if the connection lives.
func (l *Line) Close(ctx context.Context) {
	l.cancel()
	l.wg.Wait()
	l.mu.Lock()
	t, up := l.tree, l.up
	l.mu.Unlock()
	if up {
		_ = t.Disconnect(ctx)
		_ = t.Session().Logoff(ctx)
	}
	t.Session().Close()
}

// hears reports whether the connection is known to work: the silence of watches on it means that nothing happened.
func (l *Line) hears() bool {
	st := l.Status()
	return st.Up && time.Since(st.LastReceived) < l.opts.Silence
}

// LineStatus is how a line does.
type LineStatus struct {
	Name         string
	Up           bool
	Err          error                  // why it is down
	Since        time.Time              // when it went up or down
	Reconnects   int                    // how often it came back
	LastReceived time.Time              // when the server was last heard
	Tree         *smbclient.TreeConnect // the present connection, or the last
}

// Status returns how the line does now.
func (l *Line) Status() LineStatus {
	l.mu.Lock()
	s := LineStatus{Name: l.opts.Name, Up: l.up, Err: l.err, Since: l.since, Reconnects: l.reconnects, Tree: l.tree}
	l.mu.Unlock()
	c := s.Tree.Session().Connection()
	s.LastReceived = c.LastReceived()
	if err := c.Err(); err != nil && s.Up {
		s.Up, s.Err = false, err
	}
	return s
}

// notify has f called whenever the line has gone up or down, by the line's goroutine or by one whose request failed: it must not wait.
func (l *Line) notify(f func(up bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers = append(l.watchers, f)
}

// restoreWith has f called with each new connection, before requests use it.
func (l *Line) restoreWith(f func(context.Context, *smbclient.TreeConnect)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.restore = f
}

// isUp reports whether a request would be sent at once.
func (l *Line) isUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}

// DownError says that the server cannot be reached. It matches net.ErrClosed, and not its cause: that the server refused to let us in
// again says nothing about the file that somebody asked for.
type DownError struct{ Cause error }

func (e *DownError) Error() string {
	if e.Cause == nil {
		return "the server cannot be reached"
	}
	return "the server cannot be reached: " + e.Cause.Error()
}

// Unwrap returns net.ErrClosed.
func (e *DownError) Unwrap() error { return net.ErrClosed }

// IsDown reports whether err says that the server cannot be reached.
func IsDown(err error) bool {
	var down *DownError
	return errors.As(err, &down)
}

type noWait struct{}

// AtOnce is ctx for requests that do not wait for a connection which is lost, whatever LineOptions.Wait says.
func AtOnce(ctx context.Context) context.Context { return context.WithValue(ctx, noWait{}, true) }

// get returns the present connection. If the line is down it waits for it, as long as Wait and ctx allow.
func (l *Line) get(ctx context.Context) (*smbclient.TreeConnect, error) {
	for {
		l.mu.Lock()
		t, up, turned, cause, since := l.tree, l.up, l.turned, l.err, l.since
		l.mu.Unlock()
		if up {
			return t, nil
		}
		if err := l.wait(ctx, turned, since, cause); err != nil {
			return nil, err
		}
	}
}

// wait waits until the line turns.
func (l *Line) wait(ctx context.Context, turned <-chan struct{}, since time.Time, cause error) error {
	if ctx.Value(noWait{}) != nil {
		return &DownError{cause}
	}
	var late <-chan time.Time
	if l.opts.Wait != Forever {
		rest := l.opts.Wait - time.Since(since)
		if rest <= 0 {
			return &DownError{cause}
		}
		timer := time.NewTimer(rest)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-turned:
		return nil
	case <-late:
	case <-l.ctx.Done():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return &DownError{cause}
}

// do has op carried out on the present connection, and again on the next one if the connection, or what the server had made of it, was
// lost under it. again says that an attempt was made whose outcome is not known: op has to be one that may be repeated, or has to find
// out first what came of it. A server that lets us in again and again only to say that we are not is as good as one that is away.
func (l *Line) do(ctx context.Context, op func(t *smbclient.TreeConnect, again bool) error) error {
	var since time.Time                // the first attempt failed
	var renewed *smbclient.TreeConnect // whose session was renewed
	for again := false; ; {
		t, err := l.get(ctx)
		if err != nil {
			return err
		}
		seen := t.Session().Authentications()
		err = op(t, again)
		switch {
		case smbclient.HasStatus(err, wire.StatusNetworkSessionExpired) && l.opts.Dial != nil:
			if renewed == t {
				l.lost(t, err)
			} else if err := l.renew(ctx, t, seen); err != nil {
				return err
			}
			renewed = t
		case l.lostUnder(t, err):
			again = true
		default:
			return err
		}
		if since.IsZero() {
			since = time.Now()
		}
		if l.opts.Wait != Forever && time.Since(since) > l.opts.Wait {
			return &DownError{err}
		}
	}
}

// renew authenticates the user again where the server says that the session has expired: what it refused it has not done. A session that
// cannot be renewed is of no use.
func (l *Line) renew(ctx context.Context, t *smbclient.TreeConnect, seen uint64) error {
	err := t.Session().Reauthenticate(ctx, seen)
	if err == nil || isLoss(err) || ctx.Err() != nil {
		l.log.Debug("the session had expired", "connection", l.opts.Name, "err", err)
		return context.Cause(ctx)
	}
	l.lost(t, err)
	return nil
}

// ask is do for an operation that may be repeated and has a result.
func ask[T any](ctx context.Context, l *Line, op func(t *smbclient.TreeConnect) (T, error)) (v T, err error) {
	err = l.do(ctx, func(t *smbclient.TreeConnect, _ bool) error {
		v, err = op(t)
		return err
	})
	return v, err
}

// lostUnder reports whether err is the loss of t, after which the request is worth another try, and has a new connection made if so.
func (l *Line) lostUnder(t *smbclient.TreeConnect, err error) bool {
	if err == nil || l.opts.Dial == nil || !isLoss(err) {
		return false
	}
	l.lost(t, err)
	return l.ctx.Err() == nil
}

// isLoss reports whether err says that the connection is gone, or the session, or the tree connect.
func isLoss(err error) bool {
	var lost *smbclient.ConnectionError
	return errors.As(err, &lost) ||
		smbclient.HasStatus(err, wire.StatusNetworkNameDeleted, wire.StatusUserSessionDeleted)
}
