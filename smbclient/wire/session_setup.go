package wire

// SessionSetupBinding in SessionSetupRequest.Flags binds an existing session to a new connection.
//
// MS-SMB2 2.2.5
const SessionSetupBinding uint8 = 0x01

// SessionSetupRequest carries one step of the authentication.
//
// MS-SMB2 2.2.5
type SessionSetupRequest struct {
	Flags             uint8
	SecurityMode      SecurityMode // one byte on the wire
	Capabilities      Capabilities // CapDFS or nothing
	PreviousSessionID uint64
	SecurityBuffer    []byte
}

const sessionSetupRequestFixed = 24

// Append appends the body.
func (r *SessionSetupRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 25)
	b = append(b, r.Flags, byte(r.SecurityMode))
	b = le.AppendUint32(b, uint32(r.Capabilities))
	b = le.AppendUint32(b, 0) // Channel
	b = le.AppendUint16(b, HeaderSize+sessionSetupRequestFixed)
	b = le.AppendUint16(b, uint16(len(r.SecurityBuffer)))
	b = le.AppendUint64(b, r.PreviousSessionID)
	return appendBuffer(b, r.SecurityBuffer)
}

// Decode reads the body.
func (r *SessionSetupRequest) Decode(body []byte) error {
	const what = "SESSION_SETUP Request"
	if err := checkBody(what, body, 25); err != nil {
		return err
	}
	*r = SessionSetupRequest{
		Flags:             body[2],
		SecurityMode:      SecurityMode(body[3]),
		Capabilities:      Capabilities(le.Uint32(body[4:])),
		PreviousSessionID: le.Uint64(body[16:]),
	}
	var err error
	off, n := uint32(le.Uint16(body[12:])), uint32(le.Uint16(body[14:]))
	r.SecurityBuffer, err = field(what, "Buffer", body, sessionSetupRequestFixed, off, n)
	return err
}

// SessionFlags describe the session that was set up.
//
// MS-SMB2 2.2.6
type SessionFlags uint16

// MS-SMB2 2.2.6
const (
	SessionIsGuest     SessionFlags = 0x0001
	SessionIsNull      SessionFlags = 0x0002 // anonymous
	SessionEncryptData SessionFlags = 0x0004
)

// SessionSetupResponse carries the server's step.
//
// MS-SMB2 2.2.6
type SessionSetupResponse struct {
	SessionFlags   SessionFlags
	SecurityBuffer []byte
}

const sessionSetupResponseFixed = 8

// Append appends the body.
func (r *SessionSetupResponse) Append(b []byte) []byte {
	b = le.AppendUint16(b, 9)
	b = le.AppendUint16(b, uint16(r.SessionFlags))
	b = le.AppendUint16(b, HeaderSize+sessionSetupResponseFixed)
	b = le.AppendUint16(b, uint16(len(r.SecurityBuffer)))
	return append(b, r.SecurityBuffer...)
}

// Decode reads the body.
func (r *SessionSetupResponse) Decode(body []byte) error {
	const what = "SESSION_SETUP Response"
	if err := checkBody(what, body, 9); err != nil {
		return err
	}
	*r = SessionSetupResponse{SessionFlags: SessionFlags(le.Uint16(body[2:]))}
	var err error
	off, n := uint32(le.Uint16(body[4:])), uint32(le.Uint16(body[6:]))
	r.SecurityBuffer, err = field(what, "Buffer", body, sessionSetupResponseFixed, off, n)
	return err
}
