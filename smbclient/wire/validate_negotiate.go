package wire

// ValidateNegotiateInfoRequest is the input of FsctlValidateNegotiateInfo: what the client said in its NEGOTIATE, signed this
// time.
//
// MS-SMB2 2.2.31.4
type ValidateNegotiateInfoRequest struct {
	Capabilities Capabilities
	GUID         GUID
	SecurityMode SecurityMode
	Dialects     []Dialect
}

// Append appends the input.
func (r *ValidateNegotiateInfoRequest) Append(b []byte) []byte {
	b = le.AppendUint32(b, uint32(r.Capabilities))
	b = append(b, r.GUID[:]...)
	b = le.AppendUint16(b, uint16(r.SecurityMode))
	return appendCountedIDs(b, r.Dialects)
}

// Decode reads the input.
func (r *ValidateNegotiateInfoRequest) Decode(b []byte) (err error) {
	const what = "VALIDATE_NEGOTIATE_INFO Request"
	if err := checkLen(what, b, 24); err != nil {
		return err
	}
	*r = ValidateNegotiateInfoRequest{
		Capabilities: Capabilities(le.Uint32(b)),
		GUID:         GUID(b[4:20]),
		SecurityMode: SecurityMode(le.Uint16(b[20:])),
	}
	r.Dialects, err = decodeCountedIDs[Dialect](what, b[22:])
	return err
}

// ValidateNegotiateInfoResponse is the output: what the server said, likewise.
//
// MS-SMB2 2.2.32.6
type ValidateNegotiateInfoResponse struct {
	Capabilities Capabilities
	GUID         GUID
	SecurityMode SecurityMode
	Dialect      Dialect
}

// Append appends the output.
func (r *ValidateNegotiateInfoResponse) Append(b []byte) []byte {
	b = le.AppendUint32(b, uint32(r.Capabilities))
	b = append(b, r.GUID[:]...)
	b = le.AppendUint16(b, uint16(r.SecurityMode))
	return le.AppendUint16(b, uint16(r.Dialect))
}

// Decode reads the output.
func (r *ValidateNegotiateInfoResponse) Decode(b []byte) error {
	if err := checkLen("VALIDATE_NEGOTIATE_INFO Response", b, 24); err != nil {
		return err
	}
	*r = ValidateNegotiateInfoResponse{
		Capabilities: Capabilities(le.Uint32(b)),
		GUID:         GUID(b[4:20]),
		SecurityMode: SecurityMode(le.Uint16(b[20:])),
		Dialect:      Dialect(le.Uint16(b[22:])),
	}
	return nil
}
