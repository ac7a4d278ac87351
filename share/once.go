package share

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"smbfs/cache"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// What changes names must not simply be repeated when the connection was lost before the answer came: the server may have done it, and the
// name may be somebody else's by now. First the server is asked what became of the first attempt. Where that cannot be told the operation
// fails with EIO. An exclusive CREATE is not marked as a replay: that is for another channel of the same session (MS-SMB2 3.2.7.1), and
// Samba 4.17 has forgotten the first attempt when its connection has gone.

// errUnknown says that nobody can tell whether the server did what it was asked.
func errUnknown(op, path string) error {
	return fmt.Errorf("%s %s: the connection was lost, and what came of it cannot be told: %w", op, path, syscall.EIO)
}

// idAt returns the file id of what is at a server's path; 0: nothing.
func idAt(ctx context.Context, t *smbclient.TreeConnect, path string) (uint64, error) {
	st, err := t.Stat(ctx, path, false)
	if IsGone(err) {
		return 0, nil
	}
	if err == nil && st.FileID == 0 {
		return ^uint64(0), nil // something that cannot be recognised
	}
	return st.FileID, err
}

// Make makes an empty file or a directory.
func (s *Share) Make(ctx context.Context, path string, directory, readOnly bool) (cache.Entry, error) {
	p := smbclient.CreateParams{
		Access:      wire.FileReadAttributes | wire.Synchronize,
		Attributes:  attributes(readOnly),
		Share:       wire.ShareAll,
		Disposition: wire.DispositionCreate,
		Options:     wire.OptionNonDirectoryFile,
	}
	if directory {
		p.Options, p.Attributes = wire.OptionDirectoryFile, wire.AttributeDirectory
	}
	server := s.ServerPath(path)
	var st smbclient.FileStat
	err := s.work.do(ctx, func(t *smbclient.TreeConnect, again bool) (err error) {
		st, err = t.Make(ctx, server, p)
		return collision("make", path, again, err)
	})
	if err != nil {
		return cache.Entry{}, err
	}
	return s.entryOfStat(server, st), nil
}

// collision makes errUnknown of the answer that a name exists which the first attempt may have made.
func collision(op, path string, again bool, err error) error {
	if again && errors.Is(err, fs.ErrExist) {
		return errUnknown(op, path)
	}
	return err
}

// keepAway waits until nothing looks at path. Nothing begins to until the function it returns is called.
func (s *Share) keepAway(ctx context.Context, path string) (done func()) {
	s.probes.Begin(path)
	s.probes.Wait(path, ctx.Done())
	return func() { s.probes.End(path) }
}

// Remove removes a file or an empty directory. id is its file id, 0 if that is not known.
func (s *Share) Remove(ctx context.Context, path string, directory bool, id uint64) error {
	defer s.keepAway(ctx, path)()
	server := s.ServerPath(path)
	return s.work.do(ctx, func(t *smbclient.TreeConnect, again bool) error {
		if again {
			switch at, err := idAt(ctx, t, server); {
			case err != nil:
				return err
			case at == 0, id != 0 && at != id && at != ^uint64(0):
				return nil // it is gone
			case at != id:
				return errUnknown("remove", path)
			}
		}
		return t.Remove(ctx, server, directory)
	})
}

// Rename renames a file or directory. id is its file id, 0 if that is not known.
func (s *Share) Rename(ctx context.Context, from, to string, replace bool, id uint64) error {
	defer s.keepAway(ctx, from)()
	if replace {
		defer s.keepAway(ctx, to)()
	}
	oldPath, newPath := s.ServerPath(from), s.ServerPath(to)
	return s.work.do(ctx, func(t *smbclient.TreeConnect, again bool) error {
		if again {
			if done, err := renamed(ctx, t, oldPath, newPath, id); done || err != nil {
				return err
			}
		}
		return t.Rename(ctx, oldPath, newPath, replace)
	})
}

// ErrReplaced says that something else has the name by now.
var ErrReplaced = errors.New("the name is another object's by now")

// SetAside renames the file with that id, and nothing else: what is at from is opened, looked at, and renamed by that handle. It returns
// ErrReplaced if that is another object.
func (s *Share) SetAside(ctx context.Context, from, to string, id uint64) error {
	defer s.keepAway(ctx, from)()
	oldPath, newPath := s.ServerPath(from), s.ServerPath(to)
	return s.work.do(ctx, func(t *smbclient.TreeConnect, again bool) error {
		if again {
			if done, err := renamed(ctx, t, oldPath, newPath, id); done || err != nil {
				return err
			}
		}
		o, err := t.Create(ctx, oldPath, smbclient.CreateParams{
			Access:      wire.Delete | wire.FileReadAttributes | wire.Synchronize,
			Share:       wire.ShareAll,
			Disposition: wire.DispositionOpen,
			Options:     wire.OptionOpenReparsePoint,
		})
		if err != nil {
			return err
		}
		defer func() { _, _ = o.Close(context.WithoutCancel(ctx)) }()
		switch e, err := s.describe(ctx, oldPath, o); {
		case err != nil:
			return err
		case e.Kind == cache.Directory, id != 0 && e.FileID != 0 && e.FileID != id:
			return ErrReplaced
		}
		return o.Rename(ctx, newPath, false)
	})
}

// renamed reports whether a rename has happened whose answer was lost.
func renamed(ctx context.Context, t *smbclient.TreeConnect, from, to string, id uint64) (bool, error) {
	old, err := idAt(ctx, t, from)
	if err != nil {
		return false, err
	}
	if id != 0 && old == id {
		return false, nil
	}
	is, err := idAt(ctx, t, to)
	switch {
	case err != nil:
		return false, err
	case id != 0 && is == id:
		return true, nil
	}
	return false, errUnknown("rename", from)
}

// Link gives a file a second name.
func (s *Share) Link(ctx context.Context, from, to string) error {
	oldPath, newPath := s.ServerPath(from), s.ServerPath(to)
	return s.work.do(ctx, func(t *smbclient.TreeConnect, again bool) error {
		err := t.Link(ctx, oldPath, newPath, false)
		if !again || !errors.Is(err, fs.ErrExist) {
			return err
		}
		old, err1 := idAt(ctx, t, oldPath)
		is, err2 := idAt(ctx, t, newPath)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if old != is || is == ^uint64(0) {
			return err
		}
		return nil
	})
}

// Symlink makes a symbolic link.
func (s *Share) Symlink(ctx context.Context, path, target string) (cache.Entry, error) {
	server := s.ServerPath(path)
	on := strings.ReplaceAll(target, "/", `\`)
	link := wire.SymlinkReparse{SubstituteName: on, PrintName: on}
	if !strings.HasPrefix(target, "/") {
		link.Flags = wire.SymlinkRelative
	}
	err := s.work.do(ctx, func(t *smbclient.TreeConnect, again bool) error {
		return collision("symlink", path, again, t.MakeReparsePoint(ctx, server, link.Buffer()))
	})
	if err != nil {
		return cache.Entry{}, err
	}
	return s.StatPath(ctx, path)
}
