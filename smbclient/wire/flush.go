package wire

// FlushRequest asks that what was written to an open reach stable storage.
//
// MS-SMB2 2.2.17
type FlushRequest struct {
	FileID FileID
}

// Append appends the body.
func (r *FlushRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 24)
	b = appendZeros(b, 6) // Reserved1, Reserved2
	return r.FileID.append(b)
}

// Decode reads the body.
func (r *FlushRequest) Decode(body []byte) error {
	if err := checkBody("FLUSH Request", body, 24); err != nil {
		return err
	}
	*r = FlushRequest{FileID: decodeFileID(body[8:])}
	return nil
}

// FlushResponse says that it has.
//
// MS-SMB2 2.2.18
type FlushResponse struct{}

// Append appends the body.
func (*FlushResponse) Append(b []byte) []byte { return appendEmpty(b) }

// Decode checks the body.
func (*FlushResponse) Decode(body []byte) error { return decodeEmpty("FLUSH Response", body) }
