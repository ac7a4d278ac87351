package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// A model is a folder as somebody knows it who has heard events only. It belongs to one
// goroutine at a time: the follower's reader, under the follower's lock.
//
// Young directories are those that appeared since the last quiet point. Who watches one marks
// it after its CREATE and lists it after that, on any file system, so its first events and the listing
// overlap: there an event may say what is known already. In all other directories it may not.
type model struct {
	root    *modelNode
	pending map[uint32]*modelNode // MOVED_FROM told, MOVED_TO not yet; nil for a name of a young directory that was not known
	wrong   []string              // events that could not be applied
	doubts  []doubt               // events that cannot be but for what a local program did
}

// doubt is an event that nothing but a local removal explains. The kernel tells that at once, though what somebody
// else did to the name, or in the directory, a moment before was yet to be told.
type doubt struct{ path, text string }

// modelNode is one name with the object behind it.
type modelNode struct {
	name   string
	parent *modelNode
	dir    bool
	kids   map[string]*modelNode
	size   int64 // as statted at the last event
	young  bool
	listed bool // known from a listing: its own CREATE may yet come
	missed bool // a stat at its last event may have missed it: a directory above moved, or it did itself
	gone   bool
	marked bool
}

func newModel() *model {
	return &model{root: newNode("", true), pending: map[uint32]*modelNode{}}
}

func newNode(name string, dir bool) *modelNode {
	n := &modelNode{name: name, dir: dir, young: true}
	if dir {
		n.kids = map[string]*modelNode{}
	}
	return n
}

func (n *modelNode) path() string {
	if n.parent == nil {
		return n.name
	}
	return filepath.Join(n.parent.path(), n.name)
}

func (n *modelNode) attach(parent *modelNode, name string) {
	n.parent, n.name = parent, name
	parent.kids[name] = n
}

// each visits the nodes below n, parents first, in the order of their names.
func (n *modelNode) each(visit func(*modelNode)) {
	names := make([]string, 0, len(n.kids))
	for name := range n.kids {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		visit(n.kids[name])
		n.kids[name].each(visit)
	}
}

func (n *modelNode) drop() {
	n.gone = true
	n.each(func(k *modelNode) { k.gone = true })
}

func (m *model) complain(format string, args ...any) {
	m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
}

// apply changes the model as the event says. It returns the object that is to be looked at, if any.
func (m *model) apply(d *modelNode, mask uint32, name string, isDir bool, cookie uint32) *modelNode {
	switch mask {
	case unix.IN_CREATE:
		return m.created(d, name, isDir)
	case unix.IN_DELETE:
		m.deleted(d, name, isDir)
	case unix.IN_MOVED_FROM:
		k := d.kids[name]
		m.mustBe(d, k, "MOVED_FROM", name, isDir)
		delete(d.kids, name)
		m.pending[cookie] = k
	case unix.IN_MOVED_TO:
		return m.movedTo(d, name, isDir, cookie)
	case unix.IN_MODIFY, unix.IN_ATTRIB, unix.IN_CLOSE_WRITE:
		k := d.kids[name]
		m.mustBe(d, k, "a change", name, isDir)
		return k
	}
	return nil
}

// mustBe complains of an event about a name that is not there or of another kind.
func (m *model) mustBe(d, k *modelNode, what, name string, isDir bool) {
	switch {
	case k == nil && !d.young:
		m.complain("%s of %s, which does not exist", what, filepath.Join(d.path(), name))
	case k != nil && k.dir != isDir && !d.young:
		m.complain("%s of %s: directory is %v, was %v", what, k.path(), isDir, k.dir)
	}
}

func (m *model) created(d *modelNode, name string, isDir bool) *modelNode {
	if k := d.kids[name]; k != nil {
		if !d.young && !k.listed {
			m.complain("CREATE of %s, which exists", k.path())
		}
		if k.dir == isDir {
			k.listed = false
			return k
		}
		k.drop()
	}
	k := newNode(name, isDir)
	k.attach(d, name)
	return k
}

