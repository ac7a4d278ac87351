package wire

import "testing"

var sessionSetupSamples = []sample{
	body(&SessionSetupRequest{
		Flags: SessionSetupBinding, SecurityMode: SigningRequired, Capabilities: CapDFS, PreviousSessionID: 1 << 40,
		SecurityBuffer: []byte("token"),
	}, 0),
	body(&SessionSetupRequest{SecurityMode: SigningEnabled}, 1),
	body(&SessionSetupResponse{SessionFlags: SessionIsGuest | SessionEncryptData, SecurityBuffer: []byte("token")}, 0),
	body(&SessionSetupResponse{}, 0),
}

func TestSessionSetupGolden(t *testing.T) {
	var req SessionSetupRequest
	msg := golden(t, "session_setup_request")[HeaderSize:]
	if err := req.Decode(msg); err != nil {
		t.Fatal(err)
	}
	if req.SecurityMode != SigningEnabled || req.Capabilities != CapDFS || len(req.SecurityBuffer) != 74 {
		t.Errorf("request %+v", req)
	}
	checkGolden(t, msg, &req, nil)
	checkGolden(t, golden(t, "session_setup_response")[HeaderSize:], &SessionSetupResponse{
		SecurityBuffer: unhex("a11b3019a0030a0100a312041001000000f1441a84c08d89eb00000000"),
	}, nil)
}

func FuzzSessionSetupRequest(f *testing.F) { fuzz[SessionSetupRequest](f) }

func FuzzSessionSetupResponse(f *testing.F) { fuzz[SessionSetupResponse](f) }
