package wire

import "testing"

var ioctlSamples = []sample{
	body(&IoctlRequest{
		CtlCode: FsctlSetReparsePoint, FileID: someOpen, MaxInputResponse: 1, MaxOutputResponse: 2, Flags: IoctlIsFsctl, Input: []byte("in"),
	}, 0),
	body(&IoctlRequest{CtlCode: FsctlSrvRequestResumeKey, FileID: someOpen}, 1),
	body(&IoctlResponse{CtlCode: FsctlPipeTransceive, FileID: someOpen, Flags: 1, Input: []byte("in"), Output: []byte("output")}, 0),
	body(&IoctlResponse{CtlCode: FsctlPipeTransceive, Input: []byte("in")}, 6),
	body(&IoctlResponse{CtlCode: FsctlGetReparsePoint, Output: []byte("output")}, 0),
}

// sambaOutputOffset is where Samba's requests say that their output, of no length, is.
func sambaOutputOffset(differ otherBytes) otherBytes {
	differ[36] = 0
	return differ
}

func TestIoctlGolden(t *testing.T) {
	source := FileID{Persistent: 0x358B4E47, Volatile: 0x08A210E2}
	target := FileID{Persistent: 0xDA949B4A, Volatile: 0x31D8D6CE}
	key := ResumeKey(unhex("474e8b3500000000e210a208000000007800140000000000"))
	checkGolden(t, golden(t, "ioctl_response_resume_key")[HeaderSize:], &IoctlResponse{
		CtlCode: FsctlSrvRequestResumeKey, FileID: source, Output: (&SrvRequestResumeKeyResponse{key}).Append(nil),
	}, nil)
	chunks := SrvCopychunkCopy{key, []SrvCopychunk{{Length: 24}}}
	input := chunks.Append(nil)
	copy(input[len(input)-4:], unhex("dc00dc00")) // Reserved, which smbclient does not clear
	checkGolden(t, golden(t, "ioctl_request_copychunk")[HeaderSize:], &IoctlRequest{
		CtlCode: FsctlSrvCopychunkWrite, FileID: target, MaxOutputResponse: 12, Flags: IoctlIsFsctl, Input: input,
	}, sambaOutputOffset(otherBytes{}))
	checkGolden(t, golden(t, "ioctl_response_copychunk")[HeaderSize:], &IoctlResponse{
		CtlCode: FsctlSrvCopychunkWrite, FileID: target, Output: (&SrvCopychunkResponse{1, 0, 24}).Append(nil),
	}, nil)
	link := SymlinkReparse{SubstituteName: "hello.txt", PrintName: "hello.txt", Flags: SymlinkRelative}
	buffer := link.Buffer()
	checkGolden(t, golden(t, "ioctl_request_set_reparse_point")[HeaderSize:], &IoctlRequest{
		CtlCode: FsctlSetReparsePoint, FileID: FileID{0x6B0E3C74, 0xB737B21A}, Flags: IoctlIsFsctl, Input: buffer.Append(nil),
	}, nil)
}

func FuzzIoctlRequest(f *testing.F) { fuzz[IoctlRequest](f) }

func FuzzIoctlResponse(f *testing.F) { fuzz[IoctlResponse](f) }
