package wire

import "testing"

var queryInfoSamples = []sample{
	body(&QueryInfoRequest{
		Type: InfoSecurity, Class: ClassFileAll, OutputBufferLength: 1 << 16, AdditionalInformation: SecurityOwner | SecurityDACL, Flags: 1,
		FileID: someOpen, Input: []byte("input"),
	}, 0),
	body(&QueryInfoRequest{Type: InfoFile, Class: ClassFileBasic, FileID: someOpen}, 1),
	body(&QueryInfoResponse{Output: []byte("output")}, 0),
}

func FuzzQueryInfoRequest(f *testing.F) { fuzz[QueryInfoRequest](f) }

func FuzzQueryInfoResponse(f *testing.F) { fuzz[QueryInfoResponse](f) }
