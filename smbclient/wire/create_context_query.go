package wire

// MaximalAccessRequest is the data of a CreateContextMaximalAccess in a request. With a Timestamp the server answers only if
// the file has changed since; without one the data are empty.
//
// MS-SMB2 2.2.13.2.5
type MaximalAccessRequest struct{ Timestamp Filetime }

// Append appends the data of the context.
func (c *MaximalAccessRequest) Append(b []byte) []byte {
	if c.Timestamp == 0 {
		return b
	}
	return le.AppendUint64(b, uint64(c.Timestamp))
}

// Context wraps the data.
func (c *MaximalAccessRequest) Context() CreateContext {
	return CreateContext{CreateContextMaximalAccess, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *MaximalAccessRequest) Decode(data []byte) error {
	c.Timestamp = 0
	if len(data) == 0 {
		return nil
	}
	if err := checkLen("CREATE_QUERY_MAXIMAL_ACCESS_REQUEST", data, 8); err != nil {
		return err
	}
	c.Timestamp = Filetime(le.Uint64(data))
	return nil
}

// MaximalAccessResponse is the data of a CreateContextMaximalAccess in a response.
//
// MS-SMB2 2.2.14.2.5
type MaximalAccessResponse struct {
	QueryStatus   Status
	MaximalAccess AccessMask // valid if QueryStatus is a success
}

// Append appends the data of the context.
func (c *MaximalAccessResponse) Append(b []byte) []byte {
	b = le.AppendUint32(b, uint32(c.QueryStatus))
	return le.AppendUint32(b, uint32(c.MaximalAccess))
}

// Context wraps the data.
func (c *MaximalAccessResponse) Context() CreateContext {
	return CreateContext{CreateContextMaximalAccess, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *MaximalAccessResponse) Decode(data []byte) error {
	if err := checkLen("CREATE_QUERY_MAXIMAL_ACCESS_RESPONSE", data, 8); err != nil {
		return err
	}
	*c = MaximalAccessResponse{Status(le.Uint32(data)), AccessMask(le.Uint32(data[4:]))}
	return nil
}

// QueryOnDiskIDRequest is the (empty) data of a CreateContextQueryOnDiskID in a request.
//
// MS-SMB2 2.2.13.2.9
type QueryOnDiskIDRequest struct{}

// Append appends nothing.
func (*QueryOnDiskIDRequest) Append(b []byte) []byte { return b }

// Context wraps the data.
func (*QueryOnDiskIDRequest) Context() CreateContext {
	return CreateContext{CreateContextQueryOnDiskID, nil}
}

// Decode accepts anything.
func (*QueryOnDiskIDRequest) Decode([]byte) error { return nil }

// QueryOnDiskIDResponse is the data of a CreateContextQueryOnDiskID in a response.
//
// MS-SMB2 2.2.14.2.9
type QueryOnDiskIDResponse struct {
	DiskFileID uint64
	VolumeID   uint64
}

// Append appends the data of the context.
func (c *QueryOnDiskIDResponse) Append(b []byte) []byte {
	b = le.AppendUint64(b, c.DiskFileID)
	b = le.AppendUint64(b, c.VolumeID)
	return appendZeros(b, 16) // Reserved
}

// Context wraps the data.
func (c *QueryOnDiskIDResponse) Context() CreateContext {
	return CreateContext{CreateContextQueryOnDiskID, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *QueryOnDiskIDResponse) Decode(data []byte) error {
	if err := checkLen("CREATE_QUERY_ON_DISK_ID_RESPONSE", data, 32); err != nil {
		return err
	}
	*c = QueryOnDiskIDResponse{le.Uint64(data), le.Uint64(data[8:])}
	return nil
}
