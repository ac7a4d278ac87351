package fs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"

	"smbfs/cache"
	"smbfs/share"
)

// asidePrefix begins the names of files that local programs have removed but still have open.
const asidePrefix = ".smbfs-removed-"

// setAside frees the name of an open file that is to be removed: the server would keep the name as
// long as the file is open. The file gets a name that is shown to nobody. Removed by that name, it
// goes when its last handle is closed; an rmdir of its directory waits a little for that. A server that removes open files at once, as POSIX does,
// needs none of this, but not all that say they do can be believed.
//
// What is at the name by now may be another object, of which the kernel knows nothing yet: that is not set aside, and nil is returned.
func (f *FileSystem) setAside(ctx context.Context, id cache.ID, p cache.Place, path string, fileID uint64) (*asideFile, error) {
	var b [8]byte
	_, _ = rand.Read(b[:])
	a := &asideFile{f: f, place: cache.Place{Dir: p.Dir, Name: asidePrefix + hex.EncodeToString(b[:])}, former: path, fileID: fileID}
	a.path = a.place.Name
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		a.path = path[:i+1] + a.place.Name
	}
	f.tree.Hide(a.place)
	if err := f.share.SetAside(ctx, path, a.path, fileID); err != nil {
		f.tree.Unhide(a.place)
		if errors.Is(err, share.ErrReplaced) {
			return nil, nil
		}
		return nil, err
	}
	f.handles.setAside(id, p.Dir)
	return a, nil
}

// asideFile is a file that was set aside.
type asideFile struct {
	f            *FileSystem
	place        cache.Place
	path, former string
	fileID       uint64
}

// remove removes it; it goes when its last handle is closed.
func (a *asideFile) remove(ctx context.Context) error {
	return a.f.share.Remove(ctx, a.path, false, a.fileID)
}

// putBack gives it its name back, whoever has gone away meanwhile. If that cannot be, it is shown under the name that it has.
func (a *asideFile) putBack(ctx context.Context) {
	if err := a.f.share.Rename(context.WithoutCancel(ctx), a.path, a.former, false, a.fileID); err != nil {
		a.show(err)
		return
	}
	a.f.tree.Unhide(a.place)
}

// show has the file seen under the name that it has.
func (a *asideFile) show(err error) {
	a.f.log.Warn("a file that was to be removed is there under another name", "path", a.path, "was", a.former, "err", err)
	a.f.tree.Unhide(a.place)
}
