package share

import (
	"context"
	"strings"
	"syscall"

	"smbfs/cache"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

func attributes(readOnly bool) wire.FileAttributes {
	if readOnly {
		return wire.AttributeReadonly | wire.AttributeArchive
	}
	return wire.AttributeNormal
}

// describe says what was opened: by the id that came with the CREATE, or by asking.
func (s *Share) describe(ctx context.Context, path string, o *smbclient.Open) (cache.Entry, error) {
	for _, c := range o.Contexts {
		var id wire.QueryOnDiskIDResponse
		if c.Name != wire.CreateContextQueryOnDiskID || id.Decode(c.Data) != nil || id.DiskFileID == 0 {
			continue
		}
		kind := cache.File
		if o.Info.Attributes&wire.AttributeDirectory != 0 {
			kind = cache.Directory
		}
		return cache.Entry{
			Identity: cache.Identity{FileID: id.DiskFileID, Created: int64(o.Info.CreationTime), Kind: kind},
			Attr:     AttrOf(o.Info),
		}, nil
	}
	return s.statOpen(ctx, o)
}

// SetBasic sets times and attributes; what is zero stays as it is.
func (s *Share) SetBasic(ctx context.Context, path string, b wire.FileBasicInformation) (cache.Entry, error) {
	server := s.ServerPath(path)
	st, err := s.setAndStat(ctx, server, wire.FileWriteAttributes, wire.ClassFileBasic, b.Append(nil))
	if err != nil {
		return cache.Entry{}, err
	}
	return s.entryOfStat(server, st), nil
}

// Truncate sets the size of a file, in bytes.
func (s *Share) Truncate(ctx context.Context, path string, size uint64) (cache.Entry, error) {
	server := s.ServerPath(path)
	end := wire.FileEndOfFileInformation{EndOfFile: size}
	st, err := s.setAndStat(ctx, server, wire.FileWriteData, wire.ClassFileEndOfFile, end.Append(nil))
	if err != nil {
		return cache.Entry{}, err
	}
	return s.entryOfStat(server, st), nil
}

// setAndStat may be repeated: what is set does not depend on what was.
func (s *Share) setAndStat(ctx context.Context, path string, access wire.AccessMask, class wire.InfoClass, input []byte) (smbclient.FileStat, error) {
	return ask(ctx, s.work, func(t *smbclient.TreeConnect) (smbclient.FileStat, error) {
		return t.SetAndStat(ctx, path, access, class, input)
	})
}

// Readlink returns where a symbolic link points. A target that leads out of the server's own
// tree is shown as it is; local programs resolve it on the local system.
func (s *Share) Readlink(ctx context.Context, path string) (string, error) {
	b, err := s.reparsePoint(ctx, s.ServerPath(path))
	if err != nil {
		return "", err
	}
	var link wire.SymlinkReparse
	if b.Tag != wire.ReparseTagSymlink || link.Decode(b.Data) != nil {
		return "", syscall.EINVAL
	}
	target := link.SubstituteName
	if link.Flags&wire.SymlinkRelative == 0 {
		target = strings.TrimPrefix(target, `\??\`)
	}
	if target == "" || strings.Contains(target, "\x00") { // the kernel would take what comes before that for the target
		return "", syscall.EIO
	}
	return strings.ReplaceAll(target, `\`, "/"), nil
}

func (s *Share) reparsePoint(ctx context.Context, path string) (wire.ReparseBuffer, error) {
	return ask(ctx, s.work, func(t *smbclient.TreeConnect) (wire.ReparseBuffer, error) { return t.ReparsePoint(ctx, path) })
}
