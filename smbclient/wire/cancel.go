package wire

// CancelRequest cancels the request that its header names. It has no response of its own.
//
// MS-SMB2 2.2.30
type CancelRequest struct{}

// Append appends the body.
func (*CancelRequest) Append(b []byte) []byte { return appendEmpty(b) }

// Decode checks the body.
func (*CancelRequest) Decode(body []byte) error { return decodeEmpty("CANCEL Request", body) }
