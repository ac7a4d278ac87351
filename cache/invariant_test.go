package cache

import (
	"fmt"
	"slices"
)

// check verifies what must hold whenever nobody is inside the tree.
func (t *Tree) check() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	told, truth, early := map[*object][]Place{}, map[*object][]Place{}, map[*object]int32{}
	watched := 0
	for id, o := range t.byID {
		if o.id != id {
			return fmt.Errorf("object %d is filed under %d", o.id, id)
		}
		if o.opens < 0 || o.writers < 0 {
			return fmt.Errorf("object %d: %d handles, %d writers", id, o.opens, o.writers)
		}
		if o.isWatched() {
			watched++
		}
		if o.dir == nil {
			continue
		}
		if err := t.checkDirectory(o, told, truth, early); err != nil {
			return fmt.Errorf("directory %d: %w", id, err)
		}
	}
	if watched != t.watched {
		return fmt.Errorf("%d directories are watched, %d counted", watched, t.watched)
	}
	for _, views := range []map[*object][]Place{told, truth} {
		for o := range views {
			if t.byID[o.id] != o {
				return fmt.Errorf("a name leads to object %d, which was forgotten", o.id)
			}
		}
	}
	for _, o := range t.byID {
		if o.early != early[o] {
			return fmt.Errorf("object %d is shown early %d times, counted %d", o.id, early[o], o.early)
		}
		if err := t.checkObject(o, told[o], truth[o]); err != nil {
			return fmt.Errorf("object %d: %w", o.id, err)
		}
	}
	for i, o := range t.identity {
		if t.byID[o.id] != o || o.identity.key() != i {
			return fmt.Errorf("identity %v leads to object %d of %v", i, o.id, o.identity)
		}
	}
	return t.checkQueue()
}

func (t *Tree) checkDirectory(o *object, told, truth map[*object][]Place, early map[*object]int32) error {
	queued := map[string]bool{}
	for _, n := range o.dir.dirty {
		s := o.dir.slots[n]
		if s == nil || !s.queued || queued[n] {
			return fmt.Errorf("%q is in the queue: %v, before: %v", n, s, queued[n])
		}
		queued[n] = true
	}
	names := 0
	for n, s := range o.dir.slots {
		p := Place{o.id, n}
		if s.queued != queued[n] {
			return fmt.Errorf("%q: queued flag %v, in the queue %v", n, s.queued, queued[n])
		}
		if s.told == nil && s.truth == nil && s.early == nil && s.busy == 0 && !s.queued {
			return fmt.Errorf("%q says nothing and was kept", n)
		}
		if s.told != s.truth && !s.queued && t.exists(o) {
			return fmt.Errorf("%q differs and is not queued: told %v, true %v, directory told at %v, true at %v", n, s.told, s.truth, o.told, o.truth)
		}
		if s.early != nil {
			early[s.early]++
			if s.told != nil || !s.queued && t.exists(o) {
				return fmt.Errorf("%q is shown early: told %v, queued %v", n, s.told, s.queued)
			}
		}
		if s.told != nil {
			names++
			told[s.told] = append(told[s.told], p)
		}
		if s.truth != nil {
			truth[s.truth] = append(truth[s.truth], p)
		}
	}
	if names != o.dir.told {
		return fmt.Errorf("%d names were told, %d counted", names, o.dir.told)
	}
	return nil
}

func (t *Tree) checkObject(o *object, told, truth []Place) error {
	if !same(o.told, told) || !same(o.truth, truth) {
		return fmt.Errorf("told at %v, slots say %v; true at %v, slots say %v", o.told, told, o.truth, truth)
	}
	if o.dir != nil && len(told) > 1 {
		return fmt.Errorf("a directory told at %v", told)
	}
	if o.id != RootID && len(told)+len(truth) == 0 && o.refs == 0 && o.opens == 0 && o.early == 0 {
		return fmt.Errorf("nothing refers to it")
	}
	return nil
}

func same(a, b []Place) bool {
	order := func(x, y Place) int {
		return slices.Compare([]string{fmt.Sprint(x.Dir), x.Name}, []string{fmt.Sprint(y.Dir), y.Name})
	}
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}

func (t *Tree) checkQueue() error {
	seen := map[*object]bool{}
	for _, o := range t.dirty {
		if !o.dir.queued || seen[o] {
			return fmt.Errorf("directory %d is in the queue: flag %v, before: %v", o.id, o.dir.queued, seen[o])
		}
		seen[o] = true
	}
	for _, o := range t.byID {
		if o.dir != nil && o.dir.queued != seen[o] {
			return fmt.Errorf("directory %d: queued flag %v, in the queue %v", o.id, o.dir.queued, seen[o])
		}
	}
	return nil
}

// circular tells whether the kernel was told of a directory in itself.
func (t *Tree) circular() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.byID {
		if o.dir == nil || len(o.told) == 0 {
			continue
		}
		for up, n := o, 0; up != nil && up.id != RootID && len(up.told) > 0; n++ {
			if up = t.byID[up.told[0].Dir]; n > 100 {
				return fmt.Errorf("directory %d is in itself", o.id)
			}
		}
	}
	return nil
}
