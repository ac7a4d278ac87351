package share

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"syscall"

	"smbfs/cache"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// Opening says how to open a file.
type Opening struct {
	Read, Write, Delete bool
	Create, Exclusive   bool
	ReadOnly            bool            // of a file that is made
	Lease               smbclient.Lease // to ask for; zero: one that serves durability alone
	First               []byte          // room for the beginning of the content, to be read in the same message; nil: it is not
}

// access returns the rights an opening asks for.
func (o Opening) access() wire.AccessMask {
	a := wire.FileReadAttributes | wire.Synchronize
	if o.Read {
		a |= wire.FileReadData
	}
	if o.Write {
		a |= wire.FileWriteData | wire.FileAppendData | wire.FileWriteAttributes
	}
	if o.Delete {
		a |= wire.Delete
	}
	return a
}

func (o Opening) disposition() wire.CreateDisposition {
	switch {
	case o.Create && o.Exclusive:
		return wire.DispositionCreate
	case o.Create:
		return wire.DispositionOpenIf
	}
	return wire.DispositionOpen
}

// params are those of the CREATE.
func (o Opening) params() smbclient.CreateParams {
	return smbclient.CreateParams{
		Access:      o.access(),
		Attributes:  attributes(o.ReadOnly),
		Share:       wire.ShareAll,
		Disposition: o.disposition(),
		Options:     wire.OptionNonDirectoryFile | wire.OptionOpenReparsePoint,
		Contexts:    []wire.CreateContext{(&wire.QueryOnDiskIDRequest{}).Context()},
		Lease:       o.Lease,
	}
}

// keeping completes the parameters for one CREATE: the server keeps an open for a client that is gone only where it has a lease that
// tells it when somebody else is in the way (MS-SMB2 3.3.5.9.10).
func keeping(t *smbclient.TreeConnect, name string, p smbclient.CreateParams) smbclient.CreateParams {
	_, _ = rand.Read(p.Durable[:])
	if p.Lease.State != wire.LeaseNone {
		return p
	}
	if p.Lease = t.LeaseOn(name); p.Lease.Key == (wire.LeaseKey{}) {
		_, _ = rand.Read(p.Lease.Key[:])
	}
	p.Lease.State |= wire.LeaseRead | wire.LeaseHandle
	return p
}

// File is an open file. It survives the loss of the connection that it was opened on: see revive.go.
type File struct {
	share  *Share
	action wire.CreateAction
	first  []byte        // what was read in the message that opened it
	turn   chan struct{} // holds one token while somebody revives it

	mu      sync.Mutex
	where   func() (string, bool)  // guarded by mu: the file's path now
	open    *smbclient.Open        // guarded by mu
	seen    cache.Entry            // guarded by mu: what it was recognised by last
	closed  bool                   // guarded by mu
	refused *smbclient.TreeConnect // guarded by mu: where the open was not taken up again
	missing missing                // guarded by mu: where the file was not found
	locks   fileLocks              // guarded by mu

	written, flushed uint64    // guarded by mu: changes made; those that are on the server's disk
	unflushed        unflushed // guarded by mu: the rest
	disproved        uint64    // guarded by mu: what written was when the server was found not to have all
	doubt            bool      // guarded by mu: the server that had it may have lost it
}

// Open opens the file at path, and describes it.
func (s *Share) Open(ctx context.Context, path string, how Opening) (*File, cache.Entry, error) {
	server := s.ServerPath(path)
	var o *smbclient.Open
	var e cache.Entry
	var first []byte
	err := s.work.do(ctx, func(t *smbclient.TreeConnect, again bool) (err error) {
		if o, first, err = create(ctx, t, server, keeping(t, server, how.params()), how.First); err != nil {
			return collision("create", path, again && how.Exclusive, err)
		}
		if e, err = s.describe(ctx, path, o); err != nil {
			_, _ = o.Close(ctx)
		}
		return err
	})
	if err != nil {
		return nil, cache.Entry{}, err
	}
	f := &File{share: s, action: o.Action, first: first, turn: make(chan struct{}, 1), open: o, seen: e, unflushed: nothingUnflushed()}
	f.where = func() (string, bool) { return path, true }
	s.files.add(f)
	return f, e, nil
}

