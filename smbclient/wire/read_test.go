package wire

import (
	"errors"
	"testing"
)

var readSamples = []sample{
	body(&ReadRequest{Flags: ReadUnbuffered, Length: 1 << 20, Offset: 1 << 40, FileID: someOpen, MinimumCount: 1, RemainingBytes: 9}, 1),
	body(&ReadResponse{DataOffset: 80, DataLength: 4, DataRemaining: 2, Flags: ReadResponseRDMATransform, Data: []byte("data")}, 0),
	body(&ReadResponse{DataOffset: 80}, 0),
}

func TestReadResponseFixed(t *testing.T) {
	msg := golden(t, "read_response")[HeaderSize:]
	var r ReadResponse
	if err := r.DecodeFixed(msg[:ReadResponseFixed]); err != nil {
		t.Fatal(err)
	}
	if r.DataOffset != 80 || r.DataLength != 6 || r.Data != nil {
		t.Errorf("%+v", r)
	}
	for n := range ReadResponseFixed {
		if err := r.DecodeFixed(msg[:n]); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: error %v", n, err)
		}
	}
	msg[2] = 79
	if err := r.DecodeFixed(msg); !errors.Is(err, ErrMalformed) {
		t.Errorf("data inside the fixed part: error %v", err)
	}
}

// The data may lie farther back.
func TestReadResponsePadded(t *testing.T) {
	enc := (&ReadResponse{Data: []byte("..data")}).Append(nil)
	enc[2], enc[4] = 82, 4
	var r ReadResponse
	if err := r.Decode(enc); err != nil || string(r.Data) != "data" {
		t.Errorf("%q, %v", r.Data, err)
	}
}

func FuzzReadRequest(f *testing.F) { fuzz[ReadRequest](f) }

func FuzzReadResponse(f *testing.F) { fuzz[ReadResponse](f) }
