package wire

import (
	"bytes"
	"errors"
	"testing"
)

var symlinkError = SymlinkError{
	UnparsedPathLength: 8,
	SymlinkReparse:     SymlinkReparse{SubstituteName: `..\other`, PrintName: `..\other`, Flags: SymlinkRelative},
}

var errorSamples = []sample{
	body(&ErrorResponse{}, 1),
	body(&ErrorResponse{Data: []byte{1, 2, 3, 4}}, 0),
	body(&ErrorResponse{Contexts: []ErrorContext{{ErrorIDShareRedirect, []byte("odd")}, {ErrorIDDefault, symlinkError.Append(nil)}}}, 0),
	part(&symlinkError, 0),
}

// Before 3.1.1 the data come as they are, from then on in a context.
func TestErrorDefaultData(t *testing.T) {
	link := symlinkError.Append(nil)
	for _, r := range []ErrorResponse{
		{Data: link},
		{Contexts: []ErrorContext{{ErrorIDShareRedirect, []byte("elsewhere")}, {ErrorIDDefault, link}}},
	} {
		var got ErrorResponse
		if err := got.Decode(r.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.DefaultData(), link) {
			t.Errorf("%+v: %x", r, got.DefaultData())
		}
	}
}

// MS-SMB2 2.2.2.2.1, laid out by hand for the target "b" printed as "a".
func TestSymlinkErrorLayout(t *testing.T) {
	enc := unhex("1c000000" + "53594d4c" + "0c0000a0" + "1000" + "0600" + "0200" + "0200" + "0000" + "0200" + "01000000" + "61006200")
	var got SymlinkError
	if err := got.Decode(enc); err != nil {
		t.Fatal(err)
	}
	if want := (SymlinkError{6, SymlinkReparse{"b", "a", SymlinkRelative}}); got != want {
		t.Errorf("%+v", got)
	}
	for name, at := range map[string]int{"SymLinkErrorTag": 4, "ReparseTag": 8} {
		bad := bytes.Clone(enc)
		bad[at]++
		if err := new(SymlinkError).Decode(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("another %s: error %v", name, err)
		}
	}
}

func FuzzErrorResponse(f *testing.F) { fuzz[ErrorResponse](f) }

func FuzzSymlinkError(f *testing.F) { fuzz[SymlinkError](f) }
