package wire

// FileFsSizeInformation is the space of a file system.
//
// MS-FSCC 2.5.8
type FileFsSizeInformation struct {
	TotalAllocationUnits     uint64
	AvailableAllocationUnits uint64
	SectorsPerAllocationUnit uint32
	BytesPerSector           uint32
}

// Append appends the structure.
func (i *FileFsSizeInformation) Append(b []byte) []byte {
	b = le.AppendUint64(b, i.TotalAllocationUnits)
	b = le.AppendUint64(b, i.AvailableAllocationUnits)
	b = le.AppendUint32(b, i.SectorsPerAllocationUnit)
	return le.AppendUint32(b, i.BytesPerSector)
}

// Decode reads the structure.
func (i *FileFsSizeInformation) Decode(b []byte) error {
	if err := checkLen("FileFsSizeInformation", b, 24); err != nil {
		return err
	}
	*i = FileFsSizeInformation{le.Uint64(b), le.Uint64(b[8:]), le.Uint32(b[16:]), le.Uint32(b[20:])}
	return nil
}

// FileFsFullSizeInformation is the same, and what a quota leaves of it.
//
// MS-FSCC 2.5.4
type FileFsFullSizeInformation struct {
	TotalAllocationUnits           uint64
	CallerAvailableAllocationUnits uint64
	ActualAvailableAllocationUnits uint64
	SectorsPerAllocationUnit       uint32
	BytesPerSector                 uint32
}

// Append appends the structure.
func (i *FileFsFullSizeInformation) Append(b []byte) []byte {
	b = le.AppendUint64(b, i.TotalAllocationUnits)
	b = le.AppendUint64(b, i.CallerAvailableAllocationUnits)
	b = le.AppendUint64(b, i.ActualAvailableAllocationUnits)
	b = le.AppendUint32(b, i.SectorsPerAllocationUnit)
	return le.AppendUint32(b, i.BytesPerSector)
}

// Decode reads the structure.
func (i *FileFsFullSizeInformation) Decode(b []byte) error {
	if err := checkLen("FileFsFullSizeInformation", b, 32); err != nil {
		return err
	}
	*i = FileFsFullSizeInformation{le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:]), le.Uint32(b[24:]), le.Uint32(b[28:])}
	return nil
}

// FsAttributes is what a file system can do.
//
// MS-FSCC 2.5.1
type FsAttributes uint32

// MS-FSCC 2.5.1
const (
	FsCaseSensitiveSearch        FsAttributes = 0x00000001
	FsCasePreservedNames         FsAttributes = 0x00000002
	FsUnicodeOnDisk              FsAttributes = 0x00000004
	FsPersistentACLs             FsAttributes = 0x00000008
	FsFileCompression            FsAttributes = 0x00000010
	FsVolumeQuotas               FsAttributes = 0x00000020
	FsSupportsSparseFiles        FsAttributes = 0x00000040
	FsSupportsReparsePoints      FsAttributes = 0x00000080
	FsSupportsRemoteStorage      FsAttributes = 0x00000100
	FsVolumeIsCompressed         FsAttributes = 0x00008000
	FsSupportsObjectIDs          FsAttributes = 0x00010000
	FsSupportsEncryption         FsAttributes = 0x00020000
	FsNamedStreams               FsAttributes = 0x00040000
	FsReadOnlyVolume             FsAttributes = 0x00080000
	FsSequentialWriteOnce        FsAttributes = 0x00100000
	FsSupportsTransactions       FsAttributes = 0x00200000
	FsSupportsHardLinks          FsAttributes = 0x00400000
	FsSupportsExtendedAttributes FsAttributes = 0x00800000
	FsSupportsOpenByFileID       FsAttributes = 0x01000000
	FsSupportsUSNJournal         FsAttributes = 0x02000000
	FsSupportsIntegrityStreams   FsAttributes = 0x04000000
	FsSupportsBlockRefcounting   FsAttributes = 0x08000000
	FsSupportsSparseVDL          FsAttributes = 0x10000000
)

