package wire

import "testing"

var queryDirectorySamples = []sample{
	body(&QueryDirectoryRequest{
		Class: ClassFileIDBothDirectory, Flags: RestartScans | ReturnSingleEntry, FileIndex: 1, FileID: someOpen, OutputBufferLength: 1 << 16,
		Pattern: "*",
	}, 0),
	body(&QueryDirectoryRequest{Class: ClassFileNames, FileID: someOpen}, 1),
	body(&QueryDirectoryResponse{Output: []byte("entries")}, 0),
	body(&QueryDirectoryResponse{}, 0),
}

func FuzzQueryDirectoryRequest(f *testing.F) { fuzz[QueryDirectoryRequest](f) }

func FuzzQueryDirectoryResponse(f *testing.F) { fuzz[QueryDirectoryResponse](f) }
