package cache

import "fmt"

// witness is a watcher: it knows directories by the events told of them alone, but for what is no news in those that were not
// known whole when it last looked.
type witness struct {
	t     *Tree
	dirs  map[ID]map[string]ID
	young map[ID]bool
}

func newWitness(t *Tree) *witness {
	return &witness{t: t, dirs: map[ID]map[string]ID{}, young: map[ID]bool{}}
}

// look has the witness read a directory as a local program would.
func (w *witness) look(dir ID) {
	names := map[string]ID{}
	if o := w.t.byID[dir]; o != nil && o.dir != nil {
		for n, s := range o.dir.slots {
			if s.told != nil {
				names[n] = s.told.id
			}
		}
	}
	w.dirs[dir] = names
	w.young[dir] = true
}

// catchUp has the witness see names that are no news.
func (w *witness) catchUp() {
	for id, names := range w.dirs {
		o := w.t.byID[id]
		if o == nil || !w.young[id] {
			continue
		}
		for n, s := range o.dir.slots {
			if _, known := names[n]; s.told != nil && !known {
				names[n] = s.told.id
			}
		}
		w.young[id] = o.dir.complete == 0 || len(o.dir.unread) > 0
	}
}

// legal reports whether the kernel would carry c out now.
func (w *witness) legal(c *Change) error {
	t := w.t
	from, to, ok := t.slots(c)
	o := t.byID[c.ID]
	if !ok || o == nil {
		return fmt.Errorf("no such names or object")
	}
	at := func(p Place) *object { return t.byID[p.Dir] }
	if !w.reachable(at(c.From)) || to != nil && !w.reachable(at(c.To)) {
		return fmt.Errorf("in a directory that nobody was told of")
	}
	switch c.Op {
	case Create:
		if from.told != nil || o.dir != nil && len(o.told) > 0 {
			return fmt.Errorf("it exists: %v", o.told)
		}
	case Remove:
		if from.told != o || w.full(o) {
			return fmt.Errorf("another object, or a directory that is not empty")
		}
	case Rename:
		return w.legalRename(c, from, to, o)
	case Link:
		if from.told != o || to.told != nil || o.dir != nil {
			return fmt.Errorf("no such object, or the name exists, or a directory")
		}
	default:
		if from.told != o {
			return fmt.Errorf("another object")
		}
	}
	return nil
}

func (w *witness) legalRename(c *Change, from, to *slot, o *object) error {
	old := to.told
	switch {
	case from.told != o || from == to:
		return fmt.Errorf("another object, or the same name")
	case old == o:
		return fmt.Errorf("two names of one object: nothing would happen")
	case o.dir != nil && w.t.below(w.t.byID[c.To.Dir], o):
		return fmt.Errorf("a directory into itself")
	case old != nil && (old.dir == nil) != (o.dir == nil):
		return fmt.Errorf("a directory and something else")
	case old != nil && w.full(old):
		return fmt.Errorf("the directory in the way is not empty")
	}
	return nil
}

func (w *witness) reachable(o *object) bool {
	for range maxDepth {
		if o == nil {
			return false
		}
		if o.id == RootID {
			return true
		}
		if len(o.told) == 0 {
			return false
		}
		o = w.t.byID[o.told[0].Dir]
	}
	return false
}

func (w *witness) full(o *object) bool {
	if o.dir == nil {
		return false
	}
	for _, s := range o.dir.slots {
		if s.told != nil {
			return true
		}
	}
	return false
}

// event applies a told change to what the witness knows.
func (w *witness) event(c *Change) error {
	from, to := w.dirs[c.From.Dir], w.dirs[c.To.Dir]
	if !c.Held {
		if from != nil || to != nil {
			return fmt.Errorf("nobody is told")
		}
		return nil
	}
	switch c.Op {
	case Create:
		return w.appear(from, c.From.Name, c.ID, false)
	case Link:
		return w.appear(to, c.To.Name, c.ID, false)
	case Remove:
		if len(w.dirs[c.ID]) > 0 {
			return fmt.Errorf("rmdir of a directory with %v", w.dirs[c.ID])
		}
		delete(w.dirs, c.ID)
		return w.vanish(from, c.From.Name, c.ID)
	case Rename:
		if err := w.vanish(from, c.From.Name, c.ID); err != nil {
			return err
		}
		return w.appear(to, c.To.Name, c.ID, true)
	}
	if from != nil && from[c.From.Name] != c.ID {
		return fmt.Errorf("%d is at the name", from[c.From.Name])
	}
	return nil
}

func (w *witness) appear(names map[string]ID, name string, id ID, replace bool) error {
	if old, ok := names[name]; ok {
		if !replace {
			return fmt.Errorf("%q exists: %d", name, old)
		}
		if len(w.dirs[old]) > 0 {
			return fmt.Errorf("the directory in the way has %v", w.dirs[old])
		}
		delete(w.dirs, old)
	}
	if names != nil {
		names[name] = id
	}
	return nil
}

func (w *witness) vanish(names map[string]ID, name string, id ID) error {
	if names == nil {
		return nil
	}
	if names[name] != id {
		return fmt.Errorf("%q is %d", name, names[name])
	}
	delete(names, name)
	return nil
}

// differs compares what the witness knows with what was told.
func (w *witness) differs() error {
	w.catchUp()
	for id, names := range w.dirs {
		o := w.t.byID[id]
		if o == nil {
			return fmt.Errorf("directory %d is gone and nobody was told", id)
		}
		if !w.t.known(o) { // something above that nobody watches is gone or has moved
			delete(w.dirs, id)
			continue
		}
		told := 0
		for n, s := range o.dir.slots {
			if s.told == nil {
				continue
			}
			if told++; names[n] != s.told.id {
				return fmt.Errorf("directory %d: %q is %d, by the events %d", id, n, s.told.id, names[n])
			}
		}
		if told != len(names) {
			return fmt.Errorf("directory %d: %d names, by the events %v", id, told, names)
		}
	}
	return nil
}
