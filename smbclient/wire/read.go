package wire

// Flags of a READ.
//
// MS-SMB2 2.2.19
const (
	ReadUnbuffered        uint8 = 0x01 // 3.0.2 and 3.1.1
	ReadRequestCompressed uint8 = 0x02 // 3.1.1
)

// ReadRequest reads from an open. Channel information, which only RDMA has, is neither sent nor decoded.
//
// MS-SMB2 2.2.19
type ReadRequest struct {
	Flags          uint8
	Length         uint32
	Offset         uint64
	FileID         FileID
	MinimumCount   uint32
	RemainingBytes uint32
}

// Append appends the body. It asks for the data right behind the response's fixed part, where everybody puts it.
func (r *ReadRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 49)
	b = append(b, HeaderSize+ReadResponseFixed, r.Flags) // Padding
	b = le.AppendUint32(b, r.Length)
	b = le.AppendUint64(b, r.Offset)
	b = r.FileID.append(b)
	b = le.AppendUint32(b, r.MinimumCount)
	b = le.AppendUint32(b, 0) // Channel
	b = le.AppendUint32(b, r.RemainingBytes)
	b = le.AppendUint32(b, 0) // ReadChannelInfoOffset, ReadChannelInfoLength
	return append(b, 0)       // Buffer
}

// Decode reads the body.
func (r *ReadRequest) Decode(body []byte) error {
	if err := checkBody("READ Request", body, 49); err != nil {
		return err
	}
	*r = ReadRequest{
		Flags:          body[3],
		Length:         le.Uint32(body[4:]),
		Offset:         le.Uint64(body[8:]),
		FileID:         decodeFileID(body[16:]),
		MinimumCount:   le.Uint32(body[32:]),
		RemainingBytes: le.Uint32(body[40:]),
	}
	return nil
}

// ReadResponseFixed is the length of a ReadResponse's fixed part, which its data follow.
//
// MS-SMB2 2.2.20
const ReadResponseFixed = 16

// ReadResponse carries what was read.
//
// MS-SMB2 2.2.20
type ReadResponse struct {
	DataOffset    uint8  // from the start of the header; set by Decode and DecodeFixed
	DataLength    uint32 // set by Decode and DecodeFixed
	DataRemaining uint32
	Flags         uint32 // 3.1.1: ReadResponseRDMATransform
	Data          []byte // set by Decode; aliases the body
}

// ReadResponseRDMATransform in Flags: an RDMA transform applies to the data.
//
// MS-SMB2 2.2.20
const ReadResponseRDMATransform uint32 = 0x00000001

// Append appends the body, Data included.
func (r *ReadResponse) Append(b []byte) []byte {
	b = le.AppendUint16(b, 17)
	b = append(b, HeaderSize+ReadResponseFixed, 0)
	b = le.AppendUint32(b, uint32(len(r.Data)))
	b = le.AppendUint32(b, r.DataRemaining)
	b = le.AppendUint32(b, r.Flags)
	return append(b, r.Data...)
}

// DecodeFixed reads the first ReadResponseFixed bytes of the body, for a receiver that puts the data elsewhere. It checks
// that DataOffset is not inside the fixed part; that the message holds DataLength bytes from there is for the caller to check.
func (r *ReadResponse) DecodeFixed(body []byte) error {
	const what = "READ Response"
	if err := checkBody(what, body, 17); err != nil {
		return err
	}
	*r = ReadResponse{
		DataOffset:    body[2],
		DataLength:    le.Uint32(body[4:]),
		DataRemaining: le.Uint32(body[8:]),
		Flags:         le.Uint32(body[12:]),
	}
	if r.DataLength > 0 && r.DataOffset < HeaderSize+ReadResponseFixed {
		return malformed(what, "data at offset %d, inside the fixed part", r.DataOffset)
	}
	return nil
}

// Decode reads the body, data included.
func (r *ReadResponse) Decode(body []byte) error {
	if err := r.DecodeFixed(body); err != nil {
		return err
	}
	var err error
	r.Data, err = field("READ Response", "data", body, ReadResponseFixed, uint32(r.DataOffset), r.DataLength)
	return err
}
