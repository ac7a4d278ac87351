package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// notice is one event of a notification, or an overflow.
type notice struct {
	wire.NotifyEvent
	at time.Time
}

// listener collects what is notified of one directory.
type listener struct {
	open *smbclient.Open
	tree bool

	mu      sync.Mutex
	notices []notice      // guarded by mu: not looked at yet
	lost    bool          // guarded by mu: the server said that changes were lost
	err     error         // guarded by mu: nothing more comes
	news    chan struct{} // capacity 1
}

var directoryParams = smbclient.CreateParams{
	Access:      wire.FileListDirectory | wire.FileReadAttributes | wire.Synchronize,
	Share:       wire.ShareAll,
	Disposition: wire.DispositionOpen,
	Options:     wire.OptionDirectoryFile,
}

// listen opens a directory on the watching connection and begins to collect.
func (d *doctor) listen(ctx context.Context, dir string, tree bool) (*listener, error) {
	o, err := d.Watch.Create(ctx, dir, directoryParams)
	if err != nil {
		return nil, err
	}
	l := &listener{open: o, tree: tree, news: make(chan struct{}, 1)}
	if err := l.await(ctx); err != nil {
		l.close(ctx)
		return nil, err
	}
	return l, nil
}

func (l *listener) await(ctx context.Context) error {
	_, err := l.open.StartChangeNotify(ctx, smbclient.NotifyParams{WatchTree: l.tree}, l.notified)
	return err
}

// notified runs on the connection's goroutine.
func (l *listener) notified(n *smbclient.NotifyRequest) {
	at := time.Now()
	events, err := n.Result()
	lost := errors.Is(err, smbclient.ErrNotifyEnumDir)
	if err == nil || lost {
		err = l.await(context.Background())
	}
	l.mu.Lock()
	for _, e := range events {
		l.notices = append(l.notices, notice{e, at})
	}
	l.lost = l.lost || lost
	l.err = err
	l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default:
	}
}

func (l *listener) close(ctx context.Context) { _, _ = l.open.Close(context.WithoutCancel(ctx)) }

// refused is the server's refusal of the request.
func (l *listener) refused() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := smbclient.StatusOf(l.err); ok {
		return l.err
	}
	return nil
}

// errSilent says that what was waited for did not come.
var errSilent = errors.New("not notified")

// wait waits until an event satisfies want, and drops all that came before it.
func (l *listener) wait(ctx context.Context, patience time.Duration, want func(wire.NotifyEvent) bool) (time.Time, error) {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		l.mu.Lock()
		i := slices.IndexFunc(l.notices, func(n notice) bool { return want(n.NotifyEvent) })
		var at time.Time
		if i >= 0 {
			at = l.notices[i].at
			l.notices = l.notices[i+1:]
		}
		err := l.err
		l.mu.Unlock()
		switch {
		case i >= 0:
			return at, nil
		case err != nil:
			return at, fmt.Errorf("the watch ended: %w", err)
		}
		select {
		case <-l.news:
		case <-limit.C:
			return at, errSilent
		case <-ctx.Done():
			return at, context.Cause(ctx)
		}
	}
}

// quiet waits until nothing has come for a while, or for as long as patience lasts, and forgets what has.
func (l *listener) quiet(ctx context.Context, patience time.Duration) {
	const rest = 200 * time.Millisecond
	for end := time.Now().Add(patience); time.Now().Before(end) && ctx.Err() == nil; {
		select {
		case <-l.news:
			continue
		case <-time.After(rest):
		case <-ctx.Done():
		}
		break
	}
	l.mu.Lock()
	l.notices = nil
	l.mu.Unlock()
}

// awaken makes files until one is notified: a server may say that it watches before it does.
func (d *doctor) awaken(ctx context.Context, l *listener) error {
	const probes = 6
	for i := range probes {
		name := fmt.Sprintf("probe%d", i)
		if err := d.make(ctx, join(d.dir, name), false); err != nil {
			return err
		}
		_, err := l.wait(ctx, d.Patience/probes, func(e wire.NotifyEvent) bool { return e.Action == wire.ActionAdded })
		if err != errSilent {
			return err
		}
	}
	return errSilent
}