// FileFsAttributeInformation says it, with the longest name and the file system's own.
//
// MS-FSCC 2.5.1
type FileFsAttributeInformation struct {
	Attributes                 FsAttributes
	MaximumComponentNameLength uint32 // UTF-16 code units; the server may say anything
	FileSystemName             string
}

// Append appends the structure.
func (i *FileFsAttributeInformation) Append(b []byte) []byte {
	b = le.AppendUint32(b, uint32(i.Attributes))
	b = le.AppendUint32(b, i.MaximumComponentNameLength)
	b = le.AppendUint32(b, uint32(UTF16Len(i.FileSystemName)))
	return AppendUTF16(b, i.FileSystemName)
}

// Decode reads the structure.
func (i *FileFsAttributeInformation) Decode(b []byte) error {
	const what = "FileFsAttributeInformation"
	if err := checkLen(what, b, 12); err != nil {
		return err
	}
	*i = FileFsAttributeInformation{Attributes: FsAttributes(le.Uint32(b)), MaximumComponentNameLength: le.Uint32(b[4:])}
	name, err := within(what, "FileSystemName", b, 12, uint64(le.Uint32(b[8:])))
	if err != nil {
		return err
	}
	i.FileSystemName, err = decodeName(what, "FileSystemName", name)
	return err
}

// FileFsVolumeInformation names a volume.
//
// MS-FSCC 2.5.9
type FileFsVolumeInformation struct {
	VolumeCreationTime Filetime
	VolumeSerialNumber uint32
	SupportsObjects    bool
	VolumeLabel        string
}

// Append appends the structure.
func (i *FileFsVolumeInformation) Append(b []byte) []byte {
	b = le.AppendUint64(b, uint64(i.VolumeCreationTime))
	b = le.AppendUint32(b, i.VolumeSerialNumber)
	b = le.AppendUint32(b, uint32(UTF16Len(i.VolumeLabel)))
	b = append(b, boolByte(i.SupportsObjects), 0)
	return AppendUTF16(b, i.VolumeLabel)
}

// Decode reads the structure.
func (i *FileFsVolumeInformation) Decode(b []byte) error {
	const what = "FileFsVolumeInformation"
	if err := checkLen(what, b, 18); err != nil {
		return err
	}
	*i = FileFsVolumeInformation{
		VolumeCreationTime: Filetime(le.Uint64(b)),
		VolumeSerialNumber: le.Uint32(b[8:]),
		SupportsObjects:    b[16] != 0,
	}
	label, err := within(what, "VolumeLabel", b, 18, uint64(le.Uint32(b[12:])))
	if err != nil {
		return err
	}
	i.VolumeLabel, err = decodeName(what, "VolumeLabel", label)
	return err
}

// FileFsSectorSizeInformation has the sizes of sectors, and how partitions lie on them.
//
// MS-FSCC 2.5.7
type FileFsSectorSizeInformation struct {
	LogicalBytesPerSector                                 uint32
	PhysicalBytesPerSectorForAtomicity                    uint32
	PhysicalBytesPerSectorForPerformance                  uint32
	FileSystemEffectivePhysicalBytesPerSectorForAtomicity uint32
	Flags                                                 uint32
	ByteOffsetForSectorAlignment                          uint32
	ByteOffsetForPartitionAlignment                       uint32
}

func (i *FileFsSectorSizeInformation) fields() [7]*uint32 {
	return [...]*uint32{
		&i.LogicalBytesPerSector, &i.PhysicalBytesPerSectorForAtomicity, &i.PhysicalBytesPerSectorForPerformance,
		&i.FileSystemEffectivePhysicalBytesPerSectorForAtomicity, &i.Flags, &i.ByteOffsetForSectorAlignment,
		&i.ByteOffsetForPartitionAlignment,
	}
}

// Append appends the structure.
func (i *FileFsSectorSizeInformation) Append(b []byte) []byte {
	for _, f := range i.fields() {
		b = le.AppendUint32(b, *f)
	}
	return b
}

// Decode reads the structure.
func (i *FileFsSectorSizeInformation) Decode(b []byte) error {
	if err := checkLen("FileFsSectorSizeInformation", b, 28); err != nil {
		return err
	}
	for n, f := range i.fields() {
		*f = le.Uint32(b[4*n:])
	}
	return nil
}
