package doctor

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// cleanTimeout bounds the cleaning up, another connection included.
const cleanTimeout = 15 * time.Second

// note writes down what is about to be made.
func (d *doctor) note(path string, directory bool) { d.made = append(d.made, made{path, directory}) }

// make makes a file or a directory.
func (d *doctor) make(ctx context.Context, path string, directory bool) error {
	d.note(path, directory)
	p := fileParams
	if directory {
		p.Access = wire.FileReadAttributes | wire.Synchronize
		p.Options, p.Attributes = wire.OptionDirectoryFile, wire.AttributeDirectory
	}
	_, err := d.Work.Make(ctx, path, p)
	return err
}

// cleanUp takes away all that may have been made, the last first, also when ctx has ended. It returns the scratch directory's name if
// it is still there.
func (d *doctor) cleanUp(ctx context.Context) (left string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()
	if len(d.made) == 0 {
		return ""
	}
	for _, t := range []*smbclient.TreeConnect{d.Work, d.Watch} {
		if t.Session().Connection().Err() == nil && d.removeAll(ctx, t) {
			return ""
		}
	}
	if d.Reconnect == nil {
		return d.dir
	}
	t, err := d.Reconnect(ctx)
	if err != nil {
		return d.dir
	}
	defer t.Session().Close()
	if d.removeAll(ctx, t) {
		return ""
	}
	return d.dir
}

// removeAll reports whether nothing is left.
func (d *doctor) removeAll(ctx context.Context, t *smbclient.TreeConnect) bool {
	ok := true
	for i := len(d.made) - 1; i >= 0; i-- {
		if err := t.Remove(ctx, d.made[i].path, d.made[i].directory); err != nil && !gone(err) {
			ok, d.stuck = false, err
		}
	}
	return ok || gone(exists(ctx, t, d.dir))
}

func exists(ctx context.Context, t *smbclient.TreeConnect, path string) error {
	_, err := t.Stat(ctx, path, false)
	return err
}

// gone reports whether err says that nothing has that name any more. A directory that could not be made is not there either.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || smbclient.HasStatus(err, wire.StatusDeletePending)
}
