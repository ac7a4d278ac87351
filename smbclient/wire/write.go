package wire

// Flags of a WRITE.
//
// MS-SMB2 2.2.21
const (
	WriteThrough    uint32 = 0x00000001 // 2.1 and later
	WriteUnbuffered uint32 = 0x00000002 // 3.0.2 and 3.1.1
)

// WriteRequestFixed is the length of a WriteRequest's fixed part, which the data follow.
//
// MS-SMB2 2.2.21
const WriteRequestFixed = 48

// WriteRequest writes to an open. Channel information, which only RDMA has, is neither sent nor decoded.
//
// MS-SMB2 2.2.21
type WriteRequest struct {
	Length         uint32
	Offset         uint64
	FileID         FileID
	RemainingBytes uint32
	Flags          uint32
	Data           []byte // set by Decode, ignored by Append
}

// Append appends the fixed part of the body: the caller sends Length bytes of data behind it. For a Length of 0 it
// sends one byte all the same, without which servers refuse the request.
func (r *WriteRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 49)
	b = le.AppendUint16(b, HeaderSize+WriteRequestFixed)
	b = le.AppendUint32(b, r.Length)
	b = le.AppendUint64(b, r.Offset)
	b = r.FileID.append(b)
	b = le.AppendUint32(b, 0) // Channel
	b = le.AppendUint32(b, r.RemainingBytes)
	b = le.AppendUint32(b, 0) // WriteChannelInfoOffset, WriteChannelInfoLength
	return le.AppendUint32(b, r.Flags)
}

// Decode reads the body, data included.
func (r *WriteRequest) Decode(body []byte) error {
	const what = "WRITE Request"
	if err := checkBody(what, body, 49); err != nil {
		return err
	}
	*r = WriteRequest{
		Length:         le.Uint32(body[4:]),
		Offset:         le.Uint64(body[8:]),
		FileID:         decodeFileID(body[16:]),
		RemainingBytes: le.Uint32(body[36:]),
		Flags:          le.Uint32(body[44:]),
	}
	var err error
	r.Data, err = field(what, "data", body, WriteRequestFixed, uint32(le.Uint16(body[2:])), r.Length)
	return err
}

// WriteResponse says how much was written.
//
// MS-SMB2 2.2.22
type WriteResponse struct {
	Count uint32
}

// Append appends the body.
func (r *WriteResponse) Append(b []byte) []byte {
	b = le.AppendUint16(b, 17)
	b = le.AppendUint16(b, 0) // Reserved
	b = le.AppendUint32(b, r.Count)
	return appendZeros(b, 8) // Remaining, WriteChannelInfoOffset, WriteChannelInfoLength
}

// Decode reads the body.
func (r *WriteResponse) Decode(body []byte) error {
	if err := checkBody("WRITE Response", body, 17); err != nil {
		return err
	}
	*r = WriteResponse{Count: le.Uint32(body[4:])}
	return nil
}
