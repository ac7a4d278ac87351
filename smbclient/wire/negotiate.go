package wire

import (
	"fmt"
	"slices"
)

// Dialect is a revision of the protocol.
//
// MS-SMB2 2.2.3, 2.2.4
type Dialect uint16

// MS-SMB2 2.2.3, 2.2.4
const (
	Dialect202      Dialect = 0x0202
	Dialect210      Dialect = 0x0210
	Dialect300      Dialect = 0x0300
	Dialect302      Dialect = 0x0302
	Dialect311      Dialect = 0x0311
	DialectWildcard Dialect = 0x02FF // in the answer to an SMB1 multi-protocol negotiate
)

// String gives the dialect as the mount option vers= spells it.
func (d Dialect) String() string {
	switch d {
	case Dialect202:
		return "2.0.2"
	case Dialect210:
		return "2.1"
	case Dialect300:
		return "3.0"
	case Dialect302:
		return "3.0.2"
	case Dialect311:
		return "3.1.1"
	case DialectWildcard:
		return "2.??"
	}
	return fmt.Sprintf("dialect 0x%04X", uint16(d))
}

// SecurityMode says whether one side can sign, or demands it.
//
// MS-SMB2 2.2.3, 2.2.4, 2.2.5
type SecurityMode uint16

// MS-SMB2 2.2.3
const (
	SigningEnabled  SecurityMode = 0x0001
	SigningRequired SecurityMode = 0x0002
)

// Capabilities are those of a client or of a server as a whole.
//
// MS-SMB2 2.2.3, 2.2.4
type Capabilities uint32

// MS-SMB2 2.2.3
const (
	CapDFS               Capabilities = 0x00000001
	CapLeasing           Capabilities = 0x00000002
	CapLargeMTU          Capabilities = 0x00000004 // multi-credit requests
	CapMultiChannel      Capabilities = 0x00000008
	CapPersistentHandles Capabilities = 0x00000010
	CapDirectoryLeasing  Capabilities = 0x00000020
	CapEncryption        Capabilities = 0x00000040 // 3.0 and 3.0.2; 3.1.1 has a context for it
	CapNotifications     Capabilities = 0x00000080
)

// NegotiateRequest offers dialects. Contexts travel only if Dialects has Dialect311.
//
// MS-SMB2 2.2.3
type NegotiateRequest struct {
	SecurityMode SecurityMode
	Capabilities Capabilities
	ClientGUID   GUID
	Dialects     []Dialect
	Contexts     []NegotiateContext
}

const negotiateRequestFixed = 36

// Append appends the body.
func (r *NegotiateRequest) Append(b []byte) []byte {
	start := len(b)
	b = le.AppendUint16(b, 36)
	b = le.AppendUint16(b, uint16(len(r.Dialects)))
	b = le.AppendUint16(b, uint16(r.SecurityMode))
	b = le.AppendUint16(b, 0) // Reserved
	b = le.AppendUint32(b, uint32(r.Capabilities))
	b = append(b, r.ClientGUID[:]...)
	contexts := len(b)
	b = appendZeros(b, 8) // NegotiateContextOffset and Count, or ClientStartTime
	for _, d := range r.Dialects {
		b = le.AppendUint16(b, uint16(d))
	}
	if !slices.Contains(r.Dialects, Dialect311) {
		return b
	}
	b = align(b, start, 8)
	le.PutUint32(b[contexts:], uint32(HeaderSize+len(b)-start))
	le.PutUint16(b[contexts+4:], uint16(len(r.Contexts)))
	return appendNegotiateContexts(b, r.Contexts)
}

