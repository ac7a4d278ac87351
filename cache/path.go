package cache

import (
	"slices"
	"strings"
)

// maxDepth bounds the walk to the root: moves that are not yet known whole can make the views
// circular for a moment.
const maxDepth = 4096

// Path returns where id is on the server, below the root of the share, '/' separated; the
// root is "". It reports false if the object is known to be gone.
func (t *Tree) Path(id ID) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.path(t.byID[id], (*object).truePlaces)
}

// PathOf returns where name in the directory dir is on the server. If another name was told
// for the object than it has now, its place is the true one.
func (t *Tree) PathOf(dir ID, name string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pathOf(dir, name)
}

func (t *Tree) pathOf(dir ID, name string) (string, bool) {
	o, d := t.directory(dir)
	if d == nil {
		return "", false
	}
	if s := d.slots[name]; s != nil && s.told != nil && s.truth != s.told && len(s.told.truth) > 0 {
		return t.path(s.told, (*object).truePlaces)
	}
	parent, ok := t.path(o, (*object).truePlaces)
	return join(parent, name), ok
}

// ToldPath returns where the kernel believes id to be, below the mount's root.
func (t *Tree) ToldPath(id ID) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.path(t.byID[id], (*object).toldPlaces)
}

func (o *object) truePlaces() []Place { return o.truth }
func (o *object) toldPlaces() []Place { return o.told }

// path walks from o to the root. Preconditions: t.mu is held.
func (t *Tree) path(o *object, places func(*object) []Place) (string, bool) {
	var names []string
	if !t.climb(o, places, &names, nil) {
		return "", false
	}
	slices.Reverse(names)
	return strings.Join(names, "/"), true
}

// rooted reports whether the way up from o ends at the root. Preconditions: t.mu is held.
func (t *Tree) rooted(o *object, places func(*object) []Place) bool {
	return t.climb(o, places, nil, nil)
}

// climb looks for the way from o up to the root, and appends the names on it. Of several places
// it takes the latest that leads there: a directory has but one, and what was seen first is no
// longer true; but the latest may be in the directory itself. Preconditions: t.mu is held.
func (t *Tree) climb(o *object, places func(*object) []Place, names *[]string, seen map[*object]bool) bool {
	mark := o
	for n := 1; n <= maxDepth && o != nil; n++ {
		if o.id == RootID {
			return true
		}
		at := places(o)
		if len(at) != 1 {
			return t.climbAny(o, at, places, names, seen)
		}
		if names != nil {
			*names = append(*names, at[0].Name)
		}
		if o = t.byID[at[0].Dir]; o == mark {
			return false // round and round
		}
		if n&(n-1) == 0 {
			mark = o
		}
	}
	return false
}

func (t *Tree) climbAny(o *object, at []Place, places func(*object) []Place, names *[]string, seen map[*object]bool) bool {
	if len(at) == 0 || seen[o] {
		return false
	}
	if seen == nil {
		seen = map[*object]bool{}
	}
	seen[o] = true
	for _, q := range slices.Backward(at) {
		var above []string
		if t.climb(t.byID[q.Dir], places, &above, seen) {
			if names != nil {
				*names = append(append(*names, q.Name), above...)
			}
			return true
		}
	}
	return false
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
