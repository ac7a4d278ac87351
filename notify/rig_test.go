package notify

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"smbfs/cache"
	"smbfs/notify/marks"
	"smbfs/share"
	"smbfs/smbclient"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// rig is an engine on a scripted server, with a file system and a kernel that do as they are told.
// It lives in a synctest bubble.
type rig struct {
	t      *testing.T
	server *smbtest.Server
	share  *share.Share
	tree   *cache.Tree
	engine *Engine
	log    *lockedBuffer
	marks  *fakeMarks
	conns  []*heldConn // to the server: for work, and for watches

	withheld *silence      // of the script
	pending  chan struct{} // of the script: closed when an own operation has ended

	mu   sync.Mutex
	told []string // guarded by mu
	at   []time.Time
	fail func(*cache.Change) error // what Tell does instead of telling if it returns an error; nil: nothing
}

// newRig starts a server, which prepare may script, and an engine on it.
func newRig(t *testing.T, opts Options, prepare func(*smbtest.Server)) *rig {
	t.Helper()
	return newRigOn(t, share.LineOptions{}, opts, prepare)
}

// newRigOn is newRig with lines that are to be kept up.
func newRigOn(t *testing.T, line share.LineOptions, opts Options, prepare func(*smbtest.Server)) *rig {
	t.Helper()
	r := &rig{t: t, server: smbtest.NewServer(smbtest.Options{}), log: &lockedBuffer{}, marks: &fakeMarks{}}
	if prepare != nil {
		prepare(r.server)
	}
	ctx := context.Background()
	var trees []*smbclient.TreeConnect
	for range 2 {
		s, err := smbclient.Connect(ctx, smbclient.Config{Address: "server:445", Dial: r.dial, Credentials: r.server.Credentials()})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := s.TreeConnect(ctx, smbtest.Share)
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree)
	}
	work, watch := share.NewLine(trees[0], line), share.NewLine(trees[1], line)
	r.share = share.New(work, watch, "")
	root, err := r.share.Root(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r.tree = cache.New(root, HoldFor)
	opts.Logger = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	opts.Marks = r.marks
	r.engine = New(r.share, r.tree, r, opts)
	t.Cleanup(func() {
		r.engine.Close(ctx)
		for _, l := range []*share.Line{work, watch} {
			l.Status().Tree.Session().Close()
			l.Close(ctx)
		}
		r.server.Close()
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
	return r
}

// Tell does what the file system does when the kernel has carried the call out.
func (r *rig) Tell(_ context.Context, c *cache.Change) error {
	if r.fail != nil {
		if err := r.fail(c); err != nil {
			return err
		}
	}
	if _, ok := r.tree.Commit(c, c.Op == cache.Create); !ok {
		return ErrStale
	}
	line := fmt.Sprint(c.Op, " ", r.path(c.From))
	if c.To.Dir != 0 {
		line += " " + r.path(c.To)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, line)
	r.at = append(r.at, time.Now())
	return nil
}

func (r *rig) Move(*cache.Change) {}

func (r *rig) DropPages(cache.ID) {}

func (r *rig) path(p cache.Place) string {
	dir, _ := r.tree.ToldPath(p.Dir)
	return strings.TrimPrefix(dir+"/"+p.Name, "/")
}

// look does what a local program's lookup of a path does, component by component. What it finds is
// held by the kernel, and directories are in use.
func (r *rig) look(path string) cache.ID {
	r.t.Helper()
	dir := cache.RootID
	for name := range strings.SplitSeq(path, "/") {
		if name == "" {
			break
		}
		seen := cache.Seen{Stale: true}
		for seen.Stale { // a listing of the engine's was newer
			parent, _ := r.tree.Path(dir)
			asOf, now := r.tree.Now(), time.Now()
			e, _, err := r.share.Stat(context.Background(), parent, name)
			if err != nil {
				r.t.Fatalf("look up %s: %v", path, err)
			}
			seen = r.tree.Saw(cache.Place{Dir: dir, Name: name}, asOf, now, &e)
		}
		dir = seen.View.ID
		if seen.View.Entry.Kind == cache.Directory {
			r.engine.Found(dir)
		}
	}
	return dir
}

// list does what a local program's listing does.
func (r *rig) list(dir cache.ID) {
	r.t.Helper()
	path, _ := r.tree.Path(dir)
	asOf, now := r.tree.Now(), time.Now()
	entries, err := r.share.List(context.Background(), path, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	r.tree.Compare(dir, asOf, now, entries)
}

// make makes directories on the server.
func (r *rig) make(paths ...string) {
	r.t.Helper()
	for _, p := range paths {
		if !r.server.Tree.Mkdir(p) {
			r.t.Fatalf("cannot make %s", p)
		}
	}
}

func (r *rig) write(path, text string) {
	r.t.Helper()
	if !r.server.Tree.WriteFile(path, []byte(text)) {
		r.t.Fatalf("cannot write %s", path)
	}
}

// compared says how often dir has been listed since it was armed.
func (r *rig) compared(dir cache.ID) int32 {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	return r.engine.watches[dir].compared
}

// count says how often a line was told.
func (r *rig) count(line string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.told {
		if l == line {
			n++
		}
	}
	return n
}

// within waits until each line has been told once, and fails if that takes longer than d.
func (r *rig) within(d time.Duration, lines ...string) {
	r.t.Helper()
	start := time.Now()
	for _, l := range lines {
		for r.count(l) == 0 {
			if time.Since(start) > d {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.t.Fatalf("%q was not told within %v; told:\n%s", l, d, strings.Join(r.told, "\n"))
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := r.count(l); n != 1 {
			r.t.Fatalf("%q was told %d times", l, n)
		}
	}
}

func (r *rig) said(text string, times int) {
	r.t.Helper()
	if n := strings.Count(r.log.String(), text); n != times {
		r.t.Errorf("the log says %d times %q, want %d", n, text, times)
	}
}

// fakeMarks is a scanner whose marks are those that the test says.
type fakeMarks struct {
	mu     sync.Mutex
	result marks.Result // guarded by mu: what is new
	closed bool
}

func (f *fakeMarks) Scan(context.Context) (marks.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.result
	f.result = marks.Result{}
	r.Next = time.Second
	return r, nil
}

func (f *fakeMarks) Hint(uint32) {}

func (f *fakeMarks) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

// watched makes directories d0, d1, … that a local program has listed and watches.
func (r *rig) watched(dirs int) {
	r.t.Helper()
	var ids []cache.ID
	for i := range dirs {
		r.make(fmt.Sprint("d", i))
		ids = append(ids, r.look(fmt.Sprint("d", i)))
		r.list(ids[i])
	}
	r.pin(ids...)
}

// allowing has the server keep so many requests for notification at a time and refuse others.
func allowing(limit int) func(*smbtest.Server) {
	return func(s *smbtest.Server) {
		s.Hook(wire.CommandChangeNotify, func(q *smbtest.Request) {
			if s.Tree.Waiting() >= limit {
				q.Reply(wire.StatusInsufficientResources, nil)
				return
			}
			q.Serve()
		})
	}
}

// pin has local programs watch directories.
func (r *rig) pin(ids ...cache.ID) {
	r.marks.mu.Lock()
	for _, id := range ids {
		r.marks.result.Added = append(r.marks.result.Added, uint64(id))
	}
	slices.Sort(r.marks.result.Added)
	r.marks.mu.Unlock()
	time.Sleep(1500 * time.Millisecond) // the next scan
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// counting counts requests of one kind and hands them on.
func counting(n *counter, then smbtest.Hook) smbtest.Hook {
	return func(r *smbtest.Request) {
		n.add(1)
		if then == nil {
			r.Serve()
			return
		}
		then(r)
	}
}

type counter struct {
	mu sync.Mutex
	n  int // guarded by mu
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
}

func (c *counter) get() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func refusing(r *smbtest.Request) { r.Reply(wire.StatusNotSupported, nil) }