// create opens a file, and reads into the room there is for its beginning.
func create(ctx context.Context, t *smbclient.TreeConnect, name string, p smbclient.CreateParams, room []byte) (o *smbclient.Open, first []byte, err error) {
	if room == nil {
		o, err = t.Create(ctx, name, p)
		return o, nil, err
	}
	o, n, err := t.CreateAndRead(ctx, name, p, room)
	if err != nil || n < 0 {
		return o, nil, err
	}
	return o, room[:n], nil
}

// Follow has the file looked for where it says, when it has to be opened again.
func (f *File) Follow(where func() (path string, ok bool)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.where = where
}

// Action says whether the file was there when it was opened.
func (f *File) Action() wire.CreateAction { return f.action }

// First returns what was read in the message that opened the file: all that there was room for, or all that it has. It is nil if that
// was not asked for, or not possible.
func (f *File) First() []byte { return f.first }

// Lease returns the lease that the file has now: while its connection is lost, none.
func (f *File) Lease() smbclient.Lease {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.open.Lease()
	l.State = f.leaseState()
	return l
}

// leaseState is that of the lease that the file has now. Preconditions: mu is held.
func (f *File) leaseState() wire.LeaseState {
	if f.open.Tree().Session().Connection().Err() != nil {
		return wire.LeaseNone
	}
	return f.open.Lease().State
}

// do has op carried out on the open, and again on the one that takes its place if the connection is lost under it.
func (f *File) do(ctx context.Context, op func(o *smbclient.Open) error) error {
	return f.share.work.do(ctx, func(t *smbclient.TreeConnect, _ bool) error {
		o, err := f.on(ctx, t)
		if err != nil {
			return err
		}
		return op(o)
	})
}

// ReadAt is smbclient.Open.ReadAt.
func (f *File) ReadAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	err = f.do(ctx, func(o *smbclient.Open) error {
		n, err = o.ReadAt(ctx, p, off)
		return err
	})
	return n, err
}

// WriteAt is smbclient.Open.WriteAt. What a lost connection had carried over is written once more, to the same place.
func (f *File) WriteAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	f.changed()
	err = f.do(ctx, func(o *smbclient.Open) error {
		n, err = o.WriteAt(ctx, p, off)
		return err
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noteWritten(p, n, off)
	return n, err
}

// CopyFrom is smbclient.Open.CopyRange. What a lost connection had carried over is copied once more, to the same place.
func (f *File) CopyFrom(ctx context.Context, src *File, from, to, n int64) (copied int64, err error) {
	f.changed()
	err = f.do(ctx, func(o *smbclient.Open) error {
		s, err := src.on(ctx, o.Tree())
		if err != nil {
			return err
		}
		copied, err = o.CopyRange(ctx, s, from, to, n)
		return err
	})
	return copied, err
}

// SetEndOfFile sets the size, in bytes, and describes the file after it.
func (f *File) SetEndOfFile(ctx context.Context, size uint64) (cache.Entry, error) {
	f.changed()
	end := wire.FileEndOfFileInformation{EndOfFile: size}
	e, _, err := f.set(ctx, smbclient.Last{}, wire.ClassFileEndOfFile, end.Append(nil))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unflushed.resized(int64(size))
	return e, err
}

// SetBasic writes last, if there is any, and then sets times and attributes, in one message. n is how many bytes of last are written; if that
// is not all, err says why. What is set through the handle that wrote stays: the server would have its close, or a delayed update, move the
// time otherwise.
func (f *File) SetBasic(ctx context.Context, last smbclient.Last, b wire.FileBasicInformation) (e cache.Entry, n int, err error) {
	if len(last.Bytes) > 0 {
		f.changed()
	}
	e, n, err = f.set(ctx, last, wire.ClassFileBasic, b.Append(nil))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noteWritten(last.Bytes, n, last.Offset)
	return e, n, err
}

// set may be repeated: what it leaves does not depend on what was.
func (f *File) set(ctx context.Context, last smbclient.Last, class wire.InfoClass, input []byte) (e cache.Entry, n int, err error) {
	err = f.do(ctx, func(o *smbclient.Open) error {
		var st smbclient.FileStat
		if st, n, err = o.SetAndStat(ctx, last, class, input); err != nil {
			return err
		}
		e = f.share.entryOfStat(o.Name(), st)
		return nil
	})
	return e, n, err
}

// noteWritten takes what came of writing b, of which the server has n bytes. Preconditions: mu is held.
func (f *File) noteWritten(b []byte, n int, off int64) {
	if n < len(b) {
		f.unflushed.failed(off, int64(len(b)))
	}
	f.unflushed.wrote(b[:n], off)
}

// changed notes that there is something to be flushed.
func (f *File) changed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written++
}

