package wire

// FileBasicInformation has the times and attributes. Being set, a zero time or attribute is left as it is; see also
// FiletimeStopUpdate.
//
// MS-FSCC 2.4.7
type FileBasicInformation struct {
	CreationTime   Filetime
	LastAccessTime Filetime
	LastWriteTime  Filetime
	ChangeTime     Filetime
	FileAttributes FileAttributes
}

const fileBasicSize = 40

// Append appends the structure.
func (i *FileBasicInformation) Append(b []byte) []byte {
	b = appendTimes(b, i.CreationTime, i.LastAccessTime, i.LastWriteTime, i.ChangeTime)
	b = le.AppendUint32(b, uint32(i.FileAttributes))
	return le.AppendUint32(b, 0) // Reserved
}

// Decode reads the structure.
func (i *FileBasicInformation) Decode(b []byte) error {
	if err := checkLen("FileBasicInformation", b, fileBasicSize); err != nil {
		return err
	}
	*i = FileBasicInformation{
		CreationTime:   Filetime(le.Uint64(b)),
		LastAccessTime: Filetime(le.Uint64(b[8:])),
		LastWriteTime:  Filetime(le.Uint64(b[16:])),
		ChangeTime:     Filetime(le.Uint64(b[24:])),
		FileAttributes: FileAttributes(le.Uint32(b[32:])),
	}
	return nil
}

// FileStandardInformation has sizes and the link count.
//
// MS-FSCC 2.4.47
type FileStandardInformation struct {
	AllocationSize uint64
	EndOfFile      uint64
	NumberOfLinks  uint32
	DeletePending  bool
	Directory      bool
}

const fileStandardSize = 24

// Append appends the structure.
func (i *FileStandardInformation) Append(b []byte) []byte {
	b = le.AppendUint64(b, i.AllocationSize)
	b = le.AppendUint64(b, i.EndOfFile)
	b = le.AppendUint32(b, i.NumberOfLinks)
	b = append(b, boolByte(i.DeletePending), boolByte(i.Directory))
	return le.AppendUint16(b, 0) // Reserved
}

// Decode reads the structure.
func (i *FileStandardInformation) Decode(b []byte) error {
	if err := checkLen("FileStandardInformation", b, fileStandardSize); err != nil {
		return err
	}
	*i = FileStandardInformation{
		AllocationSize: le.Uint64(b),
		EndOfFile:      le.Uint64(b[8:]),
		NumberOfLinks:  le.Uint32(b[16:]),
		DeletePending:  b[20] != 0,
		Directory:      b[21] != 0,
	}
	return nil
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// FileInternalInformation has the file id.
//
// MS-FSCC 2.4.27
type FileInternalInformation struct{ IndexNumber uint64 }

// Append appends the structure.
func (i *FileInternalInformation) Append(b []byte) []byte { return le.AppendUint64(b, i.IndexNumber) }

// Decode reads the structure.
func (i *FileInternalInformation) Decode(b []byte) error {
	return decodeUint64("FileInternalInformation", b, &i.IndexNumber)
}

func decodeUint64(what string, b []byte, v *uint64) error {
	if err := checkLen(what, b, 8); err != nil {
		return err
	}
	*v = le.Uint64(b)
	return nil
}

// FileNetworkOpenInformation has times, sizes and attributes at once.
//
// MS-FSCC 2.4.34
type FileNetworkOpenInformation struct {
	CreationTime   Filetime
	LastAccessTime Filetime
	LastWriteTime  Filetime
	ChangeTime     Filetime
	AllocationSize uint64
	EndOfFile      uint64
	FileAttributes FileAttributes
}

// Append appends the structure.
func (i *FileNetworkOpenInformation) Append(b []byte) []byte {
	b = appendTimes(b, i.CreationTime, i.LastAccessTime, i.LastWriteTime, i.ChangeTime)
	b = le.AppendUint64(b, i.AllocationSize)
	b = le.AppendUint64(b, i.EndOfFile)
	b = le.AppendUint32(b, uint32(i.FileAttributes))
	return le.AppendUint32(b, 0) // Reserved
}

// Decode reads the structure.
func (i *FileNetworkOpenInformation) Decode(b []byte) error {
	if err := checkLen("FileNetworkOpenInformation", b, 56); err != nil {
		return err
	}
	*i = FileNetworkOpenInformation{
		CreationTime:   Filetime(le.Uint64(b)),
		LastAccessTime: Filetime(le.Uint64(b[8:])),
		LastWriteTime:  Filetime(le.Uint64(b[16:])),
		ChangeTime:     Filetime(le.Uint64(b[24:])),
		AllocationSize: le.Uint64(b[32:]),
		EndOfFile:      le.Uint64(b[40:]),
		FileAttributes: FileAttributes(le.Uint32(b[48:])),
	}
	return nil
}
