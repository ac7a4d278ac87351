package wire

// LogoffRequest ends the session.
//
// MS-SMB2 2.2.7
type LogoffRequest struct{}

// Append appends the body.
func (*LogoffRequest) Append(b []byte) []byte { return appendEmpty(b) }

// Decode checks the body.
func (*LogoffRequest) Decode(body []byte) error { return decodeEmpty("LOGOFF Request", body) }

// LogoffResponse says that it has ended.
//
// MS-SMB2 2.2.8
type LogoffResponse struct{}

// Append appends the body.
func (*LogoffResponse) Append(b []byte) []byte { return appendEmpty(b) }

// Decode checks the body.
func (*LogoffResponse) Decode(body []byte) error { return decodeEmpty("LOGOFF Response", body) }
