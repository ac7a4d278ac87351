package fs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"smbfs/cache"
)

// asidePrefix begins the names of files that local programs have removed but still have open.
const asidePrefix = ".smbfs-removed-"

// setAside frees the name of an open file that is to be removed: the server would keep the name as
// long as the file is open. The file gets a name that is shown to nobody. Removed by that name, it
// goes when its last handle is closed; an rmdir of its directory waits a little for that. A server that removes open files at once, as POSIX does,
// needs none of this, but not all that say they do can be believed.
func (f *FileSystem) setAside(ctx context.Context, id cache.ID, p cache.Place, path string, fileID uint64) (asidePath string, err error) {
	var b [8]byte
	_, _ = rand.Read(b[:])
	aside := cache.Place{Dir: p.Dir, Name: asidePrefix + hex.EncodeToString(b[:])}
	asidePath = aside.Name
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		asidePath = path[:i+1] + aside.Name
	}
	f.tree.Hide(aside)
	if err = f.share.Rename(ctx, path, asidePath, false, fileID); err != nil {
		f.tree.Unhide(aside)
		return "", err
	}
	f.handles.setAside(id, p.Dir)
	return asidePath, nil
}
