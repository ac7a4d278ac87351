package share

import (
	"context"
	"errors"
	"hash/fnv"
	"io/fs"
	"sync"
	"time"

	"smbfs/cache"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// Directory is a directory that is watched, by handles on the connection for watches. One has the
// CHANGE_NOTIFY request; by another, which is closed again in the same message or does not stay for
// long, the directory is asked and listed, one question at a time.
type Directory struct {
	share  *Share
	line   *Line // whose handles these are
	path   string
	id     uint64 // file id
	notify *smbclient.Open
	first  *early          // the first CHANGE_NOTIFY until Await; then nil
	mu     sync.Mutex      // held while a question is asked, also over the network: it is for nothing else
	ask    *smbclient.Open // guarded by mu; nil: opened when there is a question
	long   bool            // guarded by mu: the last listing did not fit in one message
	asked  time.Time       // guarded by mu: when there was the last one
	idle   *time.Timer     // guarded by mu
	closed bool            // guarded by mu
}

// Event is one change that a server told of.
type Event struct {
	Name   string
	Hint   cache.Hint
	Action wire.NotifyAction // in the server's words
}

// Notification is a completed CHANGE_NOTIFY.
type Notification struct {
	Events   []Event
	Said     []wire.NotifyEvent // the same as the server put it; nothing in it has been checked
	Overflow bool               // changes were lost, or not to be understood: the directory has to be listed
	Err      error              // the handle is of no use any more
}

// OpenDirectory opens the directory at path to be watched. The first CHANGE_NOTIFY travels in the same message; Await takes it up.
func (s *Share) OpenDirectory(ctx context.Context, path string) (*Directory, error) {
	d := &Directory{share: s, line: s.watches.take(ctx), path: path}
	if err := d.openToWatch(ctx); err != nil {
		s.watches.give(d.line)
		return nil, err
	}
	return d, nil
}

func (d *Directory) openToWatch(ctx context.Context) error {
	s := d.share
	o, err := ask(ctx, d.line, func(t *smbclient.TreeConnect) (*smbclient.Open, error) {
		d.first = &early{}
		o, _, err := t.CreateAndNotify(ctx, s.ServerPath(d.path), watchParams, smbclient.NotifyParams{}, deliverTo(d.first.put))
		return o, err
	})
	if err != nil {
		return err
	}
	e, err := s.describe(ctx, d.path, o)
	if err != nil {
		_, _ = o.Close(ctx)
		return err
	}
	o.Contexts = nil // they have said which directory it is, and would be kept as long as it is watched
	d.notify, d.id = o, e.FileID
	return nil
}

// early keeps what the first CHANGE_NOTIFY of a directory brings until somebody listens: who has opened it looks first at what that is.
type early struct {
	mu      sync.Mutex
	deliver func(Notification) // guarded by mu; nil: nobody listens yet
	came    *Notification      // guarded by mu
}

func (f *early) put(n Notification) {
	f.mu.Lock()
	deliver := f.deliver
	f.came = &n
	f.mu.Unlock()
	if deliver != nil {
		deliver(n)
	}
}

func (f *early) listen(deliver func(Notification)) {
	f.mu.Lock()
	f.deliver = deliver
	came := f.came
	f.mu.Unlock()
	if came != nil {
		deliver(*came)
	}
}

// Hears reports whether the directory's connection is known to work: the silence of its watch means that nothing happened.
func (d *Directory) Hears() bool { return d.line.hears() }

// FileID returns the server's id of the directory.
func (d *Directory) FileID() uint64 { return d.id }

// Path returns where the directory was when it was opened.
func (d *Directory) Path() string { return d.path }

// ErrMoved says that the directory is not where it was when it was opened: what its handles say
// of names in it cannot be believed, since some servers look them up by path.
var ErrMoved = errors.New("the directory has moved")

// verify makes sure that the directory is where it was. It is asked when a name seems to be gone.
func (d *Directory) verify(ctx context.Context) error {
	if d.path == "" {
		return nil
	}
	if !d.share.probes.Acquire(d.path) {
		return ErrMoved // or is about to
	}
	defer d.share.probes.Release(d.path)
	st, err := ask(ctx, d.line, func(t *smbclient.TreeConnect) (smbclient.FileStat, error) {
		return t.Stat(ctx, d.share.ServerPath(d.path), false)
	})
	switch {
	case IsGone(err), err == nil && st.FileID != d.id && st.FileID != 0:
		return ErrMoved
	}
	return err
}

// Await sends a CHANGE_NOTIFY, or takes up the first. deliver is called once, on the connection's goroutine, when it has completed, or by Await
// if the first has by now; it must not wait.
func (d *Directory) Await(ctx context.Context, deliver func(Notification)) error {
	if f := d.first; f != nil {
		d.first = nil
		f.listen(deliver)
		return nil
	}
	_, err := d.notify.StartChangeNotify(ctx, smbclient.NotifyParams{}, deliverTo(deliver))
	return err
}

func deliverTo(deliver func(Notification)) func(*smbclient.NotifyRequest) {
	return func(r *smbclient.NotifyRequest) { deliver(notification(r.Result())) }
}

// notification takes the result of a CHANGE_NOTIFY.
func notification(events []wire.NotifyEvent, err error) Notification {
	n := Notification{Said: events}
	switch {
	case errors.Is(err, smbclient.ErrNotifyEnumDir):
		n.Overflow = true
	case err != nil:
		return Notification{Err: err}
	}
	for _, e := range events {
		name, ok := localName(e.Name)
		if !ok || !Askable(e.Name) {
			n.Overflow = true
			continue
		}
		n.Events = append(n.Events, Event{name, hintOf(e.Action), e.Action})
	}
	return n
}

func hintOf(a wire.NotifyAction) cache.Hint {
	switch a {
	case wire.ActionAdded:
		return cache.HintAdded
	case wire.ActionRemoved, wire.ActionRemovedByDelete, wire.ActionRenamedOldName:
		return cache.HintRemoved
	case wire.ActionRenamedNewName:
		return cache.HintRenamed
	}
	return cache.HintModified
}

// Names asks for single names. Those that the server neither has nor denies are undecided: the
// directory has to be listed. asked may be called when the question is out, before its answer is waited for.
func (d *Directory) Names(ctx context.Context, names []string, asked func()) (answers []cache.Observation, undecided []string, err error) {
	on := make([]string, len(names))
	for i, n := range names {
		on[i] = serverName(n)
	}
	results, err := d.lookup(ctx, on, asked)
	if err != nil {
		return nil, nil, err
	}
	absent := false
	for i, r := range results {
		switch {
		case IsGone(r.Err):
			return nil, nil, r.Err // the directory itself
		case r.Err != nil:
			undecided = append(undecided, names[i])
		case r.Entry == nil || r.Entry.Name != on[i]: // gone, or there in another case alone
			absent = true
			answers = append(answers, cache.Observation{Name: names[i]})
		default:
			e := d.share.listed(d.path, names[i], r.Entry)
			answers = append(answers, cache.Observation{Name: names[i], Entry: &e})
		}
	}
	if absent {
		err = d.verify(ctx)
	}
	return answers, undecided, err
}

// Close closes both handles and waits for the server.
func (d *Directory) Close(ctx context.Context) {
	if !d.Standing() {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = d.notify.Close(ctx) })
	wg.Go(func() { d.closeAsk(ctx) })
	wg.Wait()
	d.share.watches.give(d.line)
}

// securityParts are the parts of a security descriptor that a user can change and may read:
// owner, group and discretionary access control list (MS-SMB2 2.2.37).
const securityParts = 0x1 | 0x2 | 0x4

// maxSecurity bounds a security descriptor, in bytes.
const maxSecurity = 64 << 10

// Security returns a digest of the security descriptor at path. Of what is being removed here
// there is none.
func (s *Share) Security(ctx context.Context, path string) (uint64, error) {
	if !s.probes.Acquire(path) {
		return 0, fs.ErrNotExist
	}
	defer s.probes.Release(path)
	sd, err := ask(ctx, s.lister(), func(t *smbclient.TreeConnect) ([]byte, error) {
		return t.QueryFile(ctx, s.ServerPath(path), wire.ReadControl|wire.FileReadAttributes, wire.InfoSecurity, 0, securityParts, maxSecurity)
	})
	if err != nil {
		return 0, err
	}
	h := fnv.New64a()
	_, _ = h.Write(sd)
	return h.Sum64(), nil
}
