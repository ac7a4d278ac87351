package fs

import "github.com/hanwen/go-fuse/v2/fuse"

// gate is what go-fuse serves: it sends a request of the replay helper's to replayed, which knows
// nothing but what that thread is expected to do, and everything else to what answers local
// programs. What the helper has no business with is refused to it here.
type gate struct {
	fuse.RawFileSystem // answers local programs
	f                  *FileSystem
}

var _ fuse.RawFileSystem = gate{}

// replayer returns the expectation of the calling thread, and whether it is one of the helper's.
func (g gate) replayer(h *fuse.InHeader) (replayed, bool) {
	value, worker := g.f.helper.Worker(h.Pid)
	if !worker {
		return replayed{}, false
	}
	x, _ := value.(*expectation)
	return replayed{g.f, x}, true
}

// refused reports whether a request that the helper never sends comes from it.
func (g gate) refused(h *fuse.InHeader) bool {
	_, worker := g.f.helper.Worker(h.Pid)
	return worker
}

func (g gate) Lookup(cancel <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if h.NodeId == fuse.FUSE_ROOT_ID && g.f.helper.Introduce(h.Pid, name) {
		return fuse.ENOENT
	}
	if r, ok := g.replayer(h); ok {
		return r.lookup(h, name, out)
	}
	return g.RawFileSystem.Lookup(cancel, h, name, out)
}

func (g gate) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	if r, ok := g.replayer(&in.InHeader); ok {
		return r.getAttr(in, out)
	}
	return g.RawFileSystem.GetAttr(cancel, in, out)
}

func (g gate) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if r, ok := g.replayer(&in.InHeader); ok {
		return r.setAttr(in, out)
	}
	return g.RawFileSystem.SetAttr(cancel, in, out)
}

func (g gate) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	if r, ok := g.replayer(&in.InHeader); ok {
		return r.create(&in.InHeader, name, out)
	}
	return g.RawFileSystem.Mknod(cancel, in, name, out)
}

func (g gate) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	if r, ok := g.replayer(&in.InHeader); ok {
		return r.create(&in.InHeader, name, out)
	}
	return g.RawFileSystem.Mkdir(cancel, in, name, out)
}

func (g gate) Symlink(cancel <-chan struct{}, h *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	if r, ok := g.replayer(h); ok {
		return r.create(h, name, out)
	}
	return g.RawFileSystem.Symlink(cancel, h, target, name, out)
}

func (g gate) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	if r, ok := g.replayer(&in.InHeader); ok {
		return r.link(in, name, out)
	}
	return g.RawFileSystem.Link(cancel, in, name, out)
}

func (g gate) Unlink(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	if r, ok := g.replayer(h); ok {
		return r.remove(h, name)
	}
	return g.RawFileSystem.Unlink(cancel, h, name)
}

func (g gate) Rmdir(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	if r, ok := g.replayer(h); ok {
		return r.remove(h, name)
	}
	return g.RawFileSystem.Rmdir(cancel, h, name)
}

func (g gate) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	if r, ok := g.replayer(&in.InHeader); ok {
		return r.rename(in, oldName, newName)
	}
	return g.RawFileSystem.Rename(cancel, in, oldName, newName)
}

func (g gate) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if r, ok := g.replayer(&in.InHeader); ok {
		return r.open(in, out)
	}
	return g.RawFileSystem.Open(cancel, in, out)
}

// Flush tells a replayed close by its handle.
func (g gate) Flush(cancel <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	if in.Fh == replayFh {
		return fuse.OK
	}
	return g.RawFileSystem.Flush(cancel, in)
}

// Release tells a replayed close by its handle: the request does not come from the caller's thread.
func (g gate) Release(cancel <-chan struct{}, in *fuse.ReleaseIn) {
	if in.Fh != replayFh {
		g.RawFileSystem.Release(cancel, in)
	}
}

func (g gate) Readlink(cancel <-chan struct{}, h *fuse.InHeader) ([]byte, fuse.Status) {
	if g.refused(h) {
		return nil, fuse.EACCES
	}
	return g.RawFileSystem.Readlink(cancel, h)
}

func (g gate) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	if g.refused(&in.InHeader) {
		return fuse.EACCES
	}
	return g.RawFileSystem.Create(cancel, in, name, out)
}

func (g gate) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if g.refused(&in.InHeader) {
		return fuse.EACCES
	}
	return g.RawFileSystem.OpenDir(cancel, in, out)
}

func (g gate) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	if g.refused(&in.InHeader) {
		return nil, fuse.EACCES
	}
	return g.RawFileSystem.Read(cancel, in, buf)
}

func (g gate) Write(cancel <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	if g.refused(&in.InHeader) {
		return 0, fuse.EACCES
	}
	return g.RawFileSystem.Write(cancel, in, data)
}

func (g gate) Writev(cancel <-chan struct{}, in *fuse.WriteIn, data [][]byte) (uint32, fuse.Status) {
	if g.refused(&in.InHeader) {
		return 0, fuse.EACCES
	}
	return g.RawFileSystem.Writev(cancel, in, data)
}

func (g gate) CopyFileRange(cancel <-chan struct{}, in *fuse.CopyFileRangeIn) (uint32, fuse.Status) {
	if g.refused(&in.InHeader) {
		return 0, fuse.EACCES
	}
	return g.RawFileSystem.CopyFileRange(cancel, in)
}

func (g gate) GetLk(cancel <-chan struct{}, in *fuse.LkIn, out *fuse.LkOut) fuse.Status {
	if g.refused(&in.InHeader) {
		return fuse.EACCES
	}
	return g.RawFileSystem.GetLk(cancel, in, out)
}

func (g gate) SetLk(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	if g.refused(&in.InHeader) {
		return fuse.EACCES
	}
	return g.RawFileSystem.SetLk(cancel, in)
}

func (g gate) SetLkw(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	if g.refused(&in.InHeader) {
		return fuse.EACCES
	}
	return g.RawFileSystem.SetLkw(cancel, in)
}
