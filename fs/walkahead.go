package fs

import (
	"context"
	"errors"
	"slices"
	"time"

	"smbfs/cache"
	"smbfs/share"
)

// Who looks through a tree for the first time, as find, du and indexers do, opens the directories of one after the other in the order in which they
// were listed, and would wait for a round trip each time. So the order is remembered of those that were read lately. When some have been opened one
// after the other, those that come next are listed ahead: each time twice as many. That ends with a step to anywhere else, and with one that takes
// so long that what was listed ahead is of no use any more.

// order is the directories in a directory, in the order in which they were given out. Guarded by walks.mu.
type order struct {
	dir, up cache.ID
	inside  []cache.ID
	at      int  // which of them was opened last; -1: none
	next    bool // it was opened itself as what came next in the one above it
	used    int  // when, by walks.steps
}

const (
	// ordersMost is of how many directories the order is remembered, and orderMost how many may be in one.
	ordersMost = 64
	orderMost  = 1 << 14
)

// entered notes that a program opens dir, and starts the listings of the directories that it is about to open. It returns the order of what is in
// dir, for given.
func (f *FileSystem) entered(dir cache.ID) order {
	o := order{dir: dir, at: -1}
	if p := f.tree.Places(dir); len(p) > 0 {
		o.up = p[0].Dir
	}
	w, now := &f.walks, time.Now()
	w.mu.Lock()
	late := false
	if k := w.byDir[dir]; k != nil {
		late = k.unused && k.listing == nil && !f.tree.Complete(dir, now, f.opts.AttrTimeout)
		k.unused = false
	}
	above := w.above(o.up)
	o.next = w.step(above, dir)
	switch {
	case !o.next || late || now.Sub(w.stepped) > f.opts.AttrTimeout:
		w.run = 0
	default:
		w.run = min(max(1, 2*w.run), aheadListings)
	}
	w.stepped = now
	if again := w.order(dir); again != nil {
		again.at, again.next, again.up = -1, o.next, o.up
	}
	ahead := f.comesNext(above, w.run, now)
	w.mu.Unlock()
	f.list(ahead, now, f.glance)
	return o
}

// given notes in which order the directories in one are given out.
func (w *walks) given(o order, names []cache.Name) {
	for _, n := range names {
		if n.View.Entry.Kind == cache.Directory && n.View.ID != o.dir {
			o.inside = append(o.inside, n.View.ID)
		}
	}
	if len(o.inside) == 0 || len(o.inside) > orderMost {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	o.used = w.steps
	if old := w.order(o.dir); old != nil {
		*old = o
		return
	}
	if len(w.orders) >= ordersMost {
		oldest := slices.MinFunc(w.orders, func(a, b *order) int { return a.used - b.used })
		*oldest = o
		return
	}
	w.orders = append(w.orders, &o)
}

// order is that of a directory, nil if none is remembered. Preconditions: mu is held.
func (w *walks) order(dir cache.ID) *order {
	for _, o := range w.orders {
		if o.dir == dir {
			return o
		}
	}
	return nil
}

// above are the orders of dir and of the directories above it. Preconditions: mu is held.
func (w *walks) above(dir cache.ID) (list []*order) {
	for o := w.order(dir); o != nil && len(list) < ordersMost; o = w.order(o.up) { // what has moved may be above itself, as it seems
		list = append(list, o)
	}
	return list
}

// step notes that dir is opened, which is in the first of above, and reports whether it comes next there: the first of all does if the one it is in
// did itself. Preconditions: mu is held.
func (w *walks) step(above []*order, dir cache.ID) bool {
	if len(above) == 0 {
		return false
	}
	w.steps++
	for _, o := range above {
		o.used = w.steps
	}
	o := above[0]
	at := o.at + 1
	if at == len(o.inside) || o.inside[at] != dir {
		at = slices.Index(o.inside, dir)
	}
	next := at == o.at+1 && (at > 0 || o.next)
	o.at = at
	return next
}

// comesNext are the n directories after the one that was opened last in the first of above, and then in those that follow, as far as they are to be
// listed. Preconditions: walks.mu is held.
func (f *FileSystem) comesNext(above []*order, n int, now time.Time) map[cache.ID]*walk {
	next := map[cache.ID]*walk{}
	for _, o := range above {
		for _, id := range o.inside[o.at+1:] {
			if n--; n < 0 {
				return next
			}
			k := f.walks.of(id, now)
			_, held, _ := f.tree.Exists(id)
			switch {
			case k.listing != nil, f.tree.Complete(id, now, f.opts.AttrTimeout):
			case k.unused: // nobody wanted it the last time
				return next
			case held && f.tree.Entries(id) <= share.OneMessage: // of what the kernel does not hold nothing is kept
				k.listing, k.unused = make(chan struct{}), true
				next[id] = k
			}
		}
	}
	return next
}

// list lists directories that nobody waits for yet.
func (f *FileSystem) list(dirs map[cache.ID]*walk, now time.Time, by func(context.Context, cache.ID) error) {
	for id, k := range dirs {
		f.walks.ahead.Go(func() { f.walks.ended(k, now, by(share.AtOnce(f.ctx), id)) })
	}
}

// errLong says that a directory is too long to be listed for nobody.
var errLong = errors.New("the directory takes more than one message to list")

// glance lists a directory as refresh does, if one message is enough.
func (f *FileSystem) glance(ctx context.Context, dir cache.ID) error {
	return f.refreshBy(ctx, dir, func(ctx context.Context, path string) ([]cache.Observation, error) {
		list, whole, err := f.share.ListOnce(ctx, path)
		if err == nil && !whole {
			err = errLong
		}
		return list, err
	})
}
