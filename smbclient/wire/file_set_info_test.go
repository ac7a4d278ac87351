package wire

import "testing"

var fileSetInfoSamples = []sample{
	part(&FileEndOfFileInformation{EndOfFile: 1 << 40}, 0),
	part(&FileAllocationInformation{AllocationSize: 1 << 40}, 0),
	part(&FileDispositionInformation{DeletePending: true}, 0),
	part(&FileDispositionInformationEx{Flags: DispositionDelete | DispositionPosixSemantics}, 0),
	part(&FileRenameInformation{ReplaceIfExists: true, Name: `dir\name`}, 0),
	part(&FileRenameInformation{Name: "x"}, 2),
	part(&FileLinkInformation{ReplaceIfExists: true, Name: `dir\name`}, 0),
}

func TestNewNameGolden(t *testing.T) {
	for file, want := range map[string]codec{
		"set_info_request_rename": &FileRenameInformation{Name: "ren.bin"},
		"set_info_request_link":   &FileLinkInformation{Name: `\lnk.bin`},
	} {
		var req SetInfoRequest
		if err := req.Decode(golden(t, file)[HeaderSize:]); err != nil {
			t.Fatal(err)
		}
		checkGolden(t, req.Input, want, nil)
	}
}

// MS-FSCC 2.4.42.2: the structure has at least 24 bytes.
func TestNewNamePadding(t *testing.T) {
	for _, name := range []string{"", "x", "xy", "xyz"} {
		enc := (&FileRenameInformation{Name: name}).Append(nil)
		if want := max(24, 20+2*len(name)); len(enc) != want {
			t.Errorf("%q: %d bytes, want %d", name, len(enc), want)
		}
	}
}

func FuzzFileEndOfFileInformation(f *testing.F) { fuzz[FileEndOfFileInformation](f) }

func FuzzFileAllocationInformation(f *testing.F) { fuzz[FileAllocationInformation](f) }

func FuzzFileDispositionInformation(f *testing.F) { fuzz[FileDispositionInformation](f) }

func FuzzFileDispositionInformationEx(f *testing.F) { fuzz[FileDispositionInformationEx](f) }

func FuzzFileRenameInformation(f *testing.F) { fuzz[FileRenameInformation](f) }

func FuzzFileLinkInformation(f *testing.F) { fuzz[FileLinkInformation](f) }