func (m *model) deleted(d *modelNode, name string, isDir bool) {
	k := d.kids[name]
	if k == nil {
		if !d.young {
			m.doubts = append(m.doubts, doubt{filepath.Join(d.path(), name), "it does not exist"})
		}
		return
	}
	m.mustBe(d, k, "DELETE", name, isDir)
	if len(k.kids) > 0 && !k.young {
		m.doubts = append(m.doubts, doubt{k.path(), fmt.Sprintf("%d names in it have not been deleted", len(k.kids))})
	}
	k.drop()
	delete(d.kids, name)
}

func (m *model) movedTo(d *modelNode, name string, isDir bool, cookie uint32) *modelNode {
	at := filepath.Join(d.path(), name)
	k, paired := m.pending[cookie]
	delete(m.pending, cookie)
	if !paired {
		m.complain("MOVED_TO of %s without its MOVED_FROM", at)
	}
	if target := d.kids[name]; target != nil && target != k {
		if !d.young && target.dir != isDir {
			m.complain("MOVED_TO onto %s: directory is %v, was %v", at, isDir, target.dir)
		}
		if len(target.kids) > 0 && !target.young {
			m.complain("MOVED_TO onto %s, which is not empty", at)
		}
		target.drop()
	}
	if k == nil || k.dir != isDir {
		k = newNode(name, isDir)
	}
	k.attach(d, name)
	k.each(func(below *modelNode) { below.missed = true })
	return k
}

// settle is the quiet point: what is known now is known for sure.
func (m *model) settle(real map[string]found) {
	m.root.young = false
	m.root.each(func(n *modelNode) {
		n.young, n.listed, n.missed = false, false, false
		n.size = real[n.path()].size
	})
}

// differs compares the model with what is really there; it gives nothing if they are equal.
func (m *model) differs(real map[string]found) string {
	var out []string
	known := map[string]bool{}
	m.root.each(func(n *modelNode) {
		p := n.path()
		known[p] = true
		switch r, ok := real[p]; {
		case !ok:
			out = append(out, "not there, but never told as removed: "+p)
		case r.dir != n.dir:
			out = append(out, "of another kind: "+p)
		case !r.dir && !r.linked && r.size != n.size && !n.missed:
			out = append(out, fmt.Sprintf("%s has %d bytes; at its last event it had %d", p, r.size, n.size))
		}
	})
	for p := range real {
		if !known[p] {
			out = append(out, "there, but never told: "+p)
		}
	}
	for cookie, k := range m.pending {
		if k != nil {
			out = append(out, fmt.Sprintf("half a rename: MOVED_FROM of %s, cookie %d", k.path(), cookie))
		}
	}
	sort.Strings(out)
	return strings.Join(out, "\n")
}

// found is one name of the real folder.
type found struct {
	dir    bool
	linked bool // the file has or had several names: a write through one is not told of the others
	size   int64
	text   string
}

// survey reads a folder: every name, kind, size and content. A name that vanishes meanwhile is an error.
func survey(root string, linked func(os.FileInfo) bool) (map[string]found, error) {
	out := map[string]found{}
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		info, err := os.Lstat(p)
		if err != nil {
			return err
		}
		f := found{dir: info.IsDir()}
		if !f.dir {
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			f.size, f.text, f.linked = info.Size(), string(text), linked(info)
		}
		rel, err := filepath.Rel(root, p)
		out[rel] = f
		return err
	})
	return out, err
}

// compareSurveys says what a fresh look at the mount shows otherwise than the server has it.
func compareSurveys(mount, server map[string]found) string {
	var out []string
	for p, s := range server {
		m, ok := mount[p]
		switch {
		case !ok:
			out = append(out, "the mount does not list "+p)
		case m.dir != s.dir:
			out = append(out, "the mount shows another kind: "+p)
		case m.size != s.size:
			out = append(out, fmt.Sprintf("the mount shows %d bytes for %s, the server has %d", m.size, p, s.size))
		case m.text != s.text:
			out = append(out, fmt.Sprintf("the mount reads %s from %s, the server has %s", brief(m.text), p, brief(s.text)))
		}
	}
	for p := range mount {
		if _, ok := server[p]; !ok {
			out = append(out, "the mount lists "+p+", which is not there")
		}
	}
	sort.Strings(out)
	return strings.Join(out, "\n")
}
