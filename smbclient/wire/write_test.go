package wire

import "testing"

var writeSamples = []sample{
	body(&WriteRequest{Length: 4, Offset: 1 << 40, FileID: someOpen, RemainingBytes: 3, Flags: WriteThrough, Data: []byte("data")}, 0),
	body(&WriteRequest{FileID: someOpen}, 0),
	body(&WriteResponse{Count: 1 << 20}, 0),
}

func TestWriteRequestFixed(t *testing.T) {
	enc := (&WriteRequest{Length: 4, Data: []byte("data")}).Append(nil)
	if len(enc) != WriteRequestFixed || le.Uint16(enc[2:]) != HeaderSize+WriteRequestFixed {
		t.Errorf("%d bytes, data at %d", len(enc), le.Uint16(enc[2:]))
	}
}

func FuzzWriteRequest(f *testing.F) { fuzz[WriteRequest](f) }

func FuzzWriteResponse(f *testing.F) { fuzz[WriteResponse](f) }
