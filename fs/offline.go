package fs

import (
	"context"
	"sync"
	"time"

	"smbfs/share"
)

// offline counts what is answered from memory because the server cannot be reached.
type offline struct {
	mu      sync.Mutex
	since   time.Time // guarded by mu; zero: not now
	answers int64     // guarded by mu
}

// OfflineStatus says whether questions are answered from memory because the server cannot be reached.
type OfflineStatus struct {
	Now     bool
	Since   time.Time // of the first such answer, if they are now
	Answers int64     // so far
}

// Offline returns how it is now.
func (f *FileSystem) Offline() OfflineStatus {
	o := &f.offline
	o.mu.Lock()
	defer o.mu.Unlock()
	return OfflineStatus{!o.since.IsZero(), o.since, o.answers}
}

// fromMemory has ask answered by the server. If that cannot be reached and Options.Offline is set, memory answers in its place; what it does not
// know waits for the server, or fails, like any other request.
func fromMemory[T any](ctx context.Context, f *FileSystem, ask func(context.Context) (T, error), memory func() (T, bool)) (T, error) {
	if !f.opts.Offline {
		return ask(ctx)
	}
	v, err := ask(share.AtOnce(ctx))
	if !share.IsDown(err) {
		return v, err
	}
	v, ok := memory()
	if !ok {
		return ask(ctx)
	}
	f.remembered()
	return v, nil
}

// remembered counts an answer, and says in the log that such answers have begun.
func (f *FileSystem) remembered() {
	o := &f.offline
	o.mu.Lock()
	o.answers++
	first := o.since.IsZero()
	if first {
		o.since = time.Now()
	}
	o.mu.Unlock()
	if !first {
		return
	}
	f.log.Warn("the server cannot be reached: directories that were watched are shown as they were")
	if f.share.Reachable() { // since before anybody could be told
		f.reached(true)
	}
}

// reached is told when the connection for work goes down or comes back.
func (f *FileSystem) reached(up bool) {
	o := &f.offline
	o.mu.Lock()
	since := o.since
	if up {
		o.since = time.Time{}
	}
	o.mu.Unlock()
	if up && !since.IsZero() {
		f.log.Warn("the server is reached again: directories are shown as they are", "after", time.Since(since).Round(time.Millisecond))
	}
}
