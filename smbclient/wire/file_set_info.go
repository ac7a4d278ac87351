package wire

// FileEndOfFileInformation sets the size.
//
// MS-FSCC 2.4.13
type FileEndOfFileInformation struct{ EndOfFile uint64 }

// Append appends the structure.
func (i *FileEndOfFileInformation) Append(b []byte) []byte { return le.AppendUint64(b, i.EndOfFile) }

// Decode reads the structure.
func (i *FileEndOfFileInformation) Decode(b []byte) error {
	return decodeUint64("FileEndOfFileInformation", b, &i.EndOfFile)
}

// FileAllocationInformation sets the space reserved.
//
// MS-FSCC 2.4.4
type FileAllocationInformation struct{ AllocationSize uint64 }

// Append appends the structure.
func (i *FileAllocationInformation) Append(b []byte) []byte {
	return le.AppendUint64(b, i.AllocationSize)
}

// Decode reads the structure.
func (i *FileAllocationInformation) Decode(b []byte) error {
	return decodeUint64("FileAllocationInformation", b, &i.AllocationSize)
}

// FileDispositionInformation marks a file for deletion when its last handle is closed.
//
// MS-FSCC 2.4.11
type FileDispositionInformation struct{ DeletePending bool }

// Append appends the structure.
func (i *FileDispositionInformation) Append(b []byte) []byte {
	return append(b, boolByte(i.DeletePending))
}

// Decode reads the structure.
func (i *FileDispositionInformation) Decode(b []byte) error {
	if err := checkLen("FileDispositionInformation", b, 1); err != nil {
		return err
	}
	i.DeletePending = b[0] != 0
	return nil
}

// DispositionFlags of a FileDispositionInformationEx.
//
// MS-FSCC 2.4.12
type DispositionFlags uint32

// MS-FSCC 2.4.12
const (
	DispositionDelete                 DispositionFlags = 0x00000001
	DispositionPosixSemantics         DispositionFlags = 0x00000002 // the name goes at once
	DispositionForceImageSectionCheck DispositionFlags = 0x00000004
	DispositionOnClose                DispositionFlags = 0x00000008
	DispositionIgnoreReadonly         DispositionFlags = 0x00000010
)

// FileDispositionInformationEx is the same with flags.
//
// MS-FSCC 2.4.12
type FileDispositionInformationEx struct{ Flags DispositionFlags }

// Append appends the structure.
func (i *FileDispositionInformationEx) Append(b []byte) []byte {
	return le.AppendUint32(b, uint32(i.Flags))
}

// Decode reads the structure.
func (i *FileDispositionInformationEx) Decode(b []byte) error {
	if err := checkLen("FileDispositionInformationEx", b, 4); err != nil {
		return err
	}
	i.Flags = DispositionFlags(le.Uint32(b))
	return nil
}

// FileRenameInformation gives a file another name, in the form of SMB2.
//
// MS-FSCC 2.4.42.2
type FileRenameInformation struct {
	ReplaceIfExists bool
	Name            string // relative to the share, separated by backslashes
}

// FileLinkInformation gives it one more, in the form of SMB2, which is the same.
//
// MS-FSCC 2.4.28.2
type FileLinkInformation struct {
	ReplaceIfExists bool
	Name            string // relative to the share, separated by backslashes
}

const (
	newNameFixed = 20
	newNameMin   = 24 // shorter structures are padded
)

// Append appends the structure.
func (i *FileRenameInformation) Append(b []byte) []byte {
	return appendNewName(b, i.ReplaceIfExists, i.Name)
}

// Decode reads the structure.
func (i *FileRenameInformation) Decode(b []byte) (err error) {
	i.ReplaceIfExists, i.Name, err = decodeNewName("FileRenameInformation", b)
	return err
}

// Append appends the structure.
func (i *FileLinkInformation) Append(b []byte) []byte {
	return appendNewName(b, i.ReplaceIfExists, i.Name)
}

// Decode reads the structure.
func (i *FileLinkInformation) Decode(b []byte) (err error) {
	i.ReplaceIfExists, i.Name, err = decodeNewName("FileLinkInformation", b)
	return err
}

func appendNewName(b []byte, replace bool, name string) []byte {
	start := len(b)
	b = append(b, boolByte(replace))
	b = appendZeros(b, 7+8) // Reserved, RootDirectory
	b = le.AppendUint32(b, uint32(UTF16Len(name)))
	b = AppendUTF16(b, name)
	return appendZeros(b, newNameMin-(len(b)-start))
}

func decodeNewName(what string, b []byte) (replace bool, name string, err error) {
	if err := checkLen(what, b, newNameFixed); err != nil {
		return false, "", err
	}
	raw, err := within(what, "FileName", b, newNameFixed, uint64(le.Uint32(b[16:])))
	if err != nil {
		return false, "", err
	}
	name, err = decodeName(what, "FileName", raw)
	return b[0] != 0, name, err
}
