package cache

import "strings"

// ByPath returns the directory that is truly at path, below the share's root and '/' separated, and
// otherwise the last directory on the way to it that is known, with the name that is not.
func (t *Tree) ByPath(path string) (id ID, missing string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[RootID]
	for path != "" {
		name, rest, _ := strings.Cut(path, "/")
		s := o.dir.slots[name]
		if s == nil || s.truth == nil || s.truth.dir == nil {
			return o.id, name
		}
		o, path = s.truth, rest
	}
	return o.id, ""
}
