package smbtest

import (
	"strings"
	"sync"
	"time"

	"smbfs/smbclient/wire"
)

// Tree is the share: files and directories in memory. Its methods are changes made on the server itself; paths are separated by
// backslashes, and compared without regard to case.
type Tree struct {
	mu     sync.Mutex
	root   *node                 // guarded by mu, with all below
	nextID uint64                // guarded by mu
	opens  map[wire.FileID]*open // guarded by mu
	clock  wire.Filetime         // guarded by mu: when something changed last
	mute   bool                  // guarded by mu: changes are not told
}

type node struct {
	name     string
	parent   *node // nil: the root, or removed
	children map[string]*node
	data     []byte
	id       uint64
	created  wire.Filetime
	written  wire.Filetime
	attr     wire.FileAttributes
	removing bool // delete pending
	opens    map[*open]bool
}

func (n *node) directory() bool { return n.children != nil }

// open is a FileID in use.
type open struct {
	id       wire.FileID
	conn     *Conn
	node     *node
	scan     []wire.DirEntry // what QUERY_DIRECTORY still has to return
	scanning bool
	watching bool
	tree     bool // SMB2_WATCH_TREE
	buffer   int  // bytes that a notification may have
	queued   []wire.NotifyEvent
	waiting  *Request // a CHANGE_NOTIFY
}

func newTree() *Tree {
	t := &Tree{opens: make(map[wire.FileID]*open)}
	t.root = t.newNode("", true)
	return t
}

// tick returns the time of a change: no two have the same.
//
// Preconditions: mu is held.
func (t *Tree) tick() wire.Filetime {
	t.clock = max(wire.FiletimeOf(time.Now()), t.clock+1)
	return t.clock
}

// newNode makes a node that is nowhere yet.
//
// Preconditions: mu is held.
func (t *Tree) newNode(name string, directory bool) *node {
	t.nextID++
	now := t.tick()
	n := &node{name: name, id: t.nextID, created: now, written: now, attr: wire.AttributeArchive}
	if directory {
		n.children, n.attr = make(map[string]*node), wire.AttributeDirectory
	}
	return n
}

