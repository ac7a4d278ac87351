package wire

// CreateRequest opens or makes a file or directory.
//
// MS-SMB2 2.2.13
type CreateRequest struct {
	OplockLevel        OplockLevel // OplockLease with a lease context
	ImpersonationLevel ImpersonationLevel
	DesiredAccess      AccessMask
	FileAttributes     FileAttributes
	ShareAccess        ShareAccess
	Disposition        CreateDisposition
	Options            CreateOptions
	Name               string // relative to the share, separated by backslashes; "" is its root
	Contexts           []CreateContext
}

const createRequestFixed = 56

// Append appends the body.
func (r *CreateRequest) Append(b []byte) []byte {
	start := len(b)
	b = le.AppendUint16(b, 57)
	b = append(b, 0, byte(r.OplockLevel)) // SecurityFlags
	b = le.AppendUint32(b, uint32(r.ImpersonationLevel))
	b = appendZeros(b, 16) // SmbCreateFlags, Reserved
	b = le.AppendUint32(b, uint32(r.DesiredAccess))
	b = le.AppendUint32(b, uint32(r.FileAttributes))
	b = le.AppendUint32(b, uint32(r.ShareAccess))
	b = le.AppendUint32(b, uint32(r.Disposition))
	b = le.AppendUint32(b, uint32(r.Options))
	b = le.AppendUint16(b, HeaderSize+createRequestFixed)
	b = le.AppendUint16(b, uint16(UTF16Len(r.Name)))
	contexts := len(b)
	b = appendZeros(b, 8) // CreateContextsOffset, CreateContextsLength
	b = AppendUTF16(b, r.Name)
	if len(r.Contexts) > 0 {
		b = align(b, start, 8)
		first := len(b)
		b = appendCreateContexts(b, r.Contexts)
		le.PutUint32(b[contexts:], uint32(HeaderSize+first-start))
		le.PutUint32(b[contexts+4:], uint32(len(b)-first))
	}
	if len(b)-start == createRequestFixed {
		b = append(b, 0) // the Buffer is at least one byte
	}
	return b
}

// Decode reads the body.
func (r *CreateRequest) Decode(body []byte) error {
	const what = "CREATE Request"
	if err := checkBody(what, body, 57); err != nil {
		return err
	}
	*r = CreateRequest{
		OplockLevel:        OplockLevel(body[3]),
		ImpersonationLevel: ImpersonationLevel(le.Uint32(body[4:])),
		DesiredAccess:      AccessMask(le.Uint32(body[24:])),
		FileAttributes:     FileAttributes(le.Uint32(body[28:])),
		ShareAccess:        ShareAccess(le.Uint32(body[32:])),
		Disposition:        CreateDisposition(le.Uint32(body[36:])),
		Options:            CreateOptions(le.Uint32(body[40:])),
	}
	off, n := uint32(le.Uint16(body[44:])), uint32(le.Uint16(body[46:]))
	name, err := field(what, "Name", body, createRequestFixed, off, n)
	if err != nil {
		return err
	}
	if r.Name, err = decodeName(what, "Name", name); err != nil {
		return err
	}
	list, err := field(what, "CreateContexts", body, createRequestFixed, le.Uint32(body[48:]), le.Uint32(body[52:]))
	if err != nil {
		return err
	}
	r.Contexts, err = decodeCreateContexts(list)
	return err
}

// CreateResponse describes the open.
//
// MS-SMB2 2.2.14
type CreateResponse struct {
	OplockLevel    OplockLevel
	Flags          uint8 // 3.x: CreateFlagReparsePoint
	Action         CreateAction
	CreationTime   Filetime
	LastAccessTime Filetime
	LastWriteTime  Filetime
	ChangeTime     Filetime
	AllocationSize uint64
	EndOfFile      uint64
	FileAttributes FileAttributes
	FileID         FileID
	Contexts       []CreateContext
}

const createResponseFixed = 88

// Append appends the body.
func (r *CreateResponse) Append(b []byte) []byte {
	start := len(b)
	b = le.AppendUint16(b, 89)
	b = append(b, byte(r.OplockLevel), r.Flags)
	b = le.AppendUint32(b, uint32(r.Action))
	b = appendTimes(b, r.CreationTime, r.LastAccessTime, r.LastWriteTime, r.ChangeTime)
	b = le.AppendUint64(b, r.AllocationSize)
	b = le.AppendUint64(b, r.EndOfFile)
	b = le.AppendUint32(b, uint32(r.FileAttributes))
	b = le.AppendUint32(b, 0) // Reserved2
	b = r.FileID.append(b)
	b = appendZeros(b, 8) // CreateContextsOffset, CreateContextsLength
	if len(r.Contexts) > 0 {
		b = appendCreateContexts(b, r.Contexts)
		le.PutUint32(b[start+80:], HeaderSize+createResponseFixed)
		le.PutUint32(b[start+84:], uint32(len(b)-start-createResponseFixed))
	}
	return b
}

// Decode reads the body.
func (r *CreateResponse) Decode(body []byte) error {
	const what = "CREATE Response"
	if err := checkBody(what, body, 89); err != nil {
		return err
	}
	*r = CreateResponse{
		OplockLevel:    OplockLevel(body[2]),
		Flags:          body[3],
		Action:         CreateAction(le.Uint32(body[4:])),
		CreationTime:   Filetime(le.Uint64(body[8:])),
		LastAccessTime: Filetime(le.Uint64(body[16:])),
		LastWriteTime:  Filetime(le.Uint64(body[24:])),
		ChangeTime:     Filetime(le.Uint64(body[32:])),
		AllocationSize: le.Uint64(body[40:]),
		EndOfFile:      le.Uint64(body[48:]),
		FileAttributes: FileAttributes(le.Uint32(body[56:])),
		FileID:         decodeFileID(body[64:]),
	}
	list, err := field(what, "CreateContexts", body, createResponseFixed, le.Uint32(body[80:]), le.Uint32(body[84:]))
	if err != nil {
		return err
	}
	r.Contexts, err = decodeCreateContexts(list)
	return err
}

func appendTimes(b []byte, times ...Filetime) []byte {
	for _, t := range times {
		b = le.AppendUint64(b, uint64(t))
	}
	return b
}
