package share

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"

	"smbfs/cache"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// When the connection has been made anew, each open file is taken up again before other requests use it. The server has kept what is
// durable: nothing has happened to such a file that we would not know. Of any other file only the name is left. What is there is opened if it
// is the same file; but the server may be another process than the one that took our writes, so what was not flushed is in doubt.

// files are those that are open.
type files struct {
	mu   sync.Mutex
	open map[*File]struct{} // guarded by mu

	reconnected, reopened, lost atomic.Int64
}

// FileStats counts open files that outlived a connection, or did not.
type FileStats struct {
	Open        int
	Reconnected int64 // taken up again: the server had kept them
	Reopened    int64 // opened again by name
	Lost        int64 // gone, or replaced by another file
}

// FileStats returns the counters as they are now.
func (s *Share) FileStats() FileStats {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	return FileStats{len(s.files.open), s.files.reconnected.Load(), s.files.reopened.Load(), s.files.lost.Load()}
}

func (fs *files) add(f *File) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.open == nil {
		fs.open = map[*File]struct{}{}
	}
	fs.open[f] = struct{}{}
}

func (fs *files) remove(f *File) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	delete(fs.open, f)
}

func (fs *files) all() []*File {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	list := make([]*File, 0, len(fs.open))
	for f := range fs.open {
		list = append(list, f)
	}
	return list
}

// atOnce is how many files are taken up again at a time.
const atOnce = 32

// restore takes up again, on a new connection, all files that are open: first those that the server may have kept, since opening any
// file by name can make it give up one that waits for us.
func (s *Share) restore(ctx context.Context, t *smbclient.TreeConnect) {
	s.hearBreaks(t)
	open := s.files.all()
	if len(open) == 0 {
		return
	}
	for _, step := range []func(*File) error{
		func(f *File) error { return f.reconnect(ctx, t) },
		func(f *File) error { _, err := f.on(ctx, t); return err },
	} {
		var wg sync.WaitGroup
		turns := make(chan struct{}, atOnce)
		for _, f := range open {
			turns <- struct{}{}
			wg.Go(func() {
				_ = step(f) // counted and told where the file is used
				<-turns
			})
		}
		wg.Wait()
	}
	st := s.FileStats()
	s.work.log.Info("open files", "open", st.Open, "reconnected", st.Reconnected, "reopened", st.Reopened, "lost", st.Lost)
}

// on returns the open on t, which is made if the file is still open on another connection.
func (f *File) on(ctx context.Context, t *smbclient.TreeConnect) (*smbclient.Open, error) {
	f.mu.Lock()
	o, closed, forfeited := f.open, f.closed, f.locks.lost
	f.mu.Unlock()
	switch {
	case closed:
		return nil, fs.ErrClosed
	case forfeited:
		return nil, ErrLockLost
	case o.Tree() == t:
		return o, nil
	}
	if err := f.reconnect(ctx, t); err != nil {
		return nil, err
	}
	return f.reopen(ctx, t)
}

// begin takes the token, for who revives the file. It reports false if that has been done.
func (f *File) begin(ctx context.Context, t *smbclient.TreeConnect) (bool, error) {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	f.mu.Lock()
	done := f.closed || f.open.Tree() == t
	f.mu.Unlock()
	if done {
		<-f.turn
	}
	return !done, nil
}

// reconnect takes the open up again if the server has kept it. If it has not, that is no error.
func (f *File) reconnect(ctx context.Context, t *smbclient.TreeConnect) error {
	if todo, err := f.begin(ctx, t); !todo {
		return err
	}
	defer func() { <-f.turn }()
	f.mu.Lock()
	former, where, refused := f.open, f.where, f.refused
	f.mu.Unlock()
	if former.Durability == smbclient.NotDurable || refused == t {
		return nil
	}
	path, ok := where()
	if !ok {
		return nil
	}
	o, err := t.Reconnect(ctx, former, f.share.ServerPath(path))
	if _, answered := smbclient.StatusOf(err); err != nil && !answered {
		return err
	}
	if err != nil {
		f.share.work.log.Debug("the server has not kept an open file", "path", path, "err", err)
		f.mu.Lock()
		f.refused = t
		f.mu.Unlock()
		return nil
	}
	if o.Lease().State&wire.LeaseWrite == 0 {
		if err := f.push(ctx, o, false); errors.Is(err, ErrLockLost) {
			_ = f.forfeit(err)
		} else if err != nil {
			return err
		}
	}
	f.share.files.reconnected.Add(1)
	f.take(o)
	return nil
}

// take makes o the file's open. One that was closed meanwhile is closed on the server too.
func (f *File) take(o *smbclient.Open) {
	f.mu.Lock()
	closed := f.closed
	f.open, f.missing = o, missing{}
	f.mu.Unlock()
	if closed {
		go func() { _, _ = o.Close(context.Background()) }() // ends with the connection at the latest
	}
}

// reopen opens the file by its name, if what is there is the same file.
func (f *File) reopen(ctx context.Context, t *smbclient.TreeConnect) (*smbclient.Open, error) {
	todo, err := f.begin(ctx, t)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	former, where, seen, last := f.open, f.where, f.seen, f.missing
	f.mu.Unlock()
	if !todo {
		return former, nil
	}
	defer func() { <-f.turn }()
	path, ok := where()
	at := missing{t, path}
	switch {
	case at == last:
		return nil, syscall.ESTALE
	case !ok:
		return nil, f.lose(at, fs.ErrNotExist)
	}
	o, e, err := f.share.openAgain(ctx, t, path, former.Params())
	if err != nil {
		if _, answered := smbclient.StatusOf(err); !answered {
			return nil, err
		}
		return nil, f.lose(at, err)
	}
	if !sameFile(seen, e) {
		_, _ = o.Close(ctx)
		return nil, f.lose(at, errReplaced)
	}
	if err := f.relock(ctx, o); err != nil {
		_, _ = o.Close(context.WithoutCancel(ctx))
		if errors.Is(err, ErrLockLost) {
			return nil, f.forfeit(err)
		}
		return nil, err
	}
	f.share.files.reopened.Add(1)
	f.mu.Lock()
	f.seen = e
	f.doubt = f.doubt || f.written > f.flushed
	f.mu.Unlock()
	f.take(o)
	return o, nil
}

// sameFile reports whether what is at the name is the file that was open there. A file id alone proves nothing: servers use those of
// removed files again.
func sameFile(was, is cache.Entry) bool {
	return was.FileID == is.FileID && (was.Created == is.Created || was.Size == is.Size && was.Write == is.Write)
}

// missing is where a file was looked for in vain. It is looked for again elsewhere, should it become known that it is there, and on the
// next connection.
type missing struct {
	tree *smbclient.TreeConnect
	path string
}

// errReplaced says that another file has the name.
var errReplaced = errors.New("another file has its name")

// lose notes that the file is not to be found.
func (f *File) lose(at missing, err error) error {
	f.mu.Lock()
	first := f.missing.tree == nil
	f.missing = at
	f.mu.Unlock()
	if first {
		f.share.files.lost.Add(1)
		f.share.work.log.Warn("an open file is lost to the programs that have it open", "path", at.path, "err", err)
	}
	return syscall.ESTALE
}
