package wire

// AccessMask is a set of access rights.
//
// MS-SMB2 2.2.13.1
type AccessMask uint32

// Rights to a file, pipe or printer; those that a directory has under another name follow.
//
// MS-SMB2 2.2.13.1.1
const (
	FileReadData         AccessMask = 0x00000001
	FileWriteData        AccessMask = 0x00000002
	FileAppendData       AccessMask = 0x00000004
	FileReadEA           AccessMask = 0x00000008
	FileWriteEA          AccessMask = 0x00000010
	FileExecute          AccessMask = 0x00000020
	FileDeleteChild      AccessMask = 0x00000040
	FileReadAttributes   AccessMask = 0x00000080
	FileWriteAttributes  AccessMask = 0x00000100
	Delete               AccessMask = 0x00010000
	ReadControl          AccessMask = 0x00020000
	WriteDAC             AccessMask = 0x00040000
	WriteOwner           AccessMask = 0x00080000
	Synchronize          AccessMask = 0x00100000
	AccessSystemSecurity AccessMask = 0x01000000
	MaximumAllowed       AccessMask = 0x02000000
	GenericAll           AccessMask = 0x10000000
	GenericExecute       AccessMask = 0x20000000
	GenericWrite         AccessMask = 0x40000000
	GenericRead          AccessMask = 0x80000000
)

// Rights to a directory, where their name is another.
//
// MS-SMB2 2.2.13.1.2
const (
	FileListDirectory   AccessMask = 0x00000001
	FileAddFile         AccessMask = 0x00000002
	FileAddSubdirectory AccessMask = 0x00000004
	FileTraverse        AccessMask = 0x00000020
)

// ShareAccess is what others may do meanwhile.
//
// MS-SMB2 2.2.13
type ShareAccess uint32

// MS-SMB2 2.2.13
const (
	ShareRead   ShareAccess = 0x00000001
	ShareWrite  ShareAccess = 0x00000002
	ShareDelete ShareAccess = 0x00000004
	ShareAll                = ShareRead | ShareWrite | ShareDelete
)

// FileAttributes are those of a file or directory.
//
// MS-FSCC 2.6
type FileAttributes uint32

// MS-FSCC 2.6
const (
	AttributeReadonly           FileAttributes = 0x00000001
	AttributeHidden             FileAttributes = 0x00000002
	AttributeSystem             FileAttributes = 0x00000004
	AttributeDirectory          FileAttributes = 0x00000010
	AttributeArchive            FileAttributes = 0x00000020
	AttributeNormal             FileAttributes = 0x00000080 // on its own; "no attribute" when being set, since 0 there is "no change"
	AttributeTemporary          FileAttributes = 0x00000100
	AttributeSparseFile         FileAttributes = 0x00000200
	AttributeReparsePoint       FileAttributes = 0x00000400
	AttributeCompressed         FileAttributes = 0x00000800
	AttributeOffline            FileAttributes = 0x00001000
	AttributeNotContentIndexed  FileAttributes = 0x00002000
	AttributeEncrypted          FileAttributes = 0x00004000
	AttributeIntegrityStream    FileAttributes = 0x00008000
	AttributeNoScrubData        FileAttributes = 0x00020000
	AttributeRecallOnOpen       FileAttributes = 0x00040000
	AttributePinned             FileAttributes = 0x00080000
	AttributeUnpinned           FileAttributes = 0x00100000
	AttributeRecallOnDataAccess FileAttributes = 0x00400000
)
