package wire

import (
	"testing"
	"time"
)

var someFileAll = FileAllInformation{
	Basic:       FileBasicInformation{CreationTime: 1, LastAccessTime: 2, LastWriteTime: 3, ChangeTime: 4, FileAttributes: AttributeReadonly},
	Standard:    FileStandardInformation{AllocationSize: 5, EndOfFile: 6, NumberOfLinks: 7, DeletePending: true},
	IndexNumber: 8, EASize: 9, AccessFlags: GenericRead, CurrentByteOffset: 10, Mode: OptionWriteThrough, AlignmentRequirement: 11,
	Name: `\dir\name`,
}

var fileInfoSamples = []sample{
	part(&someFileAll.Basic, 0),
	part(&someFileAll.Standard, 0),
	part(&FileStandardInformation{Directory: true}, 0),
	part(&FileInternalInformation{IndexNumber: 1 << 50}, 0),
	part(&FileNetworkOpenInformation{
		CreationTime: 1, LastAccessTime: 2, LastWriteTime: 3, ChangeTime: 4, AllocationSize: 5, EndOfFile: 6, FileAttributes: AttributeHidden,
	}, 0),
	part(&someFileAll, UTF16Len(someFileAll.Name)),
}

func TestFileAllGolden(t *testing.T) {
	var resp QueryInfoResponse
	if err := resp.Decode(golden(t, "query_info_response_file_all")[HeaderSize:]); err != nil {
		t.Fatal(err)
	}
	const made = 0x01DD7A98959C27F5
	checkGolden(t, resp.Output, &FileAllInformation{
		Basic:       FileBasicInformation{made, made, made, made, AttributeNormal},
		Standard:    FileStandardInformation{AllocationSize: 4096, EndOfFile: 6, NumberOfLinks: 1},
		IndexNumber: 0x9840B8,
		AccessFlags: FileReadData | FileReadEA | FileReadAttributes | ReadControl | Synchronize,
		Mode:        0x80, // not a mode of MS-FSCC 2.4.31, but what Samba sends
		Name:        `\hello.txt`,
	}, nil)
}

// A buffer for the fixed part only is the cheap way to stat a file.
func TestFileAllNameCut(t *testing.T) {
	enc := someFileAll.Append(nil)
	for n := FileAllFixed; n < len(enc); n++ {
		var got FileAllInformation
		if err := got.Decode(enc[:n]); err != nil {
			t.Fatal(err)
		}
		want := someFileAll
		want.Name, want.NameCut = "", true
		if got != want {
			t.Errorf("%d bytes: %+v", n, got)
		}
	}
}

func TestSetBasicGolden(t *testing.T) {
	var req SetInfoRequest
	if err := req.Decode(golden(t, "set_info_request_basic")[HeaderSize:]); err != nil {
		t.Fatal(err)
	}
	if req.Type != InfoFile || req.Class != ClassFileBasic {
		t.Errorf("%+v", req)
	}
	access := FiletimeOf(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	checkGolden(t, req.Input, &FileBasicInformation{LastAccessTime: access}, nil)
}

func FuzzFileBasicInformation(f *testing.F) { fuzz[FileBasicInformation](f) }

func FuzzFileStandardInformation(f *testing.F) { fuzz[FileStandardInformation](f) }

func FuzzFileInternalInformation(f *testing.F) { fuzz[FileInternalInformation](f) }

func FuzzFileNetworkOpenInformation(f *testing.F) { fuzz[FileNetworkOpenInformation](f) }

func FuzzFileAllInformation(f *testing.F) { fuzz[FileAllInformation](f) }
