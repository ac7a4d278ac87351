package wire

// CtlCode is a file system or I/O control.
//
// MS-SMB2 2.2.31
type CtlCode uint32

// MS-SMB2 2.2.31, MS-FSCC 2.3
const (
	FsctlDFSGetReferrals           CtlCode = 0x00060194
	FsctlDFSGetReferralsEx         CtlCode = 0x000601B0
	FsctlSetReparsePoint           CtlCode = 0x000900A4
	FsctlGetReparsePoint           CtlCode = 0x000900A8
	FsctlDeleteReparsePoint        CtlCode = 0x000900AC
	FsctlSetSparse                 CtlCode = 0x000900C4
	FsctlQueryAllocatedRanges      CtlCode = 0x000940CF
	FsctlSetZeroData               CtlCode = 0x000980C8
	FsctlFileLevelTrim             CtlCode = 0x00098208
	FsctlDuplicateExtentsToFile    CtlCode = 0x00098344
	FsctlPipePeek                  CtlCode = 0x0011400C
	FsctlPipeWait                  CtlCode = 0x00110018
	FsctlPipeTransceive            CtlCode = 0x0011C017
	FsctlSrvRequestResumeKey       CtlCode = 0x00140078
	FsctlLMRRequestResiliency      CtlCode = 0x001401D4
	FsctlQueryNetworkInterfaceInfo CtlCode = 0x001401FC
	FsctlValidateNegotiateInfo     CtlCode = 0x00140204
	FsctlSrvEnumerateSnapshots     CtlCode = 0x00144064
	FsctlSrvCopychunk              CtlCode = 0x001440F2
	FsctlSrvCopychunkWrite         CtlCode = 0x001480F2
)

// IoctlIsFsctl in Flags says that the code is a file system control, as all above are.
//
// MS-SMB2 2.2.31
const IoctlIsFsctl uint32 = 0x00000001

// IoctlRequest sends a control to an open, or to the server with a FileID of all ones. A request has no output buffer.
//
// MS-SMB2 2.2.31
type IoctlRequest struct {
	CtlCode           CtlCode
	FileID            FileID
	MaxInputResponse  uint32
	MaxOutputResponse uint32
	Flags             uint32
	Input             []byte
}

const ioctlRequestFixed = 56

// Append appends the body.
func (r *IoctlRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 57)
	b = le.AppendUint16(b, 0) // Reserved
	b = le.AppendUint32(b, uint32(r.CtlCode))
	b = r.FileID.append(b)
	b = le.AppendUint32(b, HeaderSize+ioctlRequestFixed)
	b = le.AppendUint32(b, uint32(len(r.Input)))
	b = le.AppendUint32(b, r.MaxInputResponse)
	b = appendZeros(b, 8) // OutputOffset, OutputCount
	b = le.AppendUint32(b, r.MaxOutputResponse)
	b = le.AppendUint32(b, r.Flags)
	b = le.AppendUint32(b, 0) // Reserved2
	return appendBuffer(b, r.Input)
}

// Decode reads the body.
func (r *IoctlRequest) Decode(body []byte) error {
	const what = "IOCTL Request"
	if err := checkBody(what, body, 57); err != nil {
		return err
	}
	*r = IoctlRequest{
		CtlCode:           CtlCode(le.Uint32(body[4:])),
		FileID:            decodeFileID(body[8:]),
		MaxInputResponse:  le.Uint32(body[32:]),
		MaxOutputResponse: le.Uint32(body[44:]),
		Flags:             le.Uint32(body[48:]),
	}
	var err error
	r.Input, err = field(what, "input", body, ioctlRequestFixed, le.Uint32(body[24:]), le.Uint32(body[28:]))
	return err
}

// IoctlResponse carries the answer in Output; Input is there for symmetry and empty in practice.
//
// MS-SMB2 2.2.32
type IoctlResponse struct {
	CtlCode CtlCode
	FileID  FileID
	Flags   uint32
	Input   []byte
	Output  []byte
}

const ioctlResponseFixed = 48

// Append appends the body.
func (r *IoctlResponse) Append(b []byte) []byte {
	start := len(b)
	b = le.AppendUint16(b, 49)
	b = le.AppendUint16(b, 0) // Reserved
	b = le.AppendUint32(b, uint32(r.CtlCode))
	b = r.FileID.append(b)
	b = le.AppendUint32(b, HeaderSize+ioctlResponseFixed)
	b = le.AppendUint32(b, uint32(len(r.Input)))
	b = le.AppendUint32(b, 0) // OutputOffset
	b = le.AppendUint32(b, uint32(len(r.Output)))
	b = le.AppendUint32(b, r.Flags)
	b = le.AppendUint32(b, 0) // Reserved2
	b = append(b, r.Input...)
	b = align(b, start, 8)
	le.PutUint32(b[start+32:], uint32(HeaderSize+len(b)-start))
	return append(b, r.Output...)
}

// Decode reads the body.
func (r *IoctlResponse) Decode(body []byte) error {
	const what = "IOCTL Response"
	if err := checkBody(what, body, 49); err != nil {
		return err
	}
	*r = IoctlResponse{
		CtlCode: CtlCode(le.Uint32(body[4:])),
		FileID:  decodeFileID(body[8:]),
		Flags:   le.Uint32(body[40:]),
	}
	var err error
	if r.Input, err = field(what, "input", body, ioctlResponseFixed, le.Uint32(body[24:]), le.Uint32(body[28:])); err != nil {
		return err
	}
	r.Output, err = field(what, "output", body, ioctlResponseFixed, le.Uint32(body[32:]), le.Uint32(body[36:]))
	return err
}
