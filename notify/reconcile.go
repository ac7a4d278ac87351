package notify

import (
	"context"
	"maps"
	"slices"
	"time"

	"smbfs/cache"
	"smbfs/share"
)

// askAtOnce is how many names are asked for one by one rather than by listing the directory,
// whatever its size.
const askAtOnce = 64

// process brings the truth of one directory up to date.
func (e *Engine) process(w *watch) {
	e.mu.Lock()
	d, gone := w.dir, w.gone
	e.mu.Unlock()
	if gone {
		return
	}
	e.judge(w)
	if d == nil {
		if d = e.arm(w); d == nil {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.unplan(w)
			return
		}
	}
	switch a := e.assignment(w); {
	case a.wait:
	case a.list:
		a.next()
		e.list(w, d, a.hints)
	default:
		e.ask(w, d, a.hints, a.next)
	}
	e.schedule(w)
	e.baseline(w)
}

// assignment is what there is to look at in a directory.
type assignment struct {
	hints map[string]cache.Hint
	list  bool   // by listing it
	wait  bool   // not yet
	next  func() // sends the next request, if there is one to be sent
}

// assignment takes what there is to look at. Listings are spaced by twice what the last one took.
func (e *Engine) assignment(w *watch) (a assignment) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if at := w.recheckAt(); !at.IsZero() && !now.Before(at) {
		w.recheck--
		w.list, w.comparing = true, true
	}
	e.due(w, now)
	ready, held := e.split(w, now)
	a.list = w.list || len(ready) > max(askAtOnce, e.tree.Entries(w.id)/50)
	if at := w.listedAt.Add(2 * w.listCost); a.list && now.Before(at) {
		e.attendAt(w, at)
		return assignment{wait: true}
	}
	w.look()
	if a.hints = ready; a.list {
		a.hints, held = w.hints, nil
	}
	if a.next, w.next = w.next, nil; a.next == nil {
		a.next = func() {}
	}
	if len(held) > 0 {
		e.attendAt(w, now.Add(ownHold))
	}
	w.setHints(held)
	w.list = false
	return a
}

// schedule has w looked at again when its next comparison is due. Preconditions: none.
func (e *Engine) schedule(w *watch) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endTurn(w, time.Now())
	if at := w.recheckAt(); !at.IsZero() && w.dir != nil {
		e.attendAt(w, at)
	}
	if !w.compareAt.IsZero() && w.dir != nil && w.waits == nil {
		e.attendAt(w, w.compareAt)
	}
}

// list compares the whole directory.
func (e *Engine) list(w *watch, d *share.Directory, hints map[string]cache.Hint) {
	asOf, start := e.tree.Now(), time.Now()
	entries, err := d.List(e.ctx)
	if err != nil {
		e.lose(w, d, err)
		return
	}
	for i := range entries {
		entries[i].Hint = hints[entries[i].Name]
	}
	e.counters.listings.Add(1)
	e.Listed(e.ctx, w.id, entries)
	report := e.report(w, asOf, entries, hints)
	e.arrivals(w, start, entries)
	missing, changed := e.tree.Compare(w.id, asOf, start, entries)
	e.log.Debug("compared", "dir", w.id, "entries", len(entries), "changed", changed, "missing", len(missing))
	if len(missing) > 0 {
		e.confirm(w, d, lacking(missing, entries, hints))
	}
	e.compared(w, report, start)
	for name, h := range hints {
		switch {
		case h&^cache.HintEcho == cache.HintModified:
			e.unexplained(w, name, h)
		case h&cache.HintModified != 0:
			e.doubt(w, name)
		}
	}
	e.secureNew(w, entries)
	e.mu.Lock()
	if !w.live {
		w.surely = time.Time{}
	}
	w.live, w.known = w.dir == d, false
	if w.live && w.surely.IsZero() && int(w.recheck) < len(compareAfter) {
		w.surely = start
	}
	e.askLater(w, report.early)
	e.settled(w)
	e.rests(w)
	e.mu.Unlock()
}

// Listed looks at a listing of dir before it is compared. If it is the first, and something in it seems to be newer than the watch, the directory
// is asked whether names in it have changed since.
func (e *Engine) Listed(ctx context.Context, dir cache.ID, entries []cache.Observation) {
	if !e.tree.Appeared(dir, entries) {
		return
	}
	path, ok := e.tree.Path(dir)
	if !ok {
		return
	}
	if now, err := e.share.StatPath(ctx, path); err == nil {
		e.tree.NamesChanged(dir, now.Write)
	}
}

// lacking returns those of missing that are not in a listing. In it are others of which something newer was
// known.
func lacking(missing []string, list []cache.Observation, hints map[string]cache.Hint) map[string]cache.Hint {
	absent := make(map[string]cache.Hint, len(missing))
	for _, name := range missing {
		absent[name] = hints[name]
	}
	for i := range list {
		delete(absent, list[i].Name)
	}
	return absent
}

