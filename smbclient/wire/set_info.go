package wire

// SetInfoRequest changes something about an open.
//
// MS-SMB2 2.2.39
type SetInfoRequest struct {
	Type                  InfoType
	Class                 InfoClass
	AdditionalInformation uint32
	FileID                FileID
	Input                 []byte // the structure that Class names
}

const setInfoRequestFixed = 32

// Append appends the body.
func (r *SetInfoRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 33)
	b = append(b, byte(r.Type), byte(r.Class))
	b = le.AppendUint32(b, uint32(len(r.Input)))
	b = le.AppendUint16(b, HeaderSize+setInfoRequestFixed)
	b = le.AppendUint16(b, 0) // Reserved
	b = le.AppendUint32(b, r.AdditionalInformation)
	b = r.FileID.append(b)
	return appendBuffer(b, r.Input)
}

// Decode reads the body.
func (r *SetInfoRequest) Decode(body []byte) error {
	const what = "SET_INFO Request"
	if err := checkBody(what, body, 33); err != nil {
		return err
	}
	*r = SetInfoRequest{
		Type:                  InfoType(body[2]),
		Class:                 InfoClass(body[3]),
		AdditionalInformation: le.Uint32(body[12:]),
		FileID:                decodeFileID(body[16:]),
	}
	var err error
	r.Input, err = field(what, "Buffer", body, setInfoRequestFixed, uint32(le.Uint16(body[8:])), le.Uint32(body[4:]))
	return err
}

// SetInfoResponse says that it is done.
//
// MS-SMB2 2.2.40
type SetInfoResponse struct{}

// Append appends the body.
func (*SetInfoResponse) Append(b []byte) []byte { return le.AppendUint16(b, 2) }

// Decode checks the body.
func (*SetInfoResponse) Decode(body []byte) error { return checkBody("SET_INFO Response", body, 2) }
