package fs

import (
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
)

// expectation is the one change that a thread of the helper is telling at the moment.
type expectation struct {
	change    *cache.Change
	reached   atomic.Bool // the call itself came
	committed atomic.Bool // and moved the told view
}

// replayed answers the requests of one helper thread, without asking the server. The kernel holds
// the locks of the directories involved: this is where the told view moves.
type replayed struct {
	f *FileSystem
	x *expectation // nil: the thread is expected to do nothing
}

// unexpected is the answer to what is not expected.
const unexpected = fuse.EACCES

// overtaken is the answer to a call that is no longer what there is to tell.
const overtaken = fuse.Status(syscall.ECANCELED)

func (r replayed) change() *cache.Change {
	if r.x == nil {
		return nil
	}
	return r.x.change
}

// commit moves the told view.
func (r replayed) commit(lookup bool) (cache.View, bool) {
	r.x.reached.Store(true)
	v, ok := r.f.tree.Commit(r.x.change, lookup)
	if ok {
		r.x.committed.Store(true)
	}
	return v, ok
}

// lookup answers for the way to the object from what was told, and for the name that is about to
// appear that it does not exist.
func (r replayed) lookup(h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	c := r.change()
	if c == nil {
		return unexpected
	}
	p := cache.Place{Dir: cache.ID(h.NodeId), Name: name}
	if c.Op == cache.Create && p == c.From || c.Op == cache.Link && p == c.To {
		return fuse.ENOENT
	}
	v := r.told(p)
	if v.ID == 0 {
		return fuse.ENOENT
	}
	r.f.entryOut(v, out, r.f.opts.AttrTimeout)
	if p == c.From || p == c.To || c.Op == cache.Arrive && v.ID == cache.NowhereID {
		out.SetEntryTimeout(0)
	}
	return fuse.OK
}

// told is what the thread finds at p. What arrives comes from a directory that is there for it alone.
func (r replayed) told(p cache.Place) cache.View {
	if c := r.x.change; c.Op == cache.Arrive {
		switch p {
		case cache.Place{Dir: cache.RootID, Name: r.f.nowhere}:
			return r.f.nowhereView()
		case cache.Place{Dir: cache.NowhereID, Name: c.From.Name}:
			v := r.f.tree.Take(c.ID)
			v.Pending = true // it is there for a moment
			return v
		}
	}
	return r.f.tree.Told(p)
}

// nowhereView is the directory in which nobody looks: as the root is.
func (f *FileSystem) nowhereView() cache.View {
	v := f.tree.Object(cache.RootID, time.Now(), 0)
	v.ID, v.Entry.FileID = cache.NowhereID, uint64(cache.NowhereID)
	return v
}

func (r replayed) getAttr(in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	if cache.ID(in.NodeId) == cache.NowhereID {
		r.f.attrOut(r.f.nowhereView(), out)
		return fuse.OK
	}
	v := r.f.tree.Object(cache.ID(in.NodeId), time.Now(), 0)
	if v.ID == 0 {
		return fuse.Status(syscall.ESTALE)
	}
	r.f.attrOut(v, out)
	return fuse.OK
}

func (r replayed) setAttr(in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	const times = fuse.FATTR_ATIME | fuse.FATTR_MTIME | fuse.FATTR_ATIME_NOW | fuse.FATTR_MTIME_NOW |
		fuse.FATTR_CTIME | fuse.FATTR_FH | fuse.FATTR_LOCKOWNER | fuse.FATTR_KILL_SUIDGID
	c := r.change()
	if c == nil || c.Op != cache.Modify && c.Op != cache.Attrib || c.ID != cache.ID(in.NodeId) || in.Valid&^times != 0 {
		return unexpected
	}
	v, ok := r.commit(false)
	if !ok {
		return overtaken
	}
	r.f.attrOut(v, out)
	return fuse.OK
}

// create answers MKNOD, MKDIR and SYMLINK with the node the object has: one it had before keeps
// its watches.
func (r replayed) create(h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	c := r.change()
	if c == nil || c.Op != cache.Create || c.From != (cache.Place{Dir: cache.ID(h.NodeId), Name: name}) {
		return unexpected
	}
	v, ok := r.commit(true)
	if !ok {
		return overtaken
	}
	r.f.entryOut(v, out, r.f.opts.AttrTimeout)
	return fuse.OK
}

func (r replayed) link(in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	c := r.change()
	to := cache.Place{Dir: cache.ID(in.NodeId), Name: name}
	if c == nil || c.Op != cache.Link || c.ID != cache.ID(in.Oldnodeid) || c.To != to {
		return unexpected
	}
	v, ok := r.commit(true)
	if !ok {
		return overtaken
	}
	r.f.entryOut(v, out, r.f.opts.AttrTimeout)
	return fuse.OK
}

// remove answers UNLINK and RMDIR.
func (r replayed) remove(h *fuse.InHeader, name string) fuse.Status {
	c := r.change()
	if c == nil || c.Op != cache.Remove || c.From != (cache.Place{Dir: cache.ID(h.NodeId), Name: name}) {
		return unexpected
	}
	if _, ok := r.commit(false); !ok {
		return overtaken
	}
	return fuse.OK
}

func (r replayed) rename(in *fuse.RenameIn, oldName, newName string) fuse.Status {
	c := r.change()
	from := cache.Place{Dir: cache.ID(in.NodeId), Name: oldName}
	to := cache.Place{Dir: cache.ID(in.Newdir), Name: newName}
	switch {
	case c == nil || in.Flags != 0:
		return unexpected
	case c.Op == cache.Rename && c.From == from && c.To == to:
	case c.Op == cache.Arrive && from == cache.Place{Dir: cache.NowhereID, Name: to.Name} && c.From == to:
	default:
		return unexpected
	}
	if _, ok := r.commit(false); !ok {
		return overtaken
	}
	return fuse.OK
}

func (r replayed) open(in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	c := r.change()
	if c == nil || c.Op != cache.Rest || c.ID != cache.ID(in.NodeId) {
		return unexpected
	}
	if _, ok := r.commit(false); !ok {
		return overtaken
	}
	out.Fh = replayFh
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE | fuse.FOPEN_NOFLUSH
	return fuse.OK
}
