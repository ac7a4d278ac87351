package replay

import (
	"path"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// memFS is a small tree in memory that answers the workers as package fs does: what
// others see may already be true while the replay of it is still to come.
type memFS struct {
	fuse.RawFileSystem
	timeout time.Duration // for entries, attributes and negative answers

	mu     sync.Mutex
	helper *Helper          // nil until started: then introductions are missed
	nodes  map[uint64]*node // never forgotten
	ghosts map[string]*node // by path: gone for others, remembered for the workers
	seen   []seen           // calls that change something, and all of workers
	hold   map[string]*held // by operation: a worker's call waits here
}

type node struct {
	id, links    uint64
	mode         uint32
	mtime, atime time.Time
	target       string
	parent       *node
	name         string
	children     map[string]*node
}

// seen is a call as a handler saw it.
type seen struct {
	op, path string
	worker   bool
	expected bool // the worker's expectation was this very call
}

// held makes a handler wait: arrived is closed when it does, and it goes on after release.
type held struct {
	arrived, released chan struct{}
	once              sync.Once
}

func (h *held) release() { h.once.Do(func() { close(h.released) }) }

func newMemFS(timeout time.Duration) *memFS {
	fs := &memFS{
		RawFileSystem: fuse.NewDefaultRawFileSystem(),
		timeout:       timeout,
		nodes:         map[uint64]*node{},
		ghosts:        map[string]*node{},
		hold:          map[string]*held{},
	}
	fs.newNode(syscall.S_IFDIR | 0o755)
	return fs
}

func (fs *memFS) newNode(mode uint32) *node {
	n := &node{id: uint64(len(fs.nodes) + 1), mode: mode, links: 1, mtime: time.Unix(1e9, 0), atime: time.Unix(1e9, 0)}
	if mode&syscall.S_IFMT == syscall.S_IFDIR {
		n.children = map[string]*node{}
	}
	fs.nodes[n.id] = n
	return n
}

func (n *node) path() string {
	if n.parent == nil {
		return ""
	}
	return path.Join(n.parent.path(), n.name)
}

func (n *node) attach(parent *node, name string) {
	n.parent, n.name = parent, name
	parent.children[name] = n
}

// add puts an object into the tree, as if the server had it.
func (fs *memFS) add(p string, mode uint32) { fs.addLink(p, mode, "") }

func (fs *memFS) addLink(p string, mode uint32, target string) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n := fs.newNode(mode)
	n.target = target
	n.attach(fs.find(path.Dir(p)), path.Base(p))
}

// find gives nil for what is not there.
func (fs *memFS) find(p string) *node {
	n := fs.nodes[1]
	if p == "" || p == "." {
		return n
	}
	parent := fs.find(path.Dir(p))
	if parent == nil {
		return nil
	}
	return parent.children[path.Base(p)]
}

// get gives a copy of what is at p, which must be there.
func (fs *memFS) get(p string) node {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return *fs.find(p)
}

func (fs *memFS) exists(p string) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.find(p) != nil
}

// makeGhost removes p for all but the workers.
func (fs *memFS) makeGhost(p string) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n := fs.find(p)
	delete(n.parent.children, n.name)
	fs.ghosts[p] = n
}

func (fs *memFS) setHelper(h *Helper) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.helper = h
}

func (fs *memFS) calls() []seen {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return append([]seen(nil), fs.seen...)
}

// holdNext makes the next call of op by a worker wait.
func (fs *memFS) holdNext(op string) *held {
	h := &held{arrived: make(chan struct{}), released: make(chan struct{})}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.hold[op] = h
	return h
}

// judge records a call and says who made it. A worker is answered only if the call is
// the one that is expected of it, as package fs must have it.
func (fs *memFS) judge(pid uint32, op, p string, ops ...Op) (call *Call, worker, ok bool) {
	fs.mu.Lock()
	helper, h := fs.helper, fs.hold[op]
	fs.mu.Unlock()
	if helper == nil {
		return nil, false, true
	}
	expect, worker := helper.Worker(pid)
	if !worker {
		h = nil
	}
	call, _ = expect.(*Call)
	matches := false
	for _, o := range ops {
		matches = matches || call != nil && call.Op == o && p == path.Join(call.Dir, call.Name)
	}
	fs.mu.Lock()
	fs.seen = append(fs.seen, seen{op, p, worker, matches})
	if h != nil {
		delete(fs.hold, op)
	}
	fs.mu.Unlock()
	if h != nil {
		close(h.arrived)
		<-h.released
	}
	return call, worker, !worker || matches
}

func (fs *memFS) entry(n *node, out *fuse.EntryOut) {
	out.NodeId, out.Generation = n.id, 1
	out.SetEntryTimeout(fs.timeout)
	out.SetAttrTimeout(fs.timeout)
	fs.attr(n, &out.Attr)
}

func (fs *memFS) attr(n *node, out *fuse.Attr) {
	out.Ino, out.Mode, out.Nlink = n.id, n.mode, uint32(n.links)
	out.SetTimes(&n.atime, &n.mtime, &n.mtime)
	out.Owner = *fuse.CurrentOwner()
}

// creates tells whether call makes p.
func creates(call *Call, p string) bool {
	if call == nil {
		return false
	}
	switch call.Op {
	case Mknod, Mkdir, Symlink:
		return p == path.Join(call.Dir, call.Name)
	case Link:
		return p == path.Join(call.NewDir, call.NewName)
	}
	return false
}

