package fs

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
)

// dirHandle is an open directory: a listing that stays as it is while it is read.
type dirHandle struct {
	id    cache.ID
	order order        // of the directories in it, none yet
	mu    sync.Mutex   // held while the listing is made, also over the network: it is for nothing else
	names []cache.Name // guarded by mu; nil: not listed yet
}

// OpenDir answers OPENDIR. The directory is watched from now on. While its names are known the kernel keeps its listing, and gives it out again as
// long as the attributes are good that came with it. A call that tells a change has the kernel drop it, as a local program's own change does.
func (f *FileSystem) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	id := cache.ID(in.NodeId)
	f.engine.Use(id)
	f.engine.UsedBy(in.Pid)
	out.Fh = f.dirs.add(&dirHandle{id: id, order: f.entered(id)})
	if f.engine.Coherent(id) > 0 {
		out.OpenFlags = fuse.FOPEN_CACHE_DIR
		if f.dirs.readWithin(id, time.Now(), f.listingKept()) {
			out.OpenFlags |= fuse.FOPEN_KEEP_CACHE
		}
	}
	return fuse.OK
}

// ReleaseDir answers RELEASEDIR.
func (f *FileSystem) ReleaseDir(in *fuse.ReleaseIn) { f.dirs.remove(in.Fh) }

// ReadDir answers READDIR.
func (f *FileSystem) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return f.readDir(cancel, in, func(_ cache.ID, e fuse.DirEntry) bool { return out.AddDirEntry(e) })
}

// ReadDirPlus answers READDIRPLUS: every entry counts as a LOOKUP.
func (f *FileSystem) ReadDirPlus(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	believed, recent := f.namesFor(cache.ID(in.NodeId)), recent
	if in.Offset == 0 {
		f.dirs.noteRead(cache.ID(in.NodeId), time.Now(), f.listingKept())
	}
	if f.Offline().Now {
		recent = cache.Freshness{Names: allTimes, Attributes: allTimes}
	}
	return f.readDir(cancel, in, func(dir cache.ID, e fuse.DirEntry) bool {
		entry := out.AddDirLookupEntry(e)
		if entry == nil {
			return false
		}
		if e.Name == "." || e.Name == ".." {
			return true
		}
		v := f.tree.Lookup(cache.Place{Dir: dir, Name: e.Name}, time.Now(), recent)
		if v.ID != 0 { // else gone meanwhile: the name alone
			f.entryOut(v, entry, believed)
		}
		return true
	})
}

// recent accepts what a listing has just brought.
var recent = cache.Freshness{Names: time.Minute, Attributes: time.Minute}

func (f *FileSystem) readDir(cancel <-chan struct{}, in *fuse.ReadIn, add func(cache.ID, fuse.DirEntry) bool) fuse.Status {
	h := f.dirs.get(in.Fh)
	if h == nil {
		return fuse.EBADF
	}
	ctx, done := f.within(cancel)
	defer done()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.names == nil || in.Offset == 0 {
		names, err := f.names(ctx, h.id)
		if err != nil {
			return errno(err)
		}
		h.names = names
		f.walks.given(h.order, names)
	}
	for i := int(in.Offset); i < len(h.names); i++ {
		n := h.names[i]
		e := fuse.DirEntry{Name: n.Name, Ino: n.View.Entry.FileID, Mode: f.mode(n.View.Entry), Off: uint64(i) + 1}
		if !add(h.id, e) {
			break
		}
	}
	return fuse.OK
}

// names lists a directory for a local program, "." and ".." first.
func (f *FileSystem) names(ctx context.Context, id cache.ID) ([]cache.Name, error) {
	if !f.tree.Complete(id, time.Now(), f.opts.AttrTimeout) {
		_, err := fromMemory(ctx, f, func(ctx context.Context) (bool, error) { return true, f.listed(ctx, id) }, func() (bool, bool) {
			return true, f.engine.Remembers(id) && f.tree.Complete(id, time.Now(), allTimes)
		})
		if err != nil {
			return nil, err
		}
	}
	self := f.tree.Object(id, time.Now(), 0)
	names := []cache.Name{{Name: ".", View: self}, {Name: "..", View: self}}
	list := f.tree.List(id)
	slices.SortFunc(list, func(a, b cache.Name) int { return cmp.Compare(a.Name, b.Name) })
	return append(names, list...), nil
}

// refresh lists a directory on the server and takes what it finds into the tree. Names that a
// watched directory seems to lack are left to the engine to ask for.
func (f *FileSystem) refresh(ctx context.Context, id cache.ID) error {
	return f.refreshBy(ctx, id, func(ctx context.Context, path string) ([]cache.Observation, error) {
		return f.share.List(ctx, path, f.tree.Entries(id))
	})
}

func (f *FileSystem) refreshBy(ctx context.Context, id cache.ID, list func(ctx context.Context, path string) ([]cache.Observation, error)) error {
	path, ok := f.tree.Path(id)
	if !ok {
		return f.gone(id)
	}
	asOf, now := f.tree.Now(), time.Now()
	entries, err := list(ctx, path)
	if err != nil {
		return err
	}
	f.engine.Listed(ctx, id, entries)
	missing, _ := f.tree.Compare(id, asOf, now, entries)
	f.engine.Look(id, missing)
	return nil
}

// dirHandles is the table of open directories.
type dirHandles struct {
	mu   sync.Mutex
	last uint64                // guarded by mu
	byFh map[uint64]*dirHandle // guarded by mu

	// When the kernel last began to read a directory with its attributes: since turned, and before. Guarded by mu.
	read, readBefore map[cache.ID]time.Time
	turned           time.Time
}

// listingKept is how long after the kernel began to read a directory it may use what it read again.
func (f *FileSystem) listingKept() time.Duration { return f.opts.AttrTimeout / 2 }

// noteRead notes that the kernel begins to read a directory, for readWithin of at most keep.
func (t *dirHandles) noteRead(id cache.ID, now time.Time, keep time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.read == nil || now.Sub(t.turned) > keep {
		t.readBefore, t.read, t.turned = t.read, map[cache.ID]time.Time{}, now
	}
	t.read[id] = now
}

// readWithin reports whether the kernel began to read a directory less than age before now.
func (t *dirHandles) readWithin(id cache.ID, now time.Time, age time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	began, ok := t.read[id]
	if !ok {
		began, ok = t.readBefore[id]
	}
	return ok && now.Sub(began) < age
}

func (t *dirHandles) add(h *dirHandle) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byFh == nil {
		t.byFh = map[uint64]*dirHandle{}
	}
	t.last++
	t.byFh[t.last] = h
	return t.last
}

func (t *dirHandles) get(fh uint64) *dirHandle {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byFh[fh]
}

func (t *dirHandles) remove(fh uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byFh, fh)
}
