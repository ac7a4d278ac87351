package wire

// ClosePostQueryAttrib in Flags asks for the attributes in the response, and says there that they are valid.
//
// MS-SMB2 2.2.15, 2.2.16
const ClosePostQueryAttrib uint16 = 0x0001

// CloseRequest closes an open.
//
// MS-SMB2 2.2.15
type CloseRequest struct {
	Flags  uint16
	FileID FileID
}

// Append appends the body.
func (r *CloseRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 24)
	b = le.AppendUint16(b, r.Flags)
	b = le.AppendUint32(b, 0) // Reserved
	return r.FileID.append(b)
}

// Decode reads the body.
func (r *CloseRequest) Decode(body []byte) error {
	if err := checkBody("CLOSE Request", body, 24); err != nil {
		return err
	}
	*r = CloseRequest{Flags: le.Uint16(body[2:]), FileID: decodeFileID(body[8:])}
	return nil
}

// CloseResponse gives the state after the close, if Flags has ClosePostQueryAttrib; otherwise zeros.
//
// MS-SMB2 2.2.16
type CloseResponse struct {
	Flags          uint16
	CreationTime   Filetime
	LastAccessTime Filetime
	LastWriteTime  Filetime
	ChangeTime     Filetime
	AllocationSize uint64
	EndOfFile      uint64
	FileAttributes FileAttributes
}

// Append appends the body.
func (r *CloseResponse) Append(b []byte) []byte {
	b = le.AppendUint16(b, 60)
	b = le.AppendUint16(b, r.Flags)
	b = le.AppendUint32(b, 0) // Reserved
	b = appendTimes(b, r.CreationTime, r.LastAccessTime, r.LastWriteTime, r.ChangeTime)
	b = le.AppendUint64(b, r.AllocationSize)
	b = le.AppendUint64(b, r.EndOfFile)
	return le.AppendUint32(b, uint32(r.FileAttributes))
}

// Decode reads the body.
func (r *CloseResponse) Decode(body []byte) error {
	if err := checkBody("CLOSE Response", body, 60); err != nil {
		return err
	}
	*r = CloseResponse{
		Flags:          le.Uint16(body[2:]),
		CreationTime:   Filetime(le.Uint64(body[8:])),
		LastAccessTime: Filetime(le.Uint64(body[16:])),
		LastWriteTime:  Filetime(le.Uint64(body[24:])),
		ChangeTime:     Filetime(le.Uint64(body[32:])),
		AllocationSize: le.Uint64(body[40:]),
		EndOfFile:      le.Uint64(body[48:]),
		FileAttributes: FileAttributes(le.Uint32(body[56:])),
	}
	return nil
}