// ErrDoubt says that what was written before the server went away may be lost: nobody can tell whether the server's memory survived.
// It matches EIO.
var ErrDoubt = errors.Join(errors.New("the server may have lost what was written before it went away"), syscall.EIO)

// Flush has the server bring to its disk what was written. It fails with ErrDoubt, once, if the server may have lost some of that, and does
// not have it. That is looked at last: the FLUSH may be the request that finds the connection lost.
func (f *File) Flush(ctx context.Context) error {
	f.mu.Lock()
	upTo := f.written
	f.mu.Unlock()
	if err := f.do(ctx, func(o *smbclient.Open) error { return o.Flush(ctx) }); err != nil {
		return err
	}
	err := f.certain(ctx)
	if err != nil && !errors.Is(err, ErrDoubt) {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flushed = max(f.flushed, upTo); f.flushed == f.written {
		f.unflushed = nothingUnflushed()
	}
	if err != nil {
		f.doubt = false
	}
	return err
}

// Settle is for a close(2): it fails as Flush does if what was written may not be on the server, without having it brought to the
// disk. It does so each time until a Flush has: a close of a descriptor's copy, of which fork and exec make many, tells nobody.
func (f *File) Settle(ctx context.Context) error {
	f.mu.Lock()
	clean := f.written == f.flushed && !f.doubt
	f.mu.Unlock()
	if clean {
		return nil
	}
	return f.certain(ctx)
}

// certain waits for the connection, and fails with ErrDoubt if the server may have lost something.
func (f *File) certain(ctx context.Context) error {
	if err := f.do(ctx, func(*smbclient.Open) error { return nil }); err != nil {
		return err
	}
	f.prove(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.doubt {
		return ErrDoubt
	}
	return nil
}

// Close closes the file. It does not wait for a connection that is lost: the server closes what nobody takes up again.
func (f *File) Close(ctx context.Context) (smbclient.CloseInfo, error) {
	f.share.files.remove(f)
	f.mu.Lock()
	f.closed = true
	o := f.open
	f.mu.Unlock()
	return o.Close(ctx)
}

// StatOpen asks about an open file.
func (s *Share) StatOpen(ctx context.Context, f *File) (e cache.Entry, err error) {
	err = f.do(ctx, func(o *smbclient.Open) error {
		e, err = s.statOpen(ctx, o)
		return err
	})
	return e, err
}

func (s *Share) statOpen(ctx context.Context, o *smbclient.Open) (cache.Entry, error) {
	st, err := o.Stat(ctx)
	if err != nil {
		return cache.Entry{}, err
	}
	return s.entryOfStat(o.Name(), st), nil
}

// Reopen opens again, at path, what f was and is closed now, and returns its file id too.
func (s *Share) Reopen(ctx context.Context, f *File, path string) (*File, uint64, error) {
	f.mu.Lock()
	p := f.open.Params()
	again := &File{share: s, action: f.action, turn: make(chan struct{}, 1), where: f.where,
		written: f.written, flushed: f.flushed, unflushed: f.unflushed, doubt: f.doubt, locks: f.locks.copy()}
	f.mu.Unlock()
	var err error
	again.open, err = ask(ctx, s.work, func(t *smbclient.TreeConnect) (*smbclient.Open, error) {
		o, e, err := s.openAgain(ctx, t, path, p)
		if err != nil {
			return nil, err
		}
		again.seen = e
		if err := again.relock(ctx, o); err != nil {
			_, _ = o.Close(context.WithoutCancel(ctx))
			return nil, err
		}
		return o, nil
	})
	if err != nil {
		return nil, 0, err
	}
	s.files.add(again)
	return again, again.seen.FileID, nil
}

// openAgain opens at path what was opened with p before.
func (s *Share) openAgain(ctx context.Context, t *smbclient.TreeConnect, path string, p smbclient.CreateParams) (*smbclient.Open, cache.Entry, error) {
	p.Disposition = wire.DispositionOpen
	server := s.ServerPath(path)
	o, err := t.Create(ctx, server, keeping(t, server, p))
	if err != nil {
		return nil, cache.Entry{}, err
	}
	e, err := s.describe(ctx, path, o)
	if err != nil {
		_, _ = o.Close(ctx)
		return nil, cache.Entry{}, err
	}
	return o, e, nil
}