// Decode reads the body.
func (r *NegotiateRequest) Decode(body []byte) error {
	const what = "NEGOTIATE Request"
	if err := checkBody(what, body, 36); err != nil {
		return err
	}
	*r = NegotiateRequest{
		SecurityMode: SecurityMode(le.Uint16(body[4:])),
		Capabilities: Capabilities(le.Uint32(body[8:])),
		ClientGUID:   GUID(body[12:28]),
	}
	count := le.Uint16(body[2:])
	list, err := field(what, "Dialects", body, negotiateRequestFixed, HeaderSize+negotiateRequestFixed, 2*uint32(count))
	if err != nil {
		return err
	}
	for ; len(list) > 0; list = list[2:] {
		r.Dialects = append(r.Dialects, Dialect(le.Uint16(list)))
	}
	if slices.Contains(r.Dialects, Dialect311) {
		r.Contexts, err = decodeNegotiateContexts(what, body, negotiateRequestFixed, le.Uint32(body[28:]), le.Uint16(body[32:]))
	}
	return err
}

// NegotiateResponse chooses one. Contexts travel only if Dialect is Dialect311.
//
// MS-SMB2 2.2.4
type NegotiateResponse struct {
	SecurityMode    SecurityMode
	Dialect         Dialect
	ServerGUID      GUID
	Capabilities    Capabilities
	MaxTransactSize uint32
	MaxReadSize     uint32
	MaxWriteSize    uint32
	SystemTime      Filetime
	ServerStartTime Filetime
	SecurityBuffer  []byte
	Contexts        []NegotiateContext
}

const negotiateResponseFixed = 64

// Append appends the body.
func (r *NegotiateResponse) Append(b []byte) []byte {
	start := len(b)
	b = le.AppendUint16(b, 65)
	b = le.AppendUint16(b, uint16(r.SecurityMode))
	b = le.AppendUint16(b, uint16(r.Dialect))
	b = le.AppendUint16(b, 0) // NegotiateContextCount
	b = append(b, r.ServerGUID[:]...)
	b = le.AppendUint32(b, uint32(r.Capabilities))
	b = le.AppendUint32(b, r.MaxTransactSize)
	b = le.AppendUint32(b, r.MaxReadSize)
	b = le.AppendUint32(b, r.MaxWriteSize)
	b = le.AppendUint64(b, uint64(r.SystemTime))
	b = le.AppendUint64(b, uint64(r.ServerStartTime))
	b = le.AppendUint16(b, HeaderSize+negotiateResponseFixed)
	b = le.AppendUint16(b, uint16(len(r.SecurityBuffer)))
	b = le.AppendUint32(b, 0) // NegotiateContextOffset
	b = append(b, r.SecurityBuffer...)
	if r.Dialect != Dialect311 {
		return b
	}
	b = align(b, start, 8)
	le.PutUint16(b[start+6:], uint16(len(r.Contexts)))
	le.PutUint32(b[start+60:], uint32(HeaderSize+len(b)-start))
	return appendNegotiateContexts(b, r.Contexts)
}

// Decode reads the body.
func (r *NegotiateResponse) Decode(body []byte) error {
	const what = "NEGOTIATE Response"
	if err := checkBody(what, body, 65); err != nil {
		return err
	}
	*r = NegotiateResponse{
		SecurityMode:    SecurityMode(le.Uint16(body[2:])),
		Dialect:         Dialect(le.Uint16(body[4:])),
		ServerGUID:      GUID(body[8:24]),
		Capabilities:    Capabilities(le.Uint32(body[24:])),
		MaxTransactSize: le.Uint32(body[28:]),
		MaxReadSize:     le.Uint32(body[32:]),
		MaxWriteSize:    le.Uint32(body[36:]),
		SystemTime:      Filetime(le.Uint64(body[40:])),
		ServerStartTime: Filetime(le.Uint64(body[48:])),
	}
	var err error
	off, n := uint32(le.Uint16(body[56:])), uint32(le.Uint16(body[58:]))
	if r.SecurityBuffer, err = field(what, "Buffer", body, negotiateResponseFixed, off, n); err != nil {
		return err
	}
	if r.Dialect == Dialect311 {
		r.Contexts, err = decodeNegotiateContexts(what, body, negotiateResponseFixed, le.Uint32(body[60:]), le.Uint16(body[6:]))
	}
	return err
}
