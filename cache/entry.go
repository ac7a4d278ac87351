package cache

// Kind is the type of an object. It never changes during the object's life.
type Kind uint8

// The kinds of objects a share has.
const (
	File Kind = iota
	Directory
	Symlink
)

func (k Kind) String() string {
	return [...]string{"file", "directory", "symlink"}[k]
}

// Identity tells objects apart. Servers reuse file ids at once, so the id alone does not.
type Identity struct {
	FileID  uint64 // the server's 64-bit file id (MS-FSCC 2.1.9)
	Created int64  // creation time, in FILETIME units (MS-FSCC 2.1.1); see identity.go for what it is worth
	Kind    Kind
	// Alias is not zero for a directory that the server shows under two names at once, as it does
	// with a symbolic link that it follows itself: the kernel allows a directory only one.
	Alias ID
}

// Attr is what changes during an object's life. Times are FILETIMEs: 100 ns since 1601, UTC.
type Attr struct {
	Size       uint64 // bytes
	Allocation uint64 // bytes
	Access     int64
	Write      int64
	Change     int64
	Flags      uint32 // FILE_ATTRIBUTE_* (MS-FSCC 2.6)
	Links      uint32 // number of names; 0 where the source did not say
}

// Entry is one answer of the server about one name.
type Entry struct {
	Identity
	Attr
}

// sameContent reports whether nothing suggests that the file's data changed.
func (a Attr) sameContent(b Attr) bool { return a.Size == b.Size && a.Write == b.Write }

// FILE_ATTRIBUTE_ARCHIVE follows writes and FILE_ATTRIBUTE_NORMAL only stands for none
// (MS-FSCC 2.6): neither is a change that anybody made.
const attributeNoise = 0x20 | 0x80

func (a Attr) sameFlags(b Attr) bool { return (a.Flags^b.Flags)&^attributeNoise == 0 }
