package wire

// InfoType is what a QUERY_INFO or SET_INFO is about.
//
// MS-SMB2 2.2.37, 2.2.39
type InfoType uint8

// MS-SMB2 2.2.37
const (
	InfoFile       InfoType = 0x01
	InfoFilesystem InfoType = 0x02
	InfoSecurity   InfoType = 0x03 // the buffer is a security descriptor, MS-DTYP 2.4.6, which stays bytes here
	InfoQuota      InfoType = 0x04
)

// InfoClass is a structure of MS-FSCC: one of the ClassFile constants with InfoFile and in a QUERY_DIRECTORY, one of the
// ClassFs constants with InfoFilesystem.
//
// MS-FSCC 2.4, 2.5
type InfoClass uint8

// MS-FSCC 2.4
const (
	ClassFileDirectory       InfoClass = 1
	ClassFileFullDirectory   InfoClass = 2
	ClassFileBothDirectory   InfoClass = 3
	ClassFileBasic           InfoClass = 4
	ClassFileStandard        InfoClass = 5
	ClassFileInternal        InfoClass = 6
	ClassFileEA              InfoClass = 7
	ClassFileAccess          InfoClass = 8
	ClassFileRename          InfoClass = 10
	ClassFileLink            InfoClass = 11
	ClassFileNames           InfoClass = 12
	ClassFileDisposition     InfoClass = 13
	ClassFilePosition        InfoClass = 14
	ClassFileFullEA          InfoClass = 15
	ClassFileMode            InfoClass = 16
	ClassFileAlignment       InfoClass = 17
	ClassFileAll             InfoClass = 18
	ClassFileAllocation      InfoClass = 19
	ClassFileEndOfFile       InfoClass = 20
	ClassFileAlternateName   InfoClass = 21
	ClassFileStream          InfoClass = 22
	ClassFileNetworkOpen     InfoClass = 34
	ClassFileAttributeTag    InfoClass = 35
	ClassFileIDBothDirectory InfoClass = 37
	ClassFileIDFullDirectory InfoClass = 38
	ClassFileNormalizedName  InfoClass = 48
	ClassFileDispositionEx   InfoClass = 64
	ClassFileRenameEx        InfoClass = 65
)

// MS-FSCC 2.5
const (
	ClassFsVolume     InfoClass = 1
	ClassFsSize       InfoClass = 3
	ClassFsDevice     InfoClass = 4
	ClassFsAttribute  InfoClass = 5
	ClassFsControl    InfoClass = 6
	ClassFsFullSize   InfoClass = 7
	ClassFsObjectID   InfoClass = 8
	ClassFsSectorSize InfoClass = 11
)

// SecurityInformation says which parts of a security descriptor are meant, in AdditionalInformation with InfoSecurity.
//
// MS-SMB2 2.2.37, 2.2.39
const (
	SecurityOwner     uint32 = 0x00000001
	SecurityGroup     uint32 = 0x00000002
	SecurityDACL      uint32 = 0x00000004
	SecuritySACL      uint32 = 0x00000008
	SecurityLabel     uint32 = 0x00000010
	SecurityAttribute uint32 = 0x00000020
	SecurityScope     uint32 = 0x00000040
	SecurityBackup    uint32 = 0x00010000
)

// QueryInfoRequest asks about an open.
//
// MS-SMB2 2.2.37
type QueryInfoRequest struct {
	Type                  InfoType
	Class                 InfoClass
	OutputBufferLength    uint32
	AdditionalInformation uint32
	Flags                 uint32
	FileID                FileID
	Input                 []byte // with InfoQuota and ClassFileFullEA only
}

const queryInfoRequestFixed = 40

// Append appends the body.
func (r *QueryInfoRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 41)
	b = append(b, byte(r.Type), byte(r.Class))
	b = le.AppendUint32(b, r.OutputBufferLength)
	if len(r.Input) > 0 {
		b = le.AppendUint16(b, HeaderSize+queryInfoRequestFixed)
	} else {
		b = le.AppendUint16(b, 0)
	}
	b = le.AppendUint16(b, 0) // Reserved
	b = le.AppendUint32(b, uint32(len(r.Input)))
	b = le.AppendUint32(b, r.AdditionalInformation)
	b = le.AppendUint32(b, r.Flags)
	b = r.FileID.append(b)
	return appendBuffer(b, r.Input)
}

// Decode reads the body.
func (r *QueryInfoRequest) Decode(body []byte) error {
	const what = "QUERY_INFO Request"
	if err := checkBody(what, body, 41); err != nil {
		return err
	}
	*r = QueryInfoRequest{
		Type:                  InfoType(body[2]),
		Class:                 InfoClass(body[3]),
		OutputBufferLength:    le.Uint32(body[4:]),
		AdditionalInformation: le.Uint32(body[16:]),
		Flags:                 le.Uint32(body[20:]),
		FileID:                decodeFileID(body[24:]),
	}
	var err error
	r.Input, err = field(what, "input", body, queryInfoRequestFixed, uint32(le.Uint16(body[8:])), le.Uint32(body[12:]))
	return err
}

// QueryInfoResponse carries the structure that was asked for.
//
// MS-SMB2 2.2.38
type QueryInfoResponse struct {
	Output []byte
}

// Append appends the body.
func (r *QueryInfoResponse) Append(b []byte) []byte { return appendOutput(b, r.Output) }

// Decode reads the body.
func (r *QueryInfoResponse) Decode(body []byte) (err error) {
	r.Output, err = decodeOutput("QUERY_INFO Response", body)
	return err
}
