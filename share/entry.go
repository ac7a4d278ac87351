package share

import (
	"hash/fnv"
	"strings"

	"smbfs/cache"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// entryOf takes an entry of a listing (MS-FSCC 2.4.17).
func entryOf(d *wire.DirEntry) cache.Entry {
	kind := cache.File
	switch {
	case d.ReparseTag() == wire.ReparseTagSymlink:
		kind = cache.Symlink
	case d.Attributes&wire.AttributeDirectory != 0:
		kind = cache.Directory
	}
	return cache.Entry{
		Identity: cache.Identity{FileID: d.FileID, Created: int64(d.CreationTime), Kind: kind},
		Attr: cache.Attr{
			Size: d.EndOfFile, Allocation: d.AllocationSize, Flags: uint32(d.Attributes),
			Access: int64(d.LastAccessTime), Write: int64(d.LastWriteTime), Change: int64(d.ChangeTime),
		},
	}
}

// entryOfStat takes the answer to a stat of the server's path given.
func (s *Share) entryOfStat(path string, st smbclient.FileStat) cache.Entry {
	kind := cache.File
	if st.Directory || st.Attributes&wire.AttributeDirectory != 0 {
		kind = cache.Directory
	}
	id := st.FileID
	if id == 0 || id == ^uint64(0) {
		id = s.madeID(s.localPath(path))
	}
	attr := AttrOf(st.FileInfo)
	attr.Links = st.NumberOfLinks
	return cache.Entry{
		Identity: cache.Identity{FileID: id, Created: int64(st.CreationTime), Kind: kind},
		Attr:     attr,
	}
}

// AttrOf takes what CREATE and CLOSE answer.
func AttrOf(i smbclient.FileInfo) cache.Attr {
	return cache.Attr{
		Size: i.EndOfFile, Allocation: i.AllocationSize, Flags: uint32(i.Attributes),
		Access: int64(i.LastAccessTime), Write: int64(i.LastWriteTime), Change: int64(i.ChangeTime),
	}
}

// localPath is the reverse of ServerPath, for paths that came from it.
func (s *Share) localPath(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, s.prefix), `\`)
	parts := strings.Split(path, `\`)
	for i := range parts {
		parts[i], _ = localName(parts[i])
	}
	return strings.Join(parts, "/")
}

// madeID stands in for a file id where the server has none: it is made from the path.
func (s *Share) madeID(path string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(path))
	return h.Sum64()&^(1<<63) | 1<<62
}
