package wire

import "testing"

var closeSamples = []sample{
	body(&CloseRequest{Flags: ClosePostQueryAttrib, FileID: someOpen}, 0),
	body(&CloseResponse{
		Flags: ClosePostQueryAttrib, CreationTime: 1, LastAccessTime: 2, LastWriteTime: 3, ChangeTime: 4, AllocationSize: 5,
		EndOfFile: 6, FileAttributes: AttributeHidden,
	}, 0),
}

func FuzzCloseRequest(f *testing.F) { fuzz[CloseRequest](f) }

func FuzzCloseResponse(f *testing.F) { fuzz[CloseResponse](f) }
