package fs

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"smbfs/cache"
	"smbfs/notify"
	"smbfs/notify/replay"
)

// Tell has the replay helper make the call that tells local watchers of c. It implements
// notify.Teller.
func (f *FileSystem) Tell(ctx context.Context, c *cache.Change) error {
	call, err := f.call(c)
	if err != nil {
		return err
	}
	if c.Op == cache.Modify {
		f.dropAll(c.ID) // what a read gets at the event is the new content
	}
	x := &expectation{change: c}
	err = f.helper.Do(ctx, call, x)
	switch {
	case x.committed.Load():
		return nil
	case x.reached.Load():
		return notify.ErrStale
	case err == nil:
		return fmt.Errorf("%v of %q did not reach the file system", c.Op, c.From.Name)
	}
	return f.untold(c, err)
}

// untold decides what it means that the call was not made.
func (f *FileSystem) untold(c *cache.Change, err error) error {
	switch {
	case errors.Is(err, replay.ErrNotMounted), errors.Is(err, replay.ErrOutside), errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("%w: %w", notify.ErrUntold, err)
	case c.Op == cache.Rest && !errors.Is(err, replay.ErrHelperLost):
		// The file is leased or is a program that runs: whoever has it knows what it is doing.
		return fmt.Errorf("%w: %w", notify.ErrUntold, err)
	}
	return err
}

// call is the system call that tells c.
func (f *FileSystem) call(c *cache.Change) (replay.Call, error) {
	v := f.tree.Object(c.ID, time.Now(), 0)
	call := replay.Call{
		Name: c.From.Name, Op: op(c),
		Mode: f.mode(v.Entry) & 0o777, Target: "replayed",
		Atime: at(v.Entry.Access), Mtime: at(v.Entry.Write),
	}
	var ok bool
	if call.Dir, ok = f.tree.ToldPath(c.From.Dir); !ok {
		return call, fmt.Errorf("%v of %q: its directory is not known here", c.Op, c.From.Name)
	}
	if c.Op == cache.Arrive {
		call.NewDir, call.NewName, call.Dir = call.Dir, call.Name, f.nowhere
		return call, nil
	}
	if c.To.Dir == 0 {
		return call, nil
	}
	call.NewName = c.To.Name
	if call.NewDir, ok = f.tree.ToldPath(c.To.Dir); !ok {
		return call, fmt.Errorf("%v to %q: its directory is not known here", c.Op, c.To.Name)
	}
	return call, nil
}

func op(c *cache.Change) replay.Op {
	switch c.Op {
	case cache.Create:
		return [...]replay.Op{replay.Mknod, replay.Mkdir, replay.Symlink}[c.Kind]
	case cache.Remove:
		if c.Kind == cache.Directory {
			return replay.Rmdir
		}
		return replay.Unlink
	case cache.Rename, cache.Arrive:
		return replay.Rename
	case cache.Link:
		return replay.Link
	case cache.Modify:
		return replay.Modify
	case cache.Attrib:
		return replay.Attrib
	}
	return replay.CloseWrite
}

// DropPages has the content of a file read anew. That of a file nobody has open is when it is opened, unless the OPEN would be answered
// with FOPEN_KEEP_CACHE: see pages. It implements notify.Teller.
func (f *FileSystem) DropPages(id cache.ID) {
	if f.pages.has(id) || f.files.of(id) != nil {
		f.dropAll(id)
	}
}

// dropAll has the content and attributes of a file read anew. It waits for reads under way, so it
// is never called by a handler. A file that nobody has open has its content read anew in any case if
// nothing is known of its pages.
func (f *FileSystem) dropAll(id cache.ID) {
	if kept := f.changed(id); kept || f.handles.has(id) {
		_ = f.inval.Inode(uint64(id), 0, 0)
	} else {
		_ = f.server.InodeNotify(uint64(id), -1, 0) // attributes only: this never waits
	}
}

// Move lets the kernel forget names that could not be told, files' only: forgetting a directory
// would take down what is mounted below it. What it has of the listings goes in any case. It implements notify.Teller.
func (f *FileSystem) Move(c *cache.Change) {
	if c.Op >= cache.Modify {
		f.dropAll(c.ID)
		return
	}
	for _, p := range []cache.Place{c.From, c.To} {
		if p.Dir == 0 {
			continue
		}
		_ = f.inval.Inode(uint64(p.Dir), 0, 0)
		if c.Kind != cache.Directory {
			_ = f.inval.Entry(uint64(p.Dir), p.Name)
		}
	}
}
