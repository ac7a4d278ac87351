package wire

// TreeDisconnectRequest ends the tree connect.
//
// MS-SMB2 2.2.11
type TreeDisconnectRequest struct{}

// Append appends the body.
func (*TreeDisconnectRequest) Append(b []byte) []byte { return appendEmpty(b) }

// Decode checks the body.
func (*TreeDisconnectRequest) Decode(body []byte) error {
	return decodeEmpty("TREE_DISCONNECT Request", body)
}

// TreeDisconnectResponse says that it has ended.
//
// MS-SMB2 2.2.12
type TreeDisconnectResponse struct{}

// Append appends the body.
func (*TreeDisconnectResponse) Append(b []byte) []byte { return appendEmpty(b) }

// Decode checks the body.
func (*TreeDisconnectResponse) Decode(body []byte) error {
	return decodeEmpty("TREE_DISCONNECT Response", body)
}
