package wire

// NotifyFlags of a CHANGE_NOTIFY.
//
// MS-SMB2 2.2.35
type NotifyFlags uint16

// WatchTree asks for changes in the whole tree below.
//
// MS-SMB2 2.2.35
const WatchTree NotifyFlags = 0x0001

// CompletionFilter is the set of changes that complete a CHANGE_NOTIFY.
//
// MS-SMB2 2.2.35
type CompletionFilter uint32

// MS-SMB2 2.2.35
const (
	FilterFileName    CompletionFilter = 0x00000001
	FilterDirName     CompletionFilter = 0x00000002
	FilterAttributes  CompletionFilter = 0x00000004
	FilterSize        CompletionFilter = 0x00000008
	FilterLastWrite   CompletionFilter = 0x00000010
	FilterLastAccess  CompletionFilter = 0x00000020
	FilterCreation    CompletionFilter = 0x00000040
	FilterEA          CompletionFilter = 0x00000080
	FilterSecurity    CompletionFilter = 0x00000100
	FilterStreamName  CompletionFilter = 0x00000200
	FilterStreamSize  CompletionFilter = 0x00000400
	FilterStreamWrite CompletionFilter = 0x00000800

	CompletionFilterAll CompletionFilter = 0x00000FFF
)

// ChangeNotifyRequest asks to be told of the next changes in a directory.
//
// MS-SMB2 2.2.35
type ChangeNotifyRequest struct {
	Flags              NotifyFlags
	OutputBufferLength uint32
	FileID             FileID
	CompletionFilter   CompletionFilter
}

// Append appends the body.
func (r *ChangeNotifyRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 32)
	b = le.AppendUint16(b, uint16(r.Flags))
	b = le.AppendUint32(b, r.OutputBufferLength)
	b = r.FileID.append(b)
	b = le.AppendUint32(b, uint32(r.CompletionFilter))
	return le.AppendUint32(b, 0) // Reserved
}

// Decode reads the body.
func (r *ChangeNotifyRequest) Decode(body []byte) error {
	if err := checkBody("CHANGE_NOTIFY Request", body, 32); err != nil {
		return err
	}
	*r = ChangeNotifyRequest{
		Flags:              NotifyFlags(le.Uint16(body[2:])),
		OutputBufferLength: le.Uint32(body[4:]),
		FileID:             decodeFileID(body[8:]),
		CompletionFilter:   CompletionFilter(le.Uint32(body[24:])),
	}
	return nil
}

// ChangeNotifyResponse carries them. Output holds FILE_NOTIFY_INFORMATION, for DecodeNotifyEvents; empty means that there
// were more than fit.
//
// MS-SMB2 2.2.36
type ChangeNotifyResponse struct {
	Output []byte
}

// Append appends the body.
func (r *ChangeNotifyResponse) Append(b []byte) []byte { return appendOutput(b, r.Output) }

// Decode reads the body.
func (r *ChangeNotifyResponse) Decode(body []byte) (err error) {
	r.Output, err = decodeOutput("CHANGE_NOTIFY Response", body)
	return err
}
