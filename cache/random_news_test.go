package cache

import "fmt"

// What the random test holds to be news: a name is told as new only where it came to be after somebody began to watch.

// ledger knows when what is on the server came to its name, and since when it is news.
type ledger struct {
	acts   int
	placed map[spot]placing
	base   map[ID]int      // what came to be in a directory up to then is no news
	lost   map[Place]bool  // told gone there: whatever is there is news again
	gone   map[uint64]bool // by file id, told gone: wherever it is is news again
	seen   map[*node]bool
	roamed map[*node]bool // had several names, or another before: then it is not the place that makes it news
}

type spot struct {
	dir  *node
	name string
}

type placing struct {
	who *node
	at  int
}

func newLedger() *ledger {
	return &ledger{placed: map[spot]placing{}, base: map[ID]int{}, lost: map[Place]bool{}, gone: map[uint64]bool{}, seen: map[*node]bool{}, roamed: map[*node]bool{}}
}

// prune forgets directories that nobody watches any more, or that nobody can know any more.
func (l *ledger) prune(watched map[ID]map[string]ID) {
	for id := range l.base {
		if watched[id] == nil {
			delete(l.base, id)
		}
	}
}

// survey notes what has come to names since it was last called.
func (l *ledger) survey(dirs []*node) {
	l.acts++
	before := l.placed
	l.placed = map[spot]placing{}
	for _, p := range before {
		l.seen[p.who] = true
	}
	for _, d := range dirs {
		for name, n := range d.names {
			at := spot{d, name}
			if l.placed[at] = before[at]; before[at].who != n {
				l.placed[at] = placing{n, l.acts}
				l.roamed[n] = l.seen[n]
			}
		}
	}
}

// watched says that somebody watches dir from now on. What it was known to have stays the base; of one that is itself yet to
// be told everything is news, and what waits to be told is so anyway.
func (l *ledger) watched(t *Tree, dir *object) {
	if dir.dir.complete == 0 && t.known(dir) {
		l.base[dir.id] = l.acts
		for name, s := range dir.dir.slots {
			if s.told != s.truth {
				l.lost[Place{dir.id, name}] = true
			}
		}
	}
}

// listed says that what dir was known to have was asked for after so many acts.
func (l *ledger) listed(dir ID, acts int) { l.base[dir] = min(l.base[dir], acts) }

// told takes a change of o that is about to be told, in a directory which is d on the server, and says what is wrong with it.
func (l *ledger) told(c *Change, o *object, d *node) error {
	p := c.From
	if d == nil {
		return nil
	}
	switch c.Op {
	case Remove, Rename:
		l.lost[p], l.lost[c.To] = true, true
		l.gone[o.identity.FileID] = true
	case Create:
		was := l.placed[spot{d, p.Name}]
		if c.Kind == Directory {
			l.base[c.ID] = 0
		}
		there := was.who != nil && d.names[p.Name] == was.who && was.at <= l.base[p.Dir]
		if there && !l.lost[p] && !l.gone[o.identity.FileID] && !l.hasRoamed(was.who) && !l.hasRoamed(d) {
			return fmt.Errorf("it has been there since act %d, and what was there at act %d is no news", was.at, l.base[p.Dir])
		}
	}
	return nil
}

// hasRoamed reports whether n, or a directory above it, has had another place.
func (l *ledger) hasRoamed(n *node) bool {
	for ; n != nil; n = n.parent {
		if l.roamed[n] {
			return true
		}
	}
	return false
}
