package fs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"smbfs/cache"
)

// Servers do not rename a directory while files below it are open on the same connection; local
// file systems do. Our own handles are closed for the moment of the rename and opened again
// afterwards. Reads and writes wait meanwhile.

// suspension is the handles that are closed for a moment, each locked for use.
type suspension struct {
	f       *FileSystem
	handles []*handle
	paths   []string // where each file was
}

// suspendBelow closes the open files below a directory. It reports false, with nothing done, if
// there is none, or one that could not be opened again because it is removed.
func (f *FileSystem) suspendBelow(ctx context.Context, dir cache.ID) (*suspension, bool) {
	s := &suspension{f: f}
	for _, h := range f.handles.all() { // in one order for everybody
		if !f.tree.Below(h.id, dir) {
			continue
		}
		path, ok := f.tree.Path(h.id)
		if !ok {
			return nil, false
		}
		_ = f.settle(ctx, h.id)
		s.handles, s.paths = append(s.handles, h), append(s.paths, path)
	}
	if len(s.handles) == 0 {
		return nil, false
	}
	for _, h := range s.handles {
		h.use.Lock()
		_, _ = h.open.Close(ctx)
	}
	return s, true
}

// resume opens the files again, where they are now. A file that cannot be opened stays closed:
// what uses it fails with ESTALE.
func (s *suspension) resume(ctx context.Context, oldPath, newPath string, moved bool) {
	ctx = context.WithoutCancel(ctx)
	for i, h := range s.handles {
		path := s.paths[i]
		if rest, below := strings.CutPrefix(path, oldPath+"/"); moved && below {
			path = newPath + "/" + rest
		}
		o, id, err := s.f.share.Reopen(ctx, h.open, path)
		switch {
		case err != nil:
			s.f.log.Warn("a file is lost to the programs that had it open below a directory that moved", "err", err)
		case !s.f.tree.HasFileID(h.id, id):
			_, _ = o.Close(ctx)
		default:
			h.open = o
		}
		h.use.Unlock()
	}
}

// all returns the handles that are not being closed, the oldest first.
func (t *handles) all() []*handle {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var fhs []uint64
	for fh, h := range t.byFh {
		if !h.isClosing() {
			fhs = append(fhs, fh)
		}
	}
	slices.SortFunc(fhs, cmp.Compare)
	list := make([]*handle, len(fhs))
	for i, fh := range fhs {
		list[i] = t.byFh[fh]
	}
	return list
}
