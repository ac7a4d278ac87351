package wire

// FileAllInformation is most of what there is to know, in one query.
//
// MS-FSCC 2.4.2
type FileAllInformation struct {
	Basic                FileBasicInformation
	Standard             FileStandardInformation
	IndexNumber          uint64 // FileInternalInformation
	EASize               uint32
	AccessFlags          AccessMask
	CurrentByteOffset    uint64
	Mode                 CreateOptions
	AlignmentRequirement uint32
	Name                 string // from the share's root, with a backslash in front
	NameCut              bool   // the output buffer was too small for Name, which is empty then
}

// FileAllFixed is the length of a FileAllInformation without the characters of its name. A buffer of this length is enough for
// all else; the status is then STATUS_BUFFER_OVERFLOW.
//
// MS-FSCC 2.4.2
const FileAllFixed = 100

// Append appends the structure.
func (i *FileAllInformation) Append(b []byte) []byte {
	b = i.Basic.Append(b)
	b = i.Standard.Append(b)
	b = le.AppendUint64(b, i.IndexNumber)
	b = le.AppendUint32(b, i.EASize)
	b = le.AppendUint32(b, uint32(i.AccessFlags))
	b = le.AppendUint64(b, i.CurrentByteOffset)
	b = le.AppendUint32(b, uint32(i.Mode))
	b = le.AppendUint32(b, i.AlignmentRequirement)
	b = le.AppendUint32(b, uint32(UTF16Len(i.Name)))
	return AppendUTF16(b, i.Name)
}

// Decode reads the structure. A name that was cut off is no error, one that is not UTF-16 is.
func (i *FileAllInformation) Decode(b []byte) error {
	const what = "FileAllInformation"
	if err := checkLen(what, b, FileAllFixed); err != nil {
		return err
	}
	*i = FileAllInformation{
		IndexNumber:          le.Uint64(b[64:]),
		EASize:               le.Uint32(b[72:]),
		AccessFlags:          AccessMask(le.Uint32(b[76:])),
		CurrentByteOffset:    le.Uint64(b[80:]),
		Mode:                 CreateOptions(le.Uint32(b[88:])),
		AlignmentRequirement: le.Uint32(b[92:]),
	}
	if err := i.Basic.Decode(b); err != nil {
		return err
	}
	if err := i.Standard.Decode(b[fileBasicSize:]); err != nil {
		return err
	}
	name, err := within(what, "FileName", b, FileAllFixed, uint64(le.Uint32(b[96:])))
	if err != nil {
		i.NameCut = true
		return nil
	}
	i.Name, err = decodeName(what, "FileName", name)
	return err
}
