package wire

import "testing"

var setInfoSamples = []sample{
	body(&SetInfoRequest{Type: InfoSecurity, Class: ClassFileBasic, AdditionalInformation: SecurityDACL, FileID: someOpen, Input: []byte("input")}, 0),
	body(&SetInfoRequest{Type: InfoFile, FileID: someOpen}, 1),
	body(&SetInfoResponse{}, 0),
}

func FuzzSetInfoRequest(f *testing.F) { fuzz[SetInfoRequest](f) }

func FuzzSetInfoResponse(f *testing.F) { fuzz[SetInfoResponse](f) }