// confirm makes sure of names that a listing lacks. Listings are not atomic: what was renamed meanwhile can
// be missing under both names, and would be told gone. Another listing finds the new one. Then those that it
// lacks too are asked for, which also shows whether the directory is where it was; but not all if they are
// many: to say that a name is not there a server reads the whole directory.
func (e *Engine) confirm(w *watch, d *share.Directory, absent map[string]cache.Hint) {
	asOf, start := e.tree.Now(), time.Now()
	entries, err := d.List(e.ctx)
	if err != nil {
		e.lose(w, d, err)
		return
	}
	e.counters.listings.Add(1)
	for i := range entries {
		entries[i].Hint = absent[entries[i].Name]
		delete(absent, entries[i].Name)
	}
	missing, _ := e.tree.Compare(w.id, asOf, start, entries)
	e.notYet(w, missing, lacking(missing, entries, nil), absent)
	few := map[string]cache.Hint{}
	for name, h := range absent {
		if len(few) == askAtOnce {
			break
		}
		few[name] = h
		delete(absent, name)
	}
	if !e.ask(w, d, few, nil) {
		return
	}
	gone := make([]cache.Observation, 0, len(absent))
	for name, h := range absent {
		gone = append(gone, cache.Observation{Name: name, Hint: h})
	}
	e.observe(w, asOf, start, gone)
}

// notYet has those of missing looked at again that no two listings agree on: once lacks a name for the first
// time, and of those in neither something newer was known.
func (e *Engine) notYet(w *watch, missing []string, once, twice map[string]cache.Hint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range missing {
		_, again := twice[name]
		_, lacks := once[name]
		switch {
		case again:
		case lacks:
			w.list = true
			e.attendAt(w, time.Now().Add(undecidedRetry))
		default:
			w.hintAgain(name, 0)
			e.attendAt(w, time.Now().Add(staleRetry))
		}
	}
}

// ask asks for single names. It reports false if the directory cannot be asked any more. asked, if it is not nil, is called when the question
// is out.
func (e *Engine) ask(w *watch, d *share.Directory, hints map[string]cache.Hint, asked func()) bool {
	if len(hints) == 0 {
		if asked != nil {
			asked()
		}
		return true
	}
	names := slices.Collect(maps.Keys(hints))
	asOf, start := e.tree.Now(), time.Now()
	obs, undecided, err := d.Names(e.ctx, names, asked)
	if err != nil {
		e.lose(w, d, err)
		return false
	}
	for i := range obs {
		obs[i].Hint = hints[obs[i].Name]
	}
	e.counters.questions.Add(int64(len(names)))
	e.arrivals(w, start, obs)
	e.observe(w, asOf, start, obs)
	if len(undecided) > 0 {
		e.mu.Lock()
		for _, n := range undecided {
			w.hintAgain(n, hints[n])
		}
		w.list = true
		e.attendAt(w, time.Now().Add(undecidedRetry))
		e.mu.Unlock()
	}
	return true
}

// observe takes answers about single names, and follows up what they amount to.
func (e *Engine) observe(w *watch, asOf cache.Stamp, start time.Time, obs []cache.Observation) {
	own := e.ownLately(w, obs)
	outcomes := e.tree.Observe(w.id, asOf, start, obs)
	e.mu.Lock()
	for i, ob := range obs {
		if outcomes[i] == cache.Stale {
			w.hintAgain(ob.Name, ob.Hint)
			e.attendAt(w, time.Now().Add(staleRetry))
		}
	}
	e.rests(w)
	e.mu.Unlock()
	for i, ob := range obs {
		if outcomes[i] == cache.Changed {
			e.found(w, ob.Name, ob.Hint, own[i])
		}
		switch {
		case ob.Entry == nil || ob.Hint&cache.HintModified == 0:
		case outcomes[i] == cache.Same && ob.Hint&^cache.HintEcho == cache.HintModified:
			e.unexplained(w, ob.Name, ob.Hint)
		default:
			e.doubt(w, ob.Name)
		}
	}
	e.secureNew(w, obs)
}

const (
	// staleRetry is when to ask again for a name that an own operation was at work on.
	staleRetry = 10 * time.Millisecond
	// undecidedRetry is when to list because a name was neither there nor gone.
	undecidedRetry = 50 * time.Millisecond
)

// askFor has a single name looked at that another name's change depends on, wherever it is. In a
// directory that is nowhere there is none.
func (e *Engine) askFor(p cache.Place) {
	e.mu.Lock()
	w := e.watches[p.Dir]
	armed := w != nil && w.dir != nil
	if armed {
		w.hint(p.Name, 0)
		e.attend(w)
	}
	e.mu.Unlock()
	if armed {
		return
	}
	path, ok := e.tree.Path(p.Dir)
	asOf, start := e.tree.Now(), time.Now()
	ob := cache.Observation{Name: p.Name}
	if ok {
		entry, name, err := e.share.Stat(share.AtOnce(e.ctx), path, p.Name) // it is asked for again, so these must not gather while the server is away
		switch {
		case err == nil && name == p.Name:
			ob.Entry = &entry
		case err != nil && !share.IsGone(err):
			return
		}
	}
	e.tree.Observe(p.Dir, asOf, start, []cache.Observation{ob})
}
