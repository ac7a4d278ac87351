package cache

import (
	"fmt"
	"strings"
)

// node is an object on the model server.
type node struct {
	identity Identity
	attr     Attr
	names    map[string]*node // nil for anything but a directory
	parent   *node            // of a directory
}

// server is a model of a share: what is true.
type server struct {
	root    *node
	lastID  uint64
	created int64
	free    []uint64 // ids of objects that are gone: used again first
	time    int64
}

func newServer() *server {
	s := &server{}
	s.root = s.make(Directory)
	return s
}

func (s *server) make(k Kind) *node {
	s.created++
	n := &node{identity: Identity{Created: s.created, Kind: k}, attr: Attr{Write: s.created}}
	if l := len(s.free); l > 0 {
		n.identity.FileID, s.free = s.free[l-1], s.free[:l-1]
	} else {
		s.lastID++
		n.identity.FileID = s.lastID
	}
	if k == Directory {
		n.names = map[string]*node{}
	}
	return n
}

// entry is what the server answers about name in d; nil if there is none.
func (n *node) entry(name string) *Entry {
	c := n.names[name]
	if c == nil {
		return nil
	}
	return &Entry{Identity: c.identity, Attr: c.attr}
}

func (n *node) list() (list []Observation) {
	for _, name := range sorted(n.names) {
		list = append(list, Observation{Name: name, Entry: n.entry(name)})
	}
	return list
}

// in reports whether n is d or below it.
func (n *node) in(d *node) bool {
	for ; n != nil; n = n.parent {
		if n == d {
			return true
		}
	}
	return false
}

func (n *node) put(name string, c *node) {
	n.names[name] = c
	if c.names != nil {
		c.parent = n
	}
}

// drop removes a name; an object without one is gone and its id is free.
func (s *server) drop(d *node, name string) {
	c := d.names[name]
	delete(d.names, name)
	if c == nil || s.named(s.root, c) {
		return
	}
	for below := range c.names {
		s.drop(c, below)
	}
	s.free = append(s.free, c.identity.FileID)
}

func (s *server) named(in, c *node) bool {
	for _, n := range in.names {
		if n == c || n.parent == in && s.named(n, c) {
			return true
		}
	}
	return false
}

func (s *server) move(from *node, name string, to *node, newName string) error {
	c, old := from.names[name], to.names[newName]
	switch {
	case c == nil:
		return fmt.Errorf("no %s", name)
	case c == old:
		return nil
	case c.names != nil && to.in(c):
		return fmt.Errorf("%s into itself", name)
	case old != nil && (old.names != nil || c.names != nil):
		return fmt.Errorf("%s is in the way", newName)
	}
	delete(from.names, name)
	if old != nil {
		s.drop(to, newName)
	}
	to.put(newName, c)
	return nil
}

// exchange is a three-step move done at once.
func (s *server) exchange(a *node, x string, b *node, y string) error {
	p, q := a.names[x], b.names[y]
	if p == nil || q == nil || p.names != nil && b.in(p) || q.names != nil && a.in(q) {
		return fmt.Errorf("cannot exchange %s and %s", x, y)
	}
	a.put(x, q)
	b.put(y, p)
	return nil
}

// at walks to the directory of path.
func (s *server) at(path string) (*node, string) {
	d := s.root
	parts := strings.Split(path, "/")
	for _, p := range parts[:len(parts)-1] {
		if d = d.names[p]; d == nil || d.names == nil {
			panic("no directory on the way to " + path)
		}
	}
	return d, parts[len(parts)-1]
}

func (s *server) dir(path string) *node {
	if path == "." {
		return s.root
	}
	d, name := s.at(path)
	return d.names[name]
}

// do carries out one line of a script.
func (s *server) do(op string, args []string) {
	d, name := s.at(args[0])
	var err error
	switch op {
	case "create":
		d.put(name, s.make(File))
	case "mkdir":
		d.put(name, s.make(Directory))
	case "symlink":
		d.put(name, s.make(Symlink))
	case "write":
		s.time++
		d.names[name].attr.Size += 10
		d.names[name].attr.Write += s.time
	case "chmod":
		d.names[name].attr.Flags ^= 1
	case "recreated":
		s.created++
		d.names[name].identity.Created = s.created
	case "rm":
		s.drop(d, name)
	default:
		to, newName := s.at(args[1])
		switch op {
		case "mv":
			err = s.move(d, name, to, newName)
		case "swap":
			err = s.exchange(d, name, to, newName)
		case "ln":
			to.names[newName] = d.names[name] // a directory: shown twice
		default:
			panic("unknown operation " + op)
		}
	}
	if err != nil {
		panic(err)
	}
}
