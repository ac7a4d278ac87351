package wire

// EchoRequest asks whether the server is there.
//
// MS-SMB2 2.2.28
type EchoRequest struct{}

// Append appends the body.
func (*EchoRequest) Append(b []byte) []byte { return appendEmpty(b) }

// Decode checks the body.
func (*EchoRequest) Decode(body []byte) error { return decodeEmpty("ECHO Request", body) }

// EchoResponse says that it is.
//
// MS-SMB2 2.2.29
type EchoResponse struct{}

// Append appends the body.
func (*EchoResponse) Append(b []byte) []byte { return appendEmpty(b) }

// Decode checks the body.
func (*EchoResponse) Decode(body []byte) error { return decodeEmpty("ECHO Response", body) }