func (fs *memFS) Lookup(_ <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	fs.mu.Lock()
	helper, p := fs.helper, path.Join(fs.nodes[h.NodeId].path(), name)
	fs.mu.Unlock()
	if helper == nil {
		return fuse.ENOENT
	}
	if h.NodeId == fuse.FUSE_ROOT_ID && helper.Introduce(h.Pid, name) {
		return fuse.ENOENT
	}
	expect, worker := helper.Worker(h.Pid)
	call, _ := expect.(*Call)
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n := fs.nodes[h.NodeId].children[name]
	switch {
	case worker && call == nil:
		return fuse.EPERM
	case worker && creates(call, p):
		return fuse.ENOENT
	case worker && n == nil:
		n = fs.ghosts[p]
	}
	if n == nil {
		if worker || fs.timeout == 0 {
			return fuse.ENOENT
		}
		out.SetEntryTimeout(fs.timeout) // a negative entry
		return fuse.OK
	}
	fs.entry(n, out)
	return fuse.OK
}

func (fs *memFS) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	out.SetTimeout(fs.timeout)
	fs.attr(fs.nodes[in.NodeId], &out.Attr)
	return fuse.OK
}

func (fs *memFS) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	fs.mu.Lock()
	n := fs.nodes[in.NodeId]
	p := n.path()
	fs.mu.Unlock()
	if _, _, ok := fs.judge(in.Pid, "SETATTR", p, Modify, Attrib); !ok {
		return fuse.EPERM
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if t, ok := in.GetMTime(); ok {
		n.mtime = t
	}
	if t, ok := in.GetATime(); ok {
		n.atime = t
	}
	out.SetTimeout(fs.timeout)
	fs.attr(n, &out.Attr)
	return fuse.OK
}

// create is all of MKNOD, MKDIR and SYMLINK. For a worker the object may be there
// already, and keeps its node.
func (fs *memFS) create(h *fuse.InHeader, op, name, target string, mode uint32, want Op, out *fuse.EntryOut) fuse.Status {
	fs.mu.Lock()
	parent := fs.nodes[h.NodeId]
	p := path.Join(parent.path(), name)
	fs.mu.Unlock()
	_, worker, ok := fs.judge(h.Pid, op, p, want)
	if !ok {
		return fuse.EPERM
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n := parent.children[name]
	if n != nil && !worker {
		return fuse.Status(syscall.EEXIST)
	}
	if n == nil {
		n = fs.newNode(mode)
		n.target = target
		n.attach(parent, name)
	}
	fs.entry(n, out)
	return fuse.OK
}

func (fs *memFS) Mknod(_ <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	return fs.create(&in.InHeader, "MKNOD", name, "", in.Mode, Mknod, out)
}

func (fs *memFS) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return fs.create(&in.InHeader, "MKDIR", name, "", in.Mode|syscall.S_IFDIR, Mkdir, out)
}

func (fs *memFS) Symlink(_ <-chan struct{}, h *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	return fs.create(h, "SYMLINK", name, target, syscall.S_IFLNK|0o777, Symlink, out)
}

func (fs *memFS) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	fs.mu.Lock()
	n, parent := fs.nodes[in.Oldnodeid], fs.nodes[in.NodeId]
	p := n.path()
	fs.mu.Unlock()
	if _, _, ok := fs.judge(in.Pid, "LINK", p, Link); !ok {
		return fuse.EPERM
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n.links++
	parent.children[name] = n
	fs.entry(n, out)
	return fuse.OK
}

func (fs *memFS) remove(h *fuse.InHeader, op, name string, want Op) fuse.Status {
	fs.mu.Lock()
	parent := fs.nodes[h.NodeId]
	p := path.Join(parent.path(), name)
	fs.mu.Unlock()
	if _, _, ok := fs.judge(h.Pid, op, p, want); !ok {
		return fuse.EPERM
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	delete(fs.ghosts, p)
	delete(parent.children, name)
	return fuse.OK
}

func (fs *memFS) Unlink(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return fs.remove(h, "UNLINK", name, Unlink)
}

func (fs *memFS) Rmdir(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return fs.remove(h, "RMDIR", name, Rmdir)
}

func (fs *memFS) Rename(_ <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	fs.mu.Lock()
	from, to := fs.nodes[in.NodeId], fs.nodes[in.Newdir]
	p := path.Join(from.path(), oldName)
	fs.mu.Unlock()
	if _, _, ok := fs.judge(in.Pid, "RENAME", p, Rename); !ok {
		return fuse.EPERM
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n := from.children[oldName]
	delete(from.children, oldName)
	n.attach(to, newName)
	return fuse.OK
}

func (fs *memFS) Readlink(_ <-chan struct{}, h *fuse.InHeader) ([]byte, fuse.Status) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return []byte(fs.nodes[h.NodeId].target), fuse.OK
}

func (fs *memFS) Access(<-chan struct{}, *fuse.AccessIn) fuse.Status { return fuse.OK }

func (fs *memFS) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	fs.mu.Lock()
	p := fs.nodes[in.NodeId].path()
	fs.mu.Unlock()
	if _, _, ok := fs.judge(in.Pid, "OPEN", p, CloseWrite); !ok {
		return fuse.EPERM
	}
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	return fuse.OK
}

func (fs *memFS) OpenDir(<-chan struct{}, *fuse.OpenIn, *fuse.OpenOut) fuse.Status { return fuse.OK }

func (fs *memFS) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.OK }
