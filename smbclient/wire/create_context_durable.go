package wire

// DurableFlags of the version 2 durable handle contexts.
//
// MS-SMB2 2.2.13.2.11
type DurableFlags uint32

// DurablePersistent asks for, or grants, a persistent handle.
//
// MS-SMB2 2.2.13.2.11, 2.2.14.2.12
const DurablePersistent DurableFlags = 0x00000002

// DurableRequest is the data of a CreateContextDurable in a request: nothing but reserved bytes.
//
// MS-SMB2 2.2.13.2.3
type DurableRequest struct{}

// Append appends the data of the context.
func (*DurableRequest) Append(b []byte) []byte { return appendZeros(b, 16) }

// Context wraps the data.
func (c *DurableRequest) Context() CreateContext {
	return CreateContext{CreateContextDurable, c.Append(nil)}
}

// Decode checks the data of a context.
func (*DurableRequest) Decode(data []byte) error {
	return checkLen("CREATE_DURABLE_HANDLE_REQUEST", data, 16)
}

// DurableResponse is the data of a CreateContextDurable in a response: its presence is what counts.
//
// MS-SMB2 2.2.14.2.3
type DurableResponse struct{}

// Append appends the data of the context.
func (*DurableResponse) Append(b []byte) []byte { return appendZeros(b, 8) }

// Context wraps the data.
func (c *DurableResponse) Context() CreateContext {
	return CreateContext{CreateContextDurable, c.Append(nil)}
}

// Decode checks the data of a context.
func (*DurableResponse) Decode(data []byte) error {
	return checkLen("CREATE_DURABLE_HANDLE_RESPONSE", data, 8)
}

// DurableReconnect is the data of a CreateContextDurableReconnect, in a request. The response has no context for it.
//
// MS-SMB2 2.2.13.2.4
type DurableReconnect struct{ FileID FileID }

// Append appends the data of the context.
func (c *DurableReconnect) Append(b []byte) []byte { return c.FileID.append(b) }

// Context wraps the data.
func (c *DurableReconnect) Context() CreateContext {
	return CreateContext{CreateContextDurableReconnect, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *DurableReconnect) Decode(data []byte) error {
	if err := checkLen("CREATE_DURABLE_HANDLE_RECONNECT", data, fileIDSize); err != nil {
		return err
	}
	c.FileID = decodeFileID(data)
	return nil
}

// DurableV2Request is the data of a CreateContextDurableV2 in a request.
//
// MS-SMB2 2.2.13.2.11
type DurableV2Request struct {
	Timeout    uint32 // milliseconds; 0 leaves it to the server
	Flags      DurableFlags
	CreateGUID GUID
}

// Append appends the data of the context.
func (c *DurableV2Request) Append(b []byte) []byte {
	b = le.AppendUint32(b, c.Timeout)
	b = le.AppendUint32(b, uint32(c.Flags))
	b = le.AppendUint64(b, 0) // Reserved
	return append(b, c.CreateGUID[:]...)
}

// Context wraps the data.
func (c *DurableV2Request) Context() CreateContext {
	return CreateContext{CreateContextDurableV2, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *DurableV2Request) Decode(data []byte) error {
	if err := checkLen("CREATE_DURABLE_HANDLE_REQUEST_V2", data, 32); err != nil {
		return err
	}
	*c = DurableV2Request{le.Uint32(data), DurableFlags(le.Uint32(data[4:])), GUID(data[16:32])}
	return nil
}

// DurableV2Response is the data of a CreateContextDurableV2 in a response.
//
// MS-SMB2 2.2.14.2.12
type DurableV2Response struct {
	Timeout uint32 // milliseconds
	Flags   DurableFlags
}

// Append appends the data of the context.
func (c *DurableV2Response) Append(b []byte) []byte {
	b = le.AppendUint32(b, c.Timeout)
	return le.AppendUint32(b, uint32(c.Flags))
}

// Context wraps the data.
func (c *DurableV2Response) Context() CreateContext {
	return CreateContext{CreateContextDurableV2, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *DurableV2Response) Decode(data []byte) error {
	if err := checkLen("CREATE_DURABLE_HANDLE_RESPONSE_V2", data, 8); err != nil {
		return err
	}
	*c = DurableV2Response{le.Uint32(data), DurableFlags(le.Uint32(data[4:]))}
	return nil
}

// DurableReconnectV2 is the data of a CreateContextDurableReconnect2, in a request.
//
// MS-SMB2 2.2.13.2.12
type DurableReconnectV2 struct {
	FileID     FileID
	CreateGUID GUID
	Flags      DurableFlags
}

// Append appends the data of the context.
func (c *DurableReconnectV2) Append(b []byte) []byte {
	b = c.FileID.append(b)
	b = append(b, c.CreateGUID[:]...)
	return le.AppendUint32(b, uint32(c.Flags))
}

// Context wraps the data.
func (c *DurableReconnectV2) Context() CreateContext {
	return CreateContext{CreateContextDurableReconnect2, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *DurableReconnectV2) Decode(data []byte) error {
	if err := checkLen("CREATE_DURABLE_HANDLE_RECONNECT_V2", data, 36); err != nil {
		return err
	}
	*c = DurableReconnectV2{decodeFileID(data), GUID(data[16:32]), DurableFlags(le.Uint32(data[32:]))}
	return nil
}
