package fs

import (
	"os"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
)

// guard stands before the file system where other users may use a mount that an ordinary user
// made: the kernel checks nothing there, since it would refuse the replay helper too. It holds
// callers to the owner, group and mode that are shown. Root and the mount's user pass; of a
// caller's groups only the first is known.
type guard struct {
	*FileSystem
	user uint32 // who mounted
}

// What a caller wants, as in access(2).
const (
	wantX = 1
	wantW = 2
	wantR = 4
)

// local returns what answers local programs.
func (f *FileSystem) local() fuse.RawFileSystem {
	if f.opts.AllowOther && os.Geteuid() != 0 {
		return guard{f, uint32(os.Geteuid())}
	}
	return f
}

// permits reports whether the caller may do what it wants with the object of the request.
func (g guard) permits(h *fuse.InHeader, want uint32) bool {
	if h.Uid == 0 || h.Uid == g.user {
		return true
	}
	v := g.tree.Object(cache.ID(h.NodeId), time.Now(), 0)
	mode := g.mode(v.Entry)
	switch {
	case h.Uid == g.opts.UID:
		mode >>= 6
	case h.Gid == g.opts.GID:
		mode >>= 3
	}
	return mode&want == want
}

// owns reports whether the caller may change attributes.
func (g guard) owns(h *fuse.InHeader) bool {
	return h.Uid == 0 || h.Uid == g.user || h.Uid == g.opts.UID
}

func (g guard) Lookup(cancel <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if !g.permits(h, wantX) {
		return fuse.EACCES
	}
	return g.FileSystem.Lookup(cancel, h, name, out)
}

func (g guard) Access(cancel <-chan struct{}, in *fuse.AccessIn) fuse.Status {
	if !g.permits(&in.InHeader, in.Mask&(wantR|wantW|wantX)) {
		return fuse.EACCES
	}
	return g.FileSystem.Access(cancel, in)
}

func (g guard) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	const content = fuse.FATTR_SIZE | fuse.FATTR_ATIME_NOW | fuse.FATTR_MTIME_NOW
	allowed := g.owns(&in.InHeader)
	if !allowed && in.Valid&(fuse.FATTR_MODE|fuse.FATTR_UID|fuse.FATTR_GID) == 0 && in.Valid&content != 0 {
		allowed = g.permits(&in.InHeader, wantW)
	}
	if !allowed {
		return fuse.EPERM
	}
	return g.FileSystem.SetAttr(cancel, in, out)
}

func (g guard) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	if !g.permits(&in.InHeader, wantW|wantX) {
		return fuse.EACCES
	}
	return g.FileSystem.Mknod(cancel, in, name, out)
}

func (g guard) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	if !g.permits(&in.InHeader, wantW|wantX) {
		return fuse.EACCES
	}
	return g.FileSystem.Mkdir(cancel, in, name, out)
}

func (g guard) Symlink(cancel <-chan struct{}, h *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	if !g.permits(h, wantW|wantX) {
		return fuse.EACCES
	}
	return g.FileSystem.Symlink(cancel, h, target, name, out)
}

func (g guard) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	if !g.permits(&in.InHeader, wantW|wantX) {
		return fuse.EACCES
	}
	return g.FileSystem.Link(cancel, in, name, out)
}

func (g guard) Unlink(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	if !g.permits(h, wantW|wantX) {
		return fuse.EACCES
	}
	return g.FileSystem.Unlink(cancel, h, name)
}

func (g guard) Rmdir(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	if !g.permits(h, wantW|wantX) {
		return fuse.EACCES
	}
	return g.FileSystem.Rmdir(cancel, h, name)
}

func (g guard) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	to := in.InHeader
	to.NodeId = in.Newdir
	if !g.permits(&in.InHeader, wantW|wantX) || !g.permits(&to, wantW|wantX) {
		return fuse.EACCES
	}
	return g.FileSystem.Rename(cancel, in, oldName, newName)
}

func (g guard) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	if !g.permits(&in.InHeader, wantW|wantX) {
		return fuse.EACCES
	}
	return g.FileSystem.Create(cancel, in, name, out)
}

func (g guard) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	want := uint32(0)
	how := opening(in.Flags &^ syscall.O_CREAT)
	if how.Read {
		want |= wantR
	}
	if how.Write {
		want |= wantW
	}
	if !g.permits(&in.InHeader, want) {
		return fuse.EACCES
	}
	return g.FileSystem.Open(cancel, in, out)
}

func (g guard) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if !g.permits(&in.InHeader, wantR) {
		return fuse.EACCES
	}
	return g.FileSystem.OpenDir(cancel, in, out)
}
