package wire

import "testing"

var copychunkSamples = []sample{
	part(&SrvRequestResumeKeyResponse{ResumeKey: ResumeKey{1, 2, 3}}, 4),
	part(&SrvCopychunkCopy{SourceKey: ResumeKey{4, 5}, Chunks: []SrvCopychunk{{1 << 40, 1 << 41, 1 << 20}, {2, 3, 4}}}, 0),
	part(&SrvCopychunkResponse{ChunksWritten: 1, ChunkBytesWritten: 2, TotalBytesWritten: 3}, 0),
	part(&DuplicateExtents{SourceFileID: someOpen, SourceFileOffset: 1, TargetFileOffset: 2, ByteCount: 3}, 0),
}

func FuzzSrvRequestResumeKeyResponse(f *testing.F) { fuzz[SrvRequestResumeKeyResponse](f) }

func FuzzSrvCopychunkCopy(f *testing.F) { fuzz[SrvCopychunkCopy](f) }

func FuzzSrvCopychunkResponse(f *testing.F) { fuzz[SrvCopychunkResponse](f) }

func FuzzDuplicateExtents(f *testing.F) { fuzz[DuplicateExtents](f) }
