package wire

// ResumeKey names an open as the source of a server-side copy.
//
// MS-SMB2 2.2.32.3
type ResumeKey [24]byte

// SrvRequestResumeKeyResponse is the output of FsctlSrvRequestResumeKey, whose input is empty.
//
// MS-SMB2 2.2.32.3
type SrvRequestResumeKeyResponse struct {
	ResumeKey ResumeKey
}

// Append appends the output.
func (r *SrvRequestResumeKeyResponse) Append(b []byte) []byte {
	b = append(b, r.ResumeKey[:]...)
	return appendZeros(b, 8) // ContextLength, and Context as servers send it
}

// Decode reads the output.
func (r *SrvRequestResumeKeyResponse) Decode(b []byte) error {
	if err := checkLen("SRV_REQUEST_RESUME_KEY Response", b, 28); err != nil {
		return err
	}
	r.ResumeKey = ResumeKey(b[:24])
	return nil
}

// SrvCopychunk is one range to copy.
//
// MS-SMB2 2.2.31.1.1
type SrvCopychunk struct {
	SourceOffset uint64
	TargetOffset uint64
	Length       uint32
}

const srvCopychunkSize = 24

// SrvCopychunkCopy is the input of FsctlSrvCopychunk and FsctlSrvCopychunkWrite.
//
// MS-SMB2 2.2.31.1
type SrvCopychunkCopy struct {
	SourceKey ResumeKey
	Chunks    []SrvCopychunk
}

// Append appends the input.
func (r *SrvCopychunkCopy) Append(b []byte) []byte {
	b = append(b, r.SourceKey[:]...)
	b = le.AppendUint32(b, uint32(len(r.Chunks)))
	b = le.AppendUint32(b, 0) // Reserved
	for _, c := range r.Chunks {
		b = le.AppendUint64(b, c.SourceOffset)
		b = le.AppendUint64(b, c.TargetOffset)
		b = le.AppendUint32(b, c.Length)
		b = le.AppendUint32(b, 0) // Reserved
	}
	return b
}

// Decode reads the input.
func (r *SrvCopychunkCopy) Decode(b []byte) error {
	const what = "SRV_COPYCHUNK_COPY"
	if err := checkLen(what, b, 32); err != nil {
		return err
	}
	*r = SrvCopychunkCopy{SourceKey: ResumeKey(b[:24])}
	list, err := within(what, "Chunks", b, 32, srvCopychunkSize*uint64(le.Uint32(b[24:])))
	if err != nil {
		return err
	}
	for ; len(list) > 0; list = list[srvCopychunkSize:] {
		r.Chunks = append(r.Chunks, SrvCopychunk{
			SourceOffset: le.Uint64(list),
			TargetOffset: le.Uint64(list[8:]),
			Length:       le.Uint32(list[16:]),
		})
	}
	return nil
}

// SrvCopychunkResponse is the output: what was copied; with STATUS_INVALID_PARAMETER the server's limits (chunks a request,
// bytes a chunk, bytes a request).
//
// MS-SMB2 2.2.32.1
type SrvCopychunkResponse struct {
	ChunksWritten     uint32
	ChunkBytesWritten uint32
	TotalBytesWritten uint32
}

// Append appends the output.
func (r *SrvCopychunkResponse) Append(b []byte) []byte {
	b = le.AppendUint32(b, r.ChunksWritten)
	b = le.AppendUint32(b, r.ChunkBytesWritten)
	return le.AppendUint32(b, r.TotalBytesWritten)
}

// Decode reads the output.
func (r *SrvCopychunkResponse) Decode(b []byte) error {
	if err := checkLen("SRV_COPYCHUNK_RESPONSE", b, 12); err != nil {
		return err
	}
	*r = SrvCopychunkResponse{le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:])}
	return nil
}

// DuplicateExtents is the input of FsctlDuplicateExtentsToFile, which has no output.
//
// MS-FSCC 2.3.7 (SMB2_DUPLICATE_EXTENTS_DATA)
type DuplicateExtents struct {
	SourceFileID     FileID
	SourceFileOffset uint64
	TargetFileOffset uint64
	ByteCount        uint64
}

// Append appends the input.
func (r *DuplicateExtents) Append(b []byte) []byte {
	b = r.SourceFileID.append(b)
	b = le.AppendUint64(b, r.SourceFileOffset)
	b = le.AppendUint64(b, r.TargetFileOffset)
	return le.AppendUint64(b, r.ByteCount)
}

// Decode reads the input.
func (r *DuplicateExtents) Decode(b []byte) error {
	if err := checkLen("DUPLICATE_EXTENTS_DATA", b, 40); err != nil {
		return err
	}
	*r = DuplicateExtents{
		SourceFileID:     decodeFileID(b),
		SourceFileOffset: le.Uint64(b[16:]),
		TargetFileOffset: le.Uint64(b[24:]),
		ByteCount:        le.Uint64(b[32:]),
	}
	return nil
}
