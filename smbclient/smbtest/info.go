package smbtest

import (
	"path"
	"slices"
	"strings"

	"smbfs/smbclient/wire"
)

func (r *Request) queryDirectory() {
	var in wire.QueryDirectoryRequest
	if !r.decode(&in) {
		return
	}
	r.withOpen(in.FileID, func(_ *Tree, o *open) answer {
		if !o.node.directory() || in.Class != wire.ClassFileIDBothDirectory {
			return fail(wire.StatusInvalidParameter)
		}
		first := !o.scanning || in.Flags&(wire.Reopen|wire.RestartScans) != 0
		if first {
			o.scan, o.scanning = o.node.list(in.Pattern), true
		}
		n := o.fits(int(in.OutputBufferLength), in.Flags&wire.ReturnSingleEntry != 0)
		switch {
		case len(o.scan) == 0 && first:
			return fail(wire.StatusNoSuchFile)
		case len(o.scan) == 0:
			return fail(wire.StatusNoMoreFiles)
		case n == 0:
			return fail(wire.StatusInfoLengthMismatch)
		}
		out := wire.AppendDirEntries(nil, o.scan[:n])
		o.scan = o.scan[n:]
		return answer{body: &wire.QueryDirectoryResponse{Output: out}}
	})
}

// list returns the entries that match a pattern, sorted.
func (n *node) list(pattern string) []wire.DirEntry {
	var entries []wire.DirEntry
	if pattern == "*" {
		entries = append(entries, n.entry("."), n.entry(".."))
	}
	if !strings.ContainsAny(pattern, `*?[\`) { // a name: directories may be large
		if child := n.children[strings.ToLower(pattern)]; child != nil {
			entries = append(entries, child.entry(child.name))
		}
		return entries
	}
	for _, child := range n.children {
		if ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(child.name)); err == nil && ok {
			entries = append(entries, child.entry(child.name))
		}
	}
	slices.SortFunc(entries, func(a, b wire.DirEntry) int { return strings.Compare(a.Name, b.Name) })
	return entries
}

func (n *node) entry(name string) wire.DirEntry {
	return wire.DirEntry{
		Name: name, CreationTime: n.created, LastAccessTime: n.written, LastWriteTime: n.written, ChangeTime: n.written,
		EndOfFile: uint64(len(n.data)), AllocationSize: uint64(len(n.data)), Attributes: n.attr, FileID: n.id,
	}
}

// fits returns how many entries go into a buffer of size bytes.
func (o *open) fits(size int, single bool) int {
	used := 0
	for i := range o.scan {
		used = (used+7)&^7 + len(wire.AppendDirEntries(nil, o.scan[i:i+1]))
		if used > size || single && i == 1 {
			return i
		}
	}
	return len(o.scan)
}

func (r *Request) queryInfo() {
	var in wire.QueryInfoRequest
	if !r.decode(&in) {
		return
	}
	r.withOpen(in.FileID, func(_ *Tree, o *open) answer {
		var body Body
		switch {
		case in.Type == wire.InfoFile && in.Class == wire.ClassFileAll:
			body = o.node.all()
		case in.Type == wire.InfoFilesystem && in.Class == wire.ClassFsFullSize:
			body = &wire.FileFsFullSizeInformation{
				TotalAllocationUnits: 1000, CallerAvailableAllocationUnits: 500, ActualAvailableAllocationUnits: 500,
				SectorsPerAllocationUnit: 8, BytesPerSector: 512,
			}
		case in.Type == wire.InfoFilesystem && in.Class == wire.ClassFsAttribute:
			body = &wire.FileFsAttributeInformation{MaximumComponentNameLength: 255, FileSystemName: "TEST"}
		case in.Type == wire.InfoSecurity:
			body = emptyDescriptor{}
		default:
			return fail(wire.StatusInvalidInfoClass)
		}
		out := body.Append(nil)
		if len(out) > int(in.OutputBufferLength) {
			return fail(wire.StatusInfoLengthMismatch)
		}
		return answer{body: &wire.QueryInfoResponse{Output: out}}
	})
}

// emptyDescriptor is a self-relative security descriptor that says nothing (MS-DTYP 2.4.6).
type emptyDescriptor struct{}

func (emptyDescriptor) Append(b []byte) []byte {
	return append(b, 1, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
}

func (n *node) all() Body {
	links := uint32(1)
	if n.parent == nil {
		links = 0
	}
	return &wire.FileAllInformation{
		Basic: wire.FileBasicInformation{
			CreationTime: n.created, LastAccessTime: n.written, LastWriteTime: n.written, ChangeTime: n.written, FileAttributes: n.attr,
		},
		Standard: wire.FileStandardInformation{
			AllocationSize: uint64(len(n.data)), EndOfFile: uint64(len(n.data)), NumberOfLinks: links,
			DeletePending: n.removing, Directory: n.directory(),
		},
		IndexNumber: n.id,
		Name:        `\` + n.name,
	}
}

func (r *Request) setInfo() {
	var in wire.SetInfoRequest
	if !r.decode(&in) {
		return
	}
	r.withOpen(in.FileID, func(t *Tree, o *open) answer {
		if in.Type != wire.InfoFile {
			return fail(wire.StatusNotSupported)
		}
		var also []completion
		status := t.set(o.node, in.Class, in.Input, &also)
		return answer{status: status, body: &wire.SetInfoResponse{}, also: also}
	})
}

// set changes what class says.
//
// Preconditions: mu is held.
func (t *Tree) set(n *node, class wire.InfoClass, input []byte, also *[]completion) wire.Status {
	switch class {
	case wire.ClassFileRename:
		var in wire.FileRenameInformation
		if in.Decode(input) != nil {
			return wire.StatusInvalidParameter
		}
		return t.rename(n, in.Name, in.ReplaceIfExists, also)
	case wire.ClassFileDisposition:
		var in wire.FileDispositionInformation
		if in.Decode(input) != nil {
			return wire.StatusInvalidParameter
		}
		if in.DeletePending && len(n.children) > 0 {
			return wire.StatusDirectoryNotEmpty
		}
		n.removing = in.DeletePending
	case wire.ClassFileEndOfFile:
		var in wire.FileEndOfFileInformation
		if in.Decode(input) != nil || in.EndOfFile > maxFile || n.directory() {
			return wire.StatusInvalidParameter
		}
		n.resize(int(in.EndOfFile))
		*also = t.modified(n)
	case wire.ClassFileBasic:
		var in wire.FileBasicInformation
		if in.Decode(input) != nil {
			return wire.StatusInvalidParameter
		}
		if in.LastWriteTime != 0 {
			n.written = in.LastWriteTime
		}
		if in.FileAttributes != 0 {
			n.attr = in.FileAttributes
		}
	default:
		return wire.StatusInvalidInfoClass
	}
	return wire.StatusSuccess
}
