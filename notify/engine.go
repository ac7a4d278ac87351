package notify

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"smbfs/cache"
	"smbfs/share"
	"smbfs/share/rundown"
)

// Teller makes changes known to local watchers.
type Teller interface {
	// Tell carries c out by a call on the mount, in which the tree's Commit is called. It
	// returns nil when the kernel has told it.
	Tell(ctx context.Context, c *cache.Change) error
	// Move is what is left if c cannot be told: the views have moved, and the kernel's own
	// caches are to follow without an event.
	Move(c *cache.Change)
	// DropPages has the content of a file read anew.
	DropPages(id cache.ID)
}

// Options are the engine's settings; zero values stand for the defaults.
type Options struct {
	Pace    cache.Pace    // default 100 ms and 500 ms
	Settle  time.Duration // a MODIFIED that nothing explains is no news this long after a change; default 3 s
	Budget  int           // directories notified of at a time; default 4096. The others in use are compared
	Mode    Mode          // default Auto
	Poll    time.Duration // between comparisons where nothing else finds changes, at best; default 1 s
	Compare time.Duration // between comparisons of what is watched, where notification works; default 60 s
	Marks   Scanner       // finds who watches; nil: unknown. The engine closes it
	Tellers int           // changes told at a time; default 4
	Logger  *slog.Logger
	Trace   func(Trace) // what is heard and told, as it happens; must not wait. nil: nobody asks
}

const (
	defaultModify  = 100 * time.Millisecond
	defaultRest    = 500 * time.Millisecond
	defaultSettle  = 3 * time.Second
	defaultBudget  = 4096
	defaultPoll    = time.Second
	defaultCompare = time.Minute
	defaultTellers = 4
	workers        = 8
)

// HoldFor is how long a name that vanished from one watched directory is waited for in others.
// Samba has been seen to tell the second half of a rename 100 ms after the first.
const HoldFor = 180 * time.Millisecond

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.Pace.Modify, defaultModify)
	def(&o.Pace.Rest, defaultRest)
	def(&o.Settle, defaultSettle)
	def(&o.Poll, defaultPoll)
	def(&o.Compare, defaultCompare)
	if o.Mode == "" {
		o.Mode = Auto
	}
	if o.Budget == 0 {
		o.Budget = defaultBudget
	}
	if o.Tellers == 0 {
		o.Tellers = defaultTellers
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Engine watches directories of one share.
type Engine struct {
	share  *share.Share
	tree   *cache.Tree
	teller Teller
	opts   Options
	log    *slog.Logger

	ctx     context.Context
	cancel  context.CancelCauseFunc
	wg      sync.WaitGroup
	closing sync.WaitGroup // handles on their way out
	work    chan struct{}  // capacity workers: attention is not empty
	back    chan struct{}  // capacity 1: the connection for watches came back

	mu        sync.Mutex
	watches   map[cache.ID]*watch // guarded by mu
	attention attention           // guarded by mu
	unheardAt time.Time           // guarded by mu: when a worker last looked at what was not notified of
	oldest    lru                 // guarded by mu
	alarms    alarms              // guarded by mu
	turns     time.Time           // guarded by mu: when the next batch of security descriptors may be read
	turnCost  time.Duration       // guarded by mu: how long the last one took
	hinted    int                 // guarded by mu: names noted in watch.hints of all watches
	scannedAt time.Time           // guarded by mu: when the last scan for marks began
	unsettled int                 // guarded by mu: watches that lost their handles and are not listed again yet
	set                           // guarded by mu
	debts                         // guarded by mu

	touches  touches                 // has a lock of its own, a leaf
	handles  rundown.Table[cache.ID] // those of directories that are being opened or closed; has a lock of its own, a leaf
	counters counters
}

// New starts an engine. Close ends it.
func New(s *share.Share, tree *cache.Tree, teller Teller, opts Options) *Engine {
	e := &Engine{
		share:   s,
		tree:    tree,
		teller:  teller,
		opts:    opts.withDefaults(),
		work:    make(chan struct{}, workers),
		back:    make(chan struct{}, 1),
		watches: map[cache.ID]*watch{},

		scannedAt: time.Now(),
	}
	e.set = newSet(e.opts.Compare)
	e.log = e.opts.Logger
	e.budget = e.opts.Budget
	e.ctx, e.cancel = context.WithCancelCause(context.Background())
	s.OnWatches(e.outage)
	for i := range workers {
		e.wg.Go(func() { e.worker(i == 0) })
	}
	for range e.opts.Tellers {
		e.wg.Go(e.tellAll)
	}
	e.wg.Go(e.tend)
	if e.opts.Marks != nil {
		e.wg.Go(func() { e.scan(e.opts.Marks) })
	}
	if e.opts.Mode == Tree {
		e.byTree = true
		e.wg.Go(func() { e.watchTree(e.ctx) })
	}
	return e
}

// Close ends all goroutines and closes the handles of all directories. Nothing is told after it.
func (e *Engine) Close(ctx context.Context) {
	e.cancel(context.Canceled)
	e.wg.Wait()
	e.mu.Lock()
	var open []*share.Directory
	if e.alarms.timer != nil {
		e.alarms.timer.Stop()
	}
	for _, w := range e.watches {
		e.closeFormer(w)
		if w.dir != nil {
			open = append(open, w.dir)
			w.dir = nil
		}
	}
	e.watches = map[cache.ID]*watch{}
	e.mu.Unlock()
	for _, d := range open {
		d.Close(ctx)
	}
	e.closing.Wait()
}

// Use says that a local program makes use of dir, which the kernel has known for a while: it is watched if it is not yet. Use does not
// wait for that.
func (e *Engine) Use(dir cache.ID) { e.use(dir, false) }

// Found is Use for a directory that is about to be given to the kernel as the answer to a LOOKUP.
func (e *Engine) Found(dir cache.ID) { e.use(dir, !e.tree.HeldBefore(dir)) }

func (e *Engine) use(dir cache.ID, unknown bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.watches[dir]
	if w == nil {
		since := e.unmarkedAt()
		if unknown {
			since = time.Now()
		}
		e.watch(dir, since)
		return
	}
	now := time.Now()
	w.usedAt = now
	switch {
	case w.pinned:
	case w.granted:
		e.oldest.touch(w)
	case e.grant(w, now):
	case w.dir != nil:
		e.plan(w, now)
	}
}

// Look has names of dir looked at although no notification named them. Where none may come, what became of
// an object shows in the whole directory only.
func (e *Engine) Look(dir cache.ID, names []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.watches[dir]
	if w == nil {
		return
	}
	for _, n := range names {
		w.hint(n, 0)
	}
	w.list = w.list || len(names) > 0 && !e.believed(w)
	e.attend(w)
}

// Coherent returns how long names of dir, known to be there or not, may be believed without a question: as long as a
// comparison would take to find what the server should have notified and did not. It is 0 where changes are not
// being notified.
func (e *Engine) Coherent(dir cache.ID) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	w := e.watches[dir]
	if !e.coherent(w, now) {
		return 0
	}
	return min(e.interval(w, now), e.opts.Compare)
}

