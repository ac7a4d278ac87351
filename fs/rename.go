package fs

import (
	"context"
	"syscall"

	"smbfs/cache"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// renaming is one rename(2) on the server.
type renaming struct {
	f                *FileSystem
	from, to         cache.Place
	oldPath, newPath string
	replace          bool
}

// do renames. An open target is set aside first, and put back if the rename fails.
func (r renaming) do(ctx context.Context) error {
	target, e := r.f.tree.TrueOccupant(r.to)
	if !r.replace || target == 0 || e.Kind != cache.File || !r.f.handles.awaitClosed(target) {
		return r.rename(ctx)
	}
	aside, err := r.f.setAside(ctx, target, r.to, r.newPath, e.FileID)
	if err != nil {
		return err
	}
	if aside == nil { // another object has the name
		if err = r.rename(ctx); smbclient.HasStatus(err, wire.StatusObjectNameCollision) {
			return syscall.EISDIR // nothing else is in the way of what replaces
		}
		return err
	}
	if err := r.rename(ctx); err != nil {
		aside.putBack(ctx)
		return err
	}
	if err := aside.remove(ctx); err != nil { // what was asked for is done
		aside.show(err)
	}
	return nil
}

// rename does what the server will not do in one go.
func (r renaming) rename(ctx context.Context) error {
	err := r.again(ctx)
	if err == nil || !smbclient.HasStatus(err, wire.StatusAccessDenied, wire.StatusSharingViolation, wire.StatusObjectNameCollision) {
		return err
	}
	_, m := r.f.tree.TrueOccupant(r.from)
	target, e := r.f.tree.TrueOccupant(r.to)
	switch {
	case m.Kind == cache.Directory && r.replace && target != 0 && e.Kind == cache.Directory:
		return r.overDirectory(ctx, target, e.FileID)
	case m.Kind == cache.Directory && smbclient.HasStatus(err, wire.StatusAccessDenied, wire.StatusSharingViolation):
		return r.directory(ctx, err)
	case r.replace && target != 0 && wire.FileAttributes(e.Flags)&wire.AttributeReadonly != 0:
		if removed := r.f.share.Remove(ctx, r.newPath, false, e.FileID); removed != nil {
			return removed
		}
		return r.again(ctx)
	}
	return err
}

func (r renaming) again(ctx context.Context) error {
	_, e := r.f.tree.TrueOccupant(r.from)
	return r.f.share.Rename(ctx, r.oldPath, r.newPath, r.replace, e.FileID)
}

// overDirectory removes the directory in the way, which has to be empty.
func (r renaming) overDirectory(ctx context.Context, target cache.ID, fileID uint64) error {
	defer r.f.engine.Release(ctx, target)()
	if err := r.f.share.Remove(ctx, r.newPath, true, fileID); err != nil {
		r.f.engine.Use(target)
		return err
	}
	err := r.again(ctx)
	if smbclient.HasStatus(err, wire.StatusAccessDenied, wire.StatusSharingViolation) {
		return r.directory(ctx, err)
	}
	return err
}

// directory renames a directory that the server keeps where it is while anything below is open:
// first our files are closed for that moment, and if that is not enough, the watches too.
func (r renaming) directory(ctx context.Context, refused error) error {
	moving, _ := r.f.tree.TrueOccupant(r.from)
	if suspended, ok := r.f.suspendBelow(ctx, moving); ok {
		err := r.again(ctx)
		suspended.resume(ctx, r.oldPath, r.newPath, err == nil)
		if !smbclient.HasStatus(err, wire.StatusAccessDenied, wire.StatusSharingViolation) {
			return err
		}
	}
	resume, n := r.f.engine.ReleaseBelow(ctx, moving)
	defer resume()
	if n == 0 {
		return refused
	}
	err := r.again(ctx)
	if err == nil {
		r.f.engine.Blocked()
	}
	return err
}
