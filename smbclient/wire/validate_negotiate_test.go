package wire

import "testing"

var validateNegotiateSamples = []sample{
	part(&ValidateNegotiateInfoRequest{
		Capabilities: CapDFS, GUID: GUID{1}, SecurityMode: SigningEnabled, Dialects: []Dialect{Dialect210, Dialect302},
	}, 0),
	part(&ValidateNegotiateInfoResponse{Capabilities: CapLeasing, GUID: GUID{2}, SecurityMode: SigningRequired, Dialect: Dialect302}, 0),
}

func TestValidateNegotiateGolden(t *testing.T) {
	req := ValidateNegotiateInfoRequest{
		Capabilities: 0x7F, GUID: GUID(unhex("339e80bb746f9b429d3947d6d5405324")), SecurityMode: SigningEnabled,
		Dialects: []Dialect{Dialect202, Dialect210, Dialect300},
	}
	checkGolden(t, golden(t, "ioctl_request_validate_negotiate")[HeaderSize:], &IoctlRequest{
		CtlCode: FsctlValidateNegotiateInfo, FileID: serverAll, MaxOutputResponse: 24, Flags: IoctlIsFsctl, Input: req.Append(nil),
	}, sambaOutputOffset(otherBytes{}))
	resp := ValidateNegotiateInfoResponse{
		Capabilities: 0x4F, GUID: GUID([]byte("testsmb\x00\x00\x00\x00\x00\x00\x00\x00\x00")), SecurityMode: SigningEnabled, Dialect: Dialect300,
	}
	checkGolden(t, golden(t, "ioctl_response_validate_negotiate")[HeaderSize:], &IoctlResponse{
		CtlCode: FsctlValidateNegotiateInfo, FileID: serverAll, Output: resp.Append(nil),
	}, nil)
}

func FuzzValidateNegotiateInfoRequest(f *testing.F) { fuzz[ValidateNegotiateInfoRequest](f) }

func FuzzValidateNegotiateInfoResponse(f *testing.F) { fuzz[ValidateNegotiateInfoResponse](f) }
