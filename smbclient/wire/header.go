package wire

import "fmt"

// HeaderSize is the length of both forms of the SMB2 header.
//
// MS-SMB2 2.2.1
const HeaderSize = 64

// Protocol identifiers, the first four bytes of what the transport delivers.
//
// MS-SMB2 2.2.1.1, 2.2.41, 2.2.42
const (
	ProtocolSMB2        uint32 = 0x424D53FE // 0xFE 'S' 'M' 'B'
	ProtocolTransform   uint32 = 0x424D53FD // 0xFD 'S' 'M' 'B'
	ProtocolCompression uint32 = 0x424D53FC // 0xFC 'S' 'M' 'B'
)

// Command is the operation a message asks for or answers.
//
// MS-SMB2 2.2.1.2
type Command uint16

// MS-SMB2 2.2.1.2
const (
	CommandNegotiate      Command = 0x0000
	CommandSessionSetup   Command = 0x0001
	CommandLogoff         Command = 0x0002
	CommandTreeConnect    Command = 0x0003
	CommandTreeDisconnect Command = 0x0004
	CommandCreate         Command = 0x0005
	CommandClose          Command = 0x0006
	CommandFlush          Command = 0x0007
	CommandRead           Command = 0x0008
	CommandWrite          Command = 0x0009
	CommandLock           Command = 0x000A
	CommandIoctl          Command = 0x000B
	CommandCancel         Command = 0x000C
	CommandEcho           Command = 0x000D
	CommandQueryDirectory Command = 0x000E
	CommandChangeNotify   Command = 0x000F
	CommandQueryInfo      Command = 0x0010
	CommandSetInfo        Command = 0x0011
	CommandOplockBreak    Command = 0x0012
)

var commandNames = [...]string{
	"NEGOTIATE", "SESSION_SETUP", "LOGOFF", "TREE_CONNECT", "TREE_DISCONNECT", "CREATE", "CLOSE", "FLUSH", "READ", "WRITE",
	"LOCK", "IOCTL", "CANCEL", "ECHO", "QUERY_DIRECTORY", "CHANGE_NOTIFY", "QUERY_INFO", "SET_INFO", "OPLOCK_BREAK",
}

func (c Command) String() string {
	if int(c) < len(commandNames) {
		return commandNames[c]
	}
	return fmt.Sprintf("command 0x%04X", uint16(c))
}

// HeaderFlags say how a message is to be processed.
//
// MS-SMB2 2.2.1.2
type HeaderFlags uint32

// MS-SMB2 2.2.1.2
const (
	FlagServerToRedir   HeaderFlags = 0x00000001 // a response
	FlagAsync           HeaderFlags = 0x00000002 // AsyncID instead of TreeID
	FlagRelated         HeaderFlags = 0x00000004 // related to the request before it in the compound
	FlagSigned          HeaderFlags = 0x00000008
	FlagPriorityMask    HeaderFlags = 0x00000070 // 3.1.1
	FlagDFSOperation    HeaderFlags = 0x10000000
	FlagReplayOperation HeaderFlags = 0x20000000 // 3.x
)

// Header precedes every message, in its sync form or, where Flags has FlagAsync, in its async form.
//
// MS-SMB2 2.2.1.1, 2.2.1.2
type Header struct {
	CreditCharge uint16
	Status       Status // a request of a 3.x dialect carries ChannelSequence in the low 16 bits
	Command      Command
	Credits      uint16 // CreditRequest in a request, CreditResponse in a response
	Flags        HeaderFlags
	NextCommand  uint32 // bytes from this header to the next of the compound, 0 in the last
	MessageID    uint64
	TreeID       uint32 // without FlagAsync
	AsyncID      uint64 // with FlagAsync
	SessionID    uint64
	Signature    [16]byte
}

// Offsets in the header, for what is patched once the message is laid out.
//
// MS-SMB2 2.2.1
const (
	offsetCreditCharge = 6
	offsetCredits      = 14
	offsetFlags        = 16
	offsetNextCommand  = 20
	offsetMessageID    = 24
	offsetTreeID       = 36
	offsetSessionID    = 40
	offsetSignature    = 48
)

