package wire

import (
	"errors"
	"reflect"
	"testing"
)

var negotiateSamples = []sample{
	body(&NegotiateRequest{
		SecurityMode: SigningEnabled, Capabilities: CapDFS | CapLeasing, ClientGUID: GUID{1, 2, 3},
		Dialects: []Dialect{Dialect210, Dialect300},
	}, 0),
	body(&NegotiateRequest{
		SecurityMode: SigningRequired, ClientGUID: GUID{4, 5, 6}, Dialects: []Dialect{Dialect210, Dialect302, Dialect311},
		Contexts: []NegotiateContext{{ContextPreauthIntegrity, []byte{1, 2, 3}}, {0x7777, []byte("unknown")}},
	}, 0),
	body(&NegotiateResponse{
		SecurityMode: SigningRequired, Dialect: Dialect210, ServerGUID: GUID{7}, Capabilities: CapLargeMTU, MaxTransactSize: 1 << 20,
		MaxReadSize: 2 << 20, MaxWriteSize: 3 << 20, SystemTime: 133000000000000000, ServerStartTime: 132000000000000000,
		SecurityBuffer: []byte("token"),
	}, 0),
	body(&NegotiateResponse{
		Dialect: Dialect311, SecurityBuffer: []byte("token"),
		Contexts: []NegotiateContext{{ContextEncryption, []byte{1, 0, 2, 0}}, {ContextSigning, []byte{1, 0, 1, 0, 0}}},
	}, 0),
}

func TestNegotiateGolden311(t *testing.T) {
	var req NegotiateRequest
	msg := golden(t, "negotiate_request_311")[HeaderSize:]
	if err := req.Decode(msg); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, msg, &req, nil)
	want := []Dialect{Dialect202, Dialect210, Dialect300, Dialect302, Dialect311}
	if !reflect.DeepEqual(req.Dialects, want) || len(req.Contexts) != 4 {
		t.Fatalf("dialects %v, %d contexts", req.Dialects, len(req.Contexts))
	}
	ciphers := EncryptionCapabilities{[]Cipher{CipherAES128GCM, CipherAES128CCM, CipherAES256GCM, CipherAES256CCM}}
	checkGolden(t, req.Contexts[1].Data, &ciphers, nil)
	signing := SigningCapabilities{[]SigningAlgorithm{SigningAESGMAC, SigningAESCMAC, SigningHMACSHA256}}
	checkGolden(t, req.Contexts[2].Data, &signing, nil)
	name := NetName("127.0.0.1")
	checkGolden(t, req.Contexts[3].Data, &name, nil)

	var resp NegotiateResponse
	msg = golden(t, "negotiate_response_311")[HeaderSize:]
	if err := resp.Decode(msg); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, msg, &resp, nil)
	if resp.Dialect != Dialect311 || resp.MaxReadSize != 8<<20 || resp.Capabilities != CapDFS|CapLeasing|CapLargeMTU|CapMultiChannel ||
		len(resp.SecurityBuffer) != 74 || len(resp.Contexts) != 3 {
		t.Fatalf("response %+v", resp)
	}
	checkGolden(t, resp.Contexts[1].Data, &EncryptionCapabilities{[]Cipher{CipherAES128GCM}}, nil)
	checkGolden(t, resp.Contexts[2].Data, &SigningCapabilities{[]SigningAlgorithm{SigningAESGMAC}}, nil)
	var preauth PreauthIntegrityCapabilities
	if err := preauth.Decode(resp.Contexts[0].Data); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(preauth.HashAlgorithms, []HashAlgorithm{HashSHA512}) || len(preauth.Salt) != 32 {
		t.Errorf("pre-authentication integrity %+v", preauth)
	}
}

func TestNegotiateGolden30(t *testing.T) {
	var resp NegotiateResponse
	msg := golden(t, "negotiate_response_30")[HeaderSize:]
	if err := resp.Decode(msg); err != nil {
		t.Fatal(err)
	}
	if resp.Dialect != Dialect300 || resp.Capabilities&CapEncryption == 0 || resp.Contexts != nil {
		t.Errorf("response %+v", resp)
	}
	checkGolden(t, msg, &resp, nil)
}

// MS-SMB2 2.2.3: the list of contexts is aligned to 8 bytes.
func TestNegotiateContextsMisplaced(t *testing.T) {
	enc := negotiateSamples[1].msg.Append(nil)
	for _, off := range []uint32{0, HeaderSize, HeaderSize + negotiateRequestFixed - 4, le.Uint32(enc[28:]) + 1, 1 << 31, 0xFFFFFFF8} {
		le.PutUint32(enc[28:], off)
		if err := new(NegotiateRequest).Decode(enc); !errors.Is(err, ErrMalformed) {
			t.Errorf("NegotiateContextOffset %d: error %v", off, err)
		}
	}
}

func TestDialectString(t *testing.T) {
	for d, want := range map[Dialect]string{
		Dialect202: "2.0.2", Dialect210: "2.1", Dialect300: "3.0", Dialect302: "3.0.2", Dialect311: "3.1.1", DialectWildcard: "2.??",
		0x0400: "dialect 0x0400",
	} {
		if got := d.String(); got != want {
			t.Errorf("%04X: %s, want %s", uint16(d), got, want)
		}
	}
}

func FuzzNegotiateRequest(f *testing.F) { fuzz[NegotiateRequest](f) }

func FuzzNegotiateResponse(f *testing.F) { fuzz[NegotiateResponse](f) }
