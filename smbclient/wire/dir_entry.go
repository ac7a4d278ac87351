package wire

// DirEntry is one entry of a listing: FileIdBothDirectoryInformation.
//
// MS-FSCC 2.4.17
type DirEntry struct {
	Name           string
	BadName        bool // Name is not UTF-16 on the wire and has U+FFFD in it: no request can name this file
	FileIndex      uint32
	CreationTime   Filetime
	LastAccessTime Filetime
	LastWriteTime  Filetime
	ChangeTime     Filetime
	EndOfFile      uint64
	AllocationSize uint64
	Attributes     FileAttributes
	EASize         uint32 // the reparse tag, where Attributes has AttributeReparsePoint
	ShortName      string // "" where the server has none or it is not UTF-16
	FileID         uint64 // 0 or all ones where the server has none
}

// ReparseTag is the tag of a reparse point, and 0 of everything else.
func (e *DirEntry) ReparseTag() ReparseTag {
	if e.Attributes&AttributeReparsePoint == 0 {
		return 0
	}
	return ReparseTag(e.EASize)
}

const (
	dirEntryFixed = 104
	shortNameSize = 24
)

// AppendDirEntries appends the output of a QUERY_DIRECTORY for ClassFileIDBothDirectory. BadName is ignored.
func AppendDirEntries(b []byte, entries []DirEntry) []byte {
	for i := range entries {
		start := len(b)
		b = entries[i].append(b)
		if i < len(entries)-1 {
			b = align(b, start, 8)
			le.PutUint32(b[start:], uint32(len(b)-start))
		}
	}
	return b
}

func (e *DirEntry) append(b []byte) []byte {
	b = le.AppendUint32(b, 0) // NextEntryOffset
	b = le.AppendUint32(b, e.FileIndex)
	b = appendTimes(b, e.CreationTime, e.LastAccessTime, e.LastWriteTime, e.ChangeTime)
	b = le.AppendUint64(b, e.EndOfFile)
	b = le.AppendUint64(b, e.AllocationSize)
	b = le.AppendUint32(b, uint32(e.Attributes))
	b = le.AppendUint32(b, uint32(UTF16Len(e.Name)))
	b = le.AppendUint32(b, e.EASize)
	b = append(b, byte(UTF16Len(e.ShortName)), 0)
	short := len(b)
	b = AppendUTF16(b, e.ShortName)
	b = appendZeros(b, shortNameSize-(len(b)-short))
	b = le.AppendUint16(b, 0) // Reserved2
	b = le.AppendUint64(b, e.FileID)
	return AppendUTF16(b, e.Name)
}

// DecodeDirEntries reads the output of a QUERY_DIRECTORY for ClassFileIDBothDirectory. No entry is left out: one whose name is
// not UTF-16 has BadName.
func DecodeDirEntries(list []byte) ([]DirEntry, error) {
	var entries []DirEntry
	for len(list) > 0 {
		raw, rest, err := nextEntry("FileIdBothDirectoryInformation", list, dirEntryFixed)
		if err != nil {
			return nil, err
		}
		var e DirEntry
		if err := e.decode(raw); err != nil {
			return nil, err
		}
		entries = append(entries, e)
		list = rest
	}
	return entries, nil
}

// decode reads an entry whose fixed part is known to be there.
func (e *DirEntry) decode(b []byte) error {
	const what = "FileIdBothDirectoryInformation"
	name, err := within(what, "FileName", b, dirEntryFixed, uint64(le.Uint32(b[60:])))
	if err != nil {
		return err
	}
	short := int(b[68])
	if short > shortNameSize {
		return malformed(what, "ShortNameLength %d", short)
	}
	*e = DirEntry{
		FileIndex:      le.Uint32(b[4:]),
		CreationTime:   Filetime(le.Uint64(b[8:])),
		LastAccessTime: Filetime(le.Uint64(b[16:])),
		LastWriteTime:  Filetime(le.Uint64(b[24:])),
		ChangeTime:     Filetime(le.Uint64(b[32:])),
		EndOfFile:      le.Uint64(b[40:]),
		AllocationSize: le.Uint64(b[48:]),
		Attributes:     FileAttributes(le.Uint32(b[56:])),
		EASize:         le.Uint32(b[64:]),
		FileID:         le.Uint64(b[96:]),
	}
	e.Name, err = DecodeUTF16(name)
	e.BadName = err != nil
	if e.ShortName, err = DecodeUTF16(b[70 : 70+short]); err != nil {
		e.ShortName = ""
	}
	return nil
}