// Append appends the header, HeaderSize bytes.
func (h *Header) Append(b []byte) []byte {
	b = le.AppendUint32(b, ProtocolSMB2)
	b = le.AppendUint16(b, HeaderSize)
	b = le.AppendUint16(b, h.CreditCharge)
	b = le.AppendUint32(b, uint32(h.Status))
	b = le.AppendUint16(b, uint16(h.Command))
	b = le.AppendUint16(b, h.Credits)
	b = le.AppendUint32(b, uint32(h.Flags))
	b = le.AppendUint32(b, h.NextCommand)
	b = le.AppendUint64(b, h.MessageID)
	if h.Flags&FlagAsync != 0 {
		b = le.AppendUint64(b, h.AsyncID)
	} else {
		b = le.AppendUint32(b, 0) // Reserved
		b = le.AppendUint32(b, h.TreeID)
	}
	b = le.AppendUint64(b, h.SessionID)
	return append(b, h.Signature[:]...)
}

// Decode reads the header at the start of b. It checks the protocol identifier and the StructureSize, and leaves to
// the caller whether NextCommand is possible.
func (h *Header) Decode(b []byte) error {
	const what = "SMB2 header"
	if err := checkLen(what, b, HeaderSize); err != nil {
		return err
	}
	if id := le.Uint32(b); id != ProtocolSMB2 {
		return malformed(what, "ProtocolId 0x%08X", id)
	}
	if size := le.Uint16(b[4:]); size != HeaderSize {
		return malformed(what, "StructureSize %d, want %d", size, HeaderSize)
	}
	*h = Header{
		CreditCharge: le.Uint16(b[offsetCreditCharge:]),
		Status:       Status(le.Uint32(b[8:])),
		Command:      Command(le.Uint16(b[12:])),
		Credits:      le.Uint16(b[offsetCredits:]),
		Flags:        HeaderFlags(le.Uint32(b[offsetFlags:])),
		NextCommand:  le.Uint32(b[offsetNextCommand:]),
		MessageID:    le.Uint64(b[offsetMessageID:]),
		SessionID:    le.Uint64(b[offsetSessionID:]),
		Signature:    [16]byte(b[offsetSignature:HeaderSize]),
	}
	if h.Flags&FlagAsync != 0 {
		h.AsyncID = le.Uint64(b[32:])
	} else {
		h.TreeID = le.Uint32(b[offsetTreeID:])
	}
	return nil
}

// The Put functions patch a field of the header at the start of msg, which must hold one.

// PutCreditCharge sets CreditCharge.
func PutCreditCharge(msg []byte, n uint16) { le.PutUint16(msg[offsetCreditCharge:], n) }

// PutCredits sets CreditRequest or CreditResponse.
func PutCredits(msg []byte, n uint16) { le.PutUint16(msg[offsetCredits:], n) }

// PutFlags sets Flags. It does not change the form of the header: FlagAsync must stay as it was.
func PutFlags(msg []byte, f HeaderFlags) { le.PutUint32(msg[offsetFlags:], uint32(f)) }

// PutNextCommand sets NextCommand, bytes from this header to the next.
func PutNextCommand(msg []byte, n uint32) { le.PutUint32(msg[offsetNextCommand:], n) }

// PutMessageID sets MessageID.
func PutMessageID(msg []byte, id uint64) { le.PutUint64(msg[offsetMessageID:], id) }

// PutTreeID sets TreeID, in a header of the sync form.
func PutTreeID(msg []byte, id uint32) { le.PutUint32(msg[offsetTreeID:], id) }

// PutSessionID sets SessionID.
func PutSessionID(msg []byte, id uint64) { le.PutUint64(msg[offsetSessionID:], id) }

// PutSignature sets Signature.
func PutSignature(msg []byte, sig [16]byte) { copy(msg[offsetSignature:HeaderSize], sig[:]) }

// SignatureOf returns the 16 bytes of the Signature field, aliasing msg.
func SignatureOf(msg []byte) []byte { return msg[offsetSignature:HeaderSize:HeaderSize] }