func split(path string) (dir, name string) {
	if i := strings.LastIndexByte(path, '\\'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// find returns the node at path, nil if there is none.
//
// Preconditions: mu is held.
func (t *Tree) find(path string) *node {
	n := t.root
	for path != "" && n != nil {
		var name string
		name, path, _ = strings.Cut(path, `\`)
		n = n.children[strings.ToLower(name)]
	}
	return n
}

// completion is a CHANGE_NOTIFY that is to be answered once mu has been given back.
type completion struct {
	r      *Request
	status wire.Status
	body   Body
}

func send(list []completion) {
	for _, c := range list {
		c.r.Final(c.status, c.body)
	}
}

// changed tells those who watch a directory.
//
// Preconditions: mu is held.
func (t *Tree) changed(dir *node, events ...wire.NotifyEvent) []completion {
	var list []completion
	if t.mute {
		return nil
	}
	prefix := ""
	for n := dir; n != nil; n = n.parent {
		for o := range n.opens {
			if !o.watching || n != dir && !o.tree {
				continue
			}
			for _, e := range events {
				e.Name = prefix + e.Name
				o.queued = append(o.queued, e)
			}
			if o.waiting != nil {
				list = append(list, o.takeEvents(o.waiting))
				o.waiting = nil
			}
		}
		prefix = n.name + `\` + prefix
	}
	return list
}

// opened and closed keep account of a node's opens.
//
// Preconditions: mu is held.
func (t *Tree) opened(o *open) {
	t.opens[o.id] = o
	if o.node.opens == nil {
		o.node.opens = make(map[*open]bool)
	}
	o.node.opens[o] = true
}

func (t *Tree) closed(o *open) {
	delete(t.opens, o.id)
	delete(o.node.opens, o)
}

// takeEvents answers a request with what is queued; what the buffer does not hold is lost (MS-SMB2 3.3.4.4).
func (o *open) takeEvents(r *Request) completion {
	body := &wire.ChangeNotifyResponse{Output: wire.AppendNotifyEvents(nil, o.queued)}
	o.queued = nil
	if len(body.Output) > o.buffer {
		return completion{r, wire.StatusNotifyEnumDir, nil}
	}
	return completion{r, wire.StatusSuccess, body}
}

// attach puts a node into a directory.
//
// Preconditions: mu is held.
func (t *Tree) attach(dir, n *node, name string) []completion {
	n.name, n.parent = name, dir
	dir.children[strings.ToLower(name)] = n
	dir.written = t.tick()
	return t.changed(dir, wire.NotifyEvent{Action: wire.ActionAdded, Name: name})
}

// detach takes a node out of its directory.
//
// Preconditions: mu is held.
func (t *Tree) detach(n *node) []completion {
	if n.parent == nil {
		return nil
	}
	dir := n.parent
	delete(dir.children, strings.ToLower(n.name))
	n.parent = nil
	dir.written = t.tick()
	return t.changed(dir, wire.NotifyEvent{Action: wire.ActionRemoved, Name: n.name})
}

// WriteFile makes a file, or gives it other content. It reports false if its directory is not there.
func (t *Tree) WriteFile(path string, data []byte) bool {
	t.mu.Lock()
	dirPath, name := split(path)
	dir := t.find(dirPath)
	if dir == nil || !dir.directory() {
		t.mu.Unlock()
		return false
	}
	var list []completion
	n := t.find(path)
	if n == nil {
		n = t.newNode(name, false)
		list = t.attach(dir, n, name)
	}
	n.data = append([]byte(nil), data...)
	list = append(list, t.modified(n)...)
	t.mu.Unlock()
	send(list)
	return true
}

// Overwrite gives a file other content under the time that it has, and tells nobody. It reports false if there is none.
func (t *Tree) Overwrite(path string, data []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.find(path)
	if n == nil || n.directory() {
		return false
	}
	n.data = append([]byte(nil), data...)
	return true
}

// modified moves the time of a file and tells of it.
//
// Preconditions: mu is held.
func (t *Tree) modified(n *node) []completion {
	n.written = t.tick()
	if n.parent == nil {
		return nil
	}
	return t.changed(n.parent, wire.NotifyEvent{Action: wire.ActionModified, Name: n.name})
}

// ReadFile returns a copy of the content of a file.
func (t *Tree) ReadFile(path string) ([]byte, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.find(path)
	if n == nil || n.directory() {
		return nil, false
	}
	return append([]byte(nil), n.data...), true
}

// Mkdir makes a directory. It reports false if that cannot be.
func (t *Tree) Mkdir(path string) bool {
	t.mu.Lock()
	dirPath, name := split(path)
	dir := t.find(dirPath)
	if dir == nil || !dir.directory() || t.find(path) != nil {
		t.mu.Unlock()
		return false
	}
	list := t.attach(dir, t.newNode(name, true), name)
	t.mu.Unlock()
	send(list)
	return true
}

// Remove removes a file, or a directory with all below. It reports false if there is none.
func (t *Tree) Remove(path string) bool {
	t.mu.Lock()
	n := t.find(path)
	if n == nil {
		t.mu.Unlock()
		return false
	}
	list := t.detach(n)
	t.mu.Unlock()
	send(list)
	return true
}

// Delete removes a file or directory as another client does: a directory that is open stays until it is closed, nobody can open it meanwhile, and
// those who wait for changes in it are told STATUS_DELETE_PENDING (MS-SMB2 3.3.4.4). It reports false if there is none.
func (t *Tree) Delete(path string) bool {
	t.mu.Lock()
	n := t.find(path)
	if n == nil {
		t.mu.Unlock()
		return false
	}
	var list []completion
	for o := range n.opens {
		if o.waiting != nil {
			list = append(list, completion{o.waiting, wire.StatusDeletePending, nil})
			o.waiting = nil
		}
	}
	if n.removing = true; len(n.opens) == 0 {
		list = append(list, t.detach(n)...)
	}
	t.mu.Unlock()
	send(list)
	return true
}

// Mute has changes not told from now on, or told again. Notify tells what a test wants to be told.
func (t *Tree) Mute(mute bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mute = mute
}

// Rename moves a file or directory. It reports false if that cannot be.
func (t *Tree) Rename(oldPath, newPath string) bool {
	t.mu.Lock()
	n := t.find(oldPath)
	var list []completion
	done := n != nil && t.rename(n, newPath, true, &list) == wire.StatusSuccess
	t.mu.Unlock()
	send(list)
	return done
}

// rename moves a node to a path.
//
// Preconditions: mu is held.
func (t *Tree) rename(n *node, path string, replace bool, list *[]completion) wire.Status {
	dirPath, name := split(path)
	dir := t.find(dirPath)
	if dir == nil || !dir.directory() {
		return wire.StatusObjectPathNotFound
	}
	if target := t.find(path); target != nil && target != n {
		if !replace || target.directory() {
			return wire.StatusObjectNameCollision
		}
		*list = append(*list, t.detach(target)...)
	}
	oldDir, oldName := n.parent, n.name
	if oldDir == nil {
		return wire.StatusAccessDenied
	}
	if oldDir != dir {
		*list = append(*list, t.detach(n)...)
		*list = append(*list, t.attach(dir, n, name)...)
		return wire.StatusSuccess
	}
	delete(dir.children, strings.ToLower(oldName))
	n.name = name
	dir.children[strings.ToLower(name)] = n
	dir.written = t.tick()
	*list = append(*list, t.changed(dir, wire.NotifyEvent{Action: wire.ActionRenamedOldName, Name: oldName},
		wire.NotifyEvent{Action: wire.ActionRenamedNewName, Name: name})...)
	return wire.StatusSuccess
}

// dropConn closes the opens of a connection that has ended.
func (t *Tree) dropConn(c *Conn) {
	t.mu.Lock()
	var list []completion
	for _, o := range t.opens {
		if o.conn != c {
			continue
		}
		if t.closed(o); o.node.removing && len(o.node.opens) == 0 {
			list = append(list, t.detach(o.node)...)
		}
	}
	t.mu.Unlock()
	send(list)
}

// Waiting returns how many CHANGE_NOTIFY requests wait for a change.
func (t *Tree) Waiting() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.opens {
		if o.waiting != nil {
			n++
		}
	}
	return n
}

// Opens returns how many FileIDs are in use.
func (t *Tree) Opens() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.opens)
}
