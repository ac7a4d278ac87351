package wire

// QueryDirectoryFlags of a QUERY_DIRECTORY.
//
// MS-SMB2 2.2.33
type QueryDirectoryFlags uint8

// MS-SMB2 2.2.33
const (
	RestartScans      QueryDirectoryFlags = 0x01
	ReturnSingleEntry QueryDirectoryFlags = 0x02
	IndexSpecified    QueryDirectoryFlags = 0x04
	Reopen            QueryDirectoryFlags = 0x10
)

// QueryDirectoryRequest lists a directory.
//
// MS-SMB2 2.2.33
type QueryDirectoryRequest struct {
	Class              InfoClass
	Flags              QueryDirectoryFlags
	FileIndex          uint32
	FileID             FileID
	OutputBufferLength uint32
	Pattern            string
}

const queryDirectoryRequestFixed = 32

// Append appends the body.
func (r *QueryDirectoryRequest) Append(b []byte) []byte {
	start := len(b)
	b = le.AppendUint16(b, 33)
	b = append(b, byte(r.Class), byte(r.Flags))
	b = le.AppendUint32(b, r.FileIndex)
	b = r.FileID.append(b)
	b = le.AppendUint16(b, HeaderSize+queryDirectoryRequestFixed)
	b = le.AppendUint16(b, uint16(UTF16Len(r.Pattern)))
	b = le.AppendUint32(b, r.OutputBufferLength)
	b = AppendUTF16(b, r.Pattern)
	if len(b)-start == queryDirectoryRequestFixed {
		b = append(b, 0)
	}
	return b
}

// Decode reads the body.
func (r *QueryDirectoryRequest) Decode(body []byte) error {
	const what = "QUERY_DIRECTORY Request"
	if err := checkBody(what, body, 33); err != nil {
		return err
	}
	*r = QueryDirectoryRequest{
		Class:              InfoClass(body[2]),
		Flags:              QueryDirectoryFlags(body[3]),
		FileIndex:          le.Uint32(body[4:]),
		FileID:             decodeFileID(body[8:]),
		OutputBufferLength: le.Uint32(body[28:]),
	}
	off, n := uint32(le.Uint16(body[24:])), uint32(le.Uint16(body[26:]))
	pattern, err := field(what, "FileName", body, queryDirectoryRequestFixed, off, n)
	if err != nil {
		return err
	}
	r.Pattern, err = decodeName(what, "FileName", pattern)
	return err
}

// QueryDirectoryResponse carries entries of the class that was asked for; for ClassFileIDBothDirectory see DecodeDirEntries.
//
// MS-SMB2 2.2.34
type QueryDirectoryResponse struct {
	Output []byte
}

// Append appends the body.
func (r *QueryDirectoryResponse) Append(b []byte) []byte { return appendOutput(b, r.Output) }

// Decode reads the body.
func (r *QueryDirectoryResponse) Decode(body []byte) (err error) {
	r.Output, err = decodeOutput("QUERY_DIRECTORY Response", body)
	return err
}
