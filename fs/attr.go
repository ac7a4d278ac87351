package fs

import (
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
	"smbfs/smbclient/wire"
)

// generation is the same for all nodes: ids are never reused.
const generation = 1

// blockSize is what st_blocks counts in.
const blockSize = 512

// dirBlock is what a directory is read in, in bytes: some 400 entries. C libraries take st_blksize for the size of their buffer, and the kernel
// one of that size for each READDIRPLUS, however few the entries.
const dirBlock = 64 << 10

// mode returns the type and permission bits shown for an object. SMB carries one bit of it:
// read-only.
func (f *FileSystem) mode(e cache.Entry) uint32 {
	switch e.Kind {
	case cache.Directory:
		return syscall.S_IFDIR | f.opts.DirMode
	case cache.Symlink:
		return syscall.S_IFLNK | 0o777
	}
	m := syscall.S_IFREG | f.opts.FileMode
	if wire.FileAttributes(e.Flags)&wire.AttributeReadonly != 0 {
		m &^= 0o222
	}
	return m
}

func (f *FileSystem) attr(e cache.Entry, out *fuse.Attr) {
	*out = fuse.Attr{
		Ino:     e.FileID,
		Size:    e.Size,
		Blocks:  (max(e.Allocation, 0) + blockSize - 1) / blockSize,
		Mode:    f.mode(e),
		Nlink:   e.Links,
		Owner:   fuse.Owner{Uid: f.opts.UID, Gid: f.opts.GID},
		Blksize: maxIO,
	}
	if e.Kind == cache.Directory {
		out.Size, out.Blksize = 0, dirBlock
	}
	out.Atime, out.Atimensec = split(e.Access)
	out.Mtime, out.Mtimensec = split(e.Write)
	out.Ctime, out.Ctimensec = split(e.Change)
}

func split(filetime int64) (sec uint64, nsec uint32) {
	t := wire.Filetime(filetime).Time()
	return uint64(t.Unix()), uint32(t.Nanosecond())
}

func at(filetime int64) time.Time { return wire.Filetime(filetime).Time() }

// entryOut fills in the answer to LOOKUP and its like. The kernel may believe the name for as long as
// names says, see namesFor. An answer about a name with an untold change must not be cached by anybody.
func (f *FileSystem) entryOut(v cache.View, out *fuse.EntryOut, names time.Duration) {
	out.NodeId = uint64(v.ID)
	out.Generation = generation
	f.attr(v.Entry, &out.Attr)
	if v.Pending {
		out.SetEntryTimeout(0)
		out.SetAttrTimeout(0)
		return
	}
	out.SetEntryTimeout(names)
	out.SetAttrTimeout(f.opts.AttrTimeout)
	f.gave(v)
}

func (f *FileSystem) attrOut(v cache.View, out *fuse.AttrOut) {
	f.attr(v.Entry, &out.Attr)
	out.SetTimeout(f.opts.AttrTimeout)
	if v.Pending {
		out.SetTimeout(0)
		return
	}
	f.gave(v)
}

// gave notes what the kernel keeps of a file that is open: what was written to it has its final time when the server has closed it.
func (f *FileSystem) gave(v cache.View) {
	if l := f.files.of(v.ID); l != nil {
		l.told.Store(v.Entry.Write)
	}
}
