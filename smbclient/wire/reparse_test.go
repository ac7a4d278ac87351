package wire

import (
	"errors"
	"testing"
)

var reparseSamples = []sample{
	part(&ReparseBuffer{Tag: ReparseTagLXSymlink, Data: []byte("\x02\x00\x00\x00target")}, 0),
	part(&ReparseBuffer{Tag: 0x00000042, GUID: GUID{1, 2, 3}, Data: []byte("somebody's own")}, 0),
	part(&SymlinkReparse{SubstituteName: `\??\C:\target`, PrintName: `C:\target`, Flags: SymlinkRelative}, 0),
	part(&SymlinkReparse{SubstituteName: "target"}, 0),
	part(&NFSReparse{Type: NFSSymlink, Data: []byte{'t', 0, 'o', 0}}, 4),
	part(&NFSReparse{Type: NFSFIFO}, 0),
}

func TestSymlinkReparseBadName(t *testing.T) {
	enc := (&SymlinkReparse{SubstituteName: "x"}).Append(nil)
	copy(enc[symlinkReparseFixed:], "\x00\xD8") // a high surrogate on its own
	var bad *UTF16Error
	if err := new(SymlinkReparse).Decode(enc); !errors.As(err, &bad) || bad.Offset != 0 {
		t.Errorf("error %v", err)
	}
}

// MS-FSCC 2.1.2.6: the numbers are the letters of the names.
func TestNFSTypes(t *testing.T) {
	for typ, want := range map[NFSType]string{NFSSymlink: "LNK", NFSChar: "CHR", NFSBlock: "BLK", NFSFIFO: "FIFO", NFSSocket: "SOCK"} {
		letters := ""
		for n := uint64(typ); n > 0; n >>= 8 {
			if c := byte(n); c >= 'A' {
				letters += string(rune(c))
			}
		}
		if letters != want || typ.String() != want {
			t.Errorf("%#x spells %s, is called %s, want %s", uint64(typ), letters, typ, want)
		}
	}
	if got := NFSType(1).String(); got != "NFS type 0x1" {
		t.Error(got)
	}
}

func FuzzReparseBuffer(f *testing.F) { fuzz[ReparseBuffer](f) }

func FuzzSymlinkReparse(f *testing.F) { fuzz[SymlinkReparse](f) }

func FuzzNFSReparse(f *testing.F) { fuzz[NFSReparse](f) }