// Preconditions: e.mu is held.
func (e *Engine) coherent(w *watch, now time.Time) bool {
	return w != nil && w.live && e.believed(w) && !w.overdue(now) && w.dir.Hears()
}

// CoherentSince is since when every change in dir was notified: also one that no comparison finds, of content under the old size and
// time. It is zero if that cannot be said.
func (e *Engine) CoherentSince(dir cache.ID) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.watches[dir]
	if !e.coherent(w, time.Now()) || w.surely.IsZero() {
		return time.Time{}
	}
	since := w.surely
	for _, t := range []time.Time{w.trust.since(), e.trust.since()} {
		if since.Before(t) {
			since = t
		}
	}
	return since
}

// drop ends a watch without waiting for the server. Preconditions: e.mu is held.
func (e *Engine) drop(w *watch) {
	e.discard(w)
	e.tree.Unwatch(w.id)
}

// discard ends the requests about a directory; the tree still has changes in it told.
// Preconditions: e.mu is held.
func (e *Engine) discard(w *watch) {
	if d := e.forget(w); d != nil {
		e.closeLater(w.id, d)
	}
}

// close closes a directory's handles and waits for the server.
func (e *Engine) close(ctx context.Context, id cache.ID, d *share.Directory) {
	if !d.Standing() {
		return
	}
	asOf := e.tree.Closing(id)
	d.Close(ctx)
	e.tree.Closed(id, false, asOf, nil, time.Now())
}

// closeLater closes a directory's handles without waiting. When the engine is closed nobody waits for the server any more.
// Preconditions: e.mu is held.
func (e *Engine) closeLater(id cache.ID, d *share.Directory) {
	e.handles.Hold(id)
	e.closing.Go(func() {
		defer e.handles.Release(id)
		e.close(e.ctx, id, d)
	})
}

// forget takes w out of all tables; its handles, if it has any, are the caller's to close.
// Preconditions: e.mu is held.
func (e *Engine) forget(w *watch) *share.Directory {
	delete(e.watches, w.id)
	e.ungrant(w)
	if e.needed(w.id) {
		e.absent[w.id] = time.Now()
	}
	w.gone = true
	w.live = false
	w.setHints(nil)
	e.settled(w)
	e.owes(w, time.Time{})
	e.closeFormer(w)
	e.unplan(w)
	e.alarms.remove(w)
	e.attention.remove(w)
	d := w.dir
	w.dir = nil
	return d
}
