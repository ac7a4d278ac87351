package cache

// Differs returns the names in a listing of dir that Compare would find to be news: those that the
// directory was known not to have, that are another object now, or whose content or flags changed.
func (t *Tree) Differs(dir ID, asOf Stamp, list []Observation) (names []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, d := t.directory(dir)
	if d == nil || d.complete == 0 {
		return nil
	}
	for i := range list {
		if d.differs(asOf, &list[i]) {
			names = append(names, list[i].Name)
		}
	}
	return names
}

// Preconditions: Tree.mu is held.
func (d *directory) differs(asOf Stamp, ob *Observation) bool {
	if _, hidden := d.hidden[ob.Name]; hidden {
		return false
	}
	s := d.slots[ob.Name]
	switch {
	case s == nil:
		return !d.outdated(ob.Name, asOf)
	case s.busy > 0 || s.version > asOf || s.asOf > asOf:
		return false
	case s.truth == nil || !s.truth.staysAs(ob.Entry, ob.Hint):
		return true
	}
	o := s.truth
	if o.asOf > asOf || o.version > asOf {
		return false
	}
	return o.difference(ob.Entry.Attr) != 0
}
