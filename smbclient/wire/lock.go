package wire

// LockFlags of one range.
//
// MS-SMB2 2.2.26.1
type LockFlags uint32

// MS-SMB2 2.2.26.1
const (
	LockShared          LockFlags = 0x00000001
	LockExclusive       LockFlags = 0x00000002
	LockUnlock          LockFlags = 0x00000004
	LockFailImmediately LockFlags = 0x00000010
)

// LockElement is one range to lock or unlock.
//
// MS-SMB2 2.2.26.1
type LockElement struct {
	Offset uint64
	Length uint64
	Flags  LockFlags
}

// LockRequest locks or unlocks ranges of a file.
//
// MS-SMB2 2.2.26
type LockRequest struct {
	LockSequence uint32 // number in the low 4 bits, index in the others
	FileID       FileID
	Locks        []LockElement
}

const (
	lockRequestFixed = 24
	lockElementSize  = 24
)

// Append appends the body.
func (r *LockRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 48)
	b = le.AppendUint16(b, uint16(len(r.Locks)))
	b = le.AppendUint32(b, r.LockSequence)
	b = r.FileID.append(b)
	for _, l := range r.Locks {
		b = le.AppendUint64(b, l.Offset)
		b = le.AppendUint64(b, l.Length)
		b = le.AppendUint32(b, uint32(l.Flags))
		b = le.AppendUint32(b, 0) // Reserved
	}
	return b
}

// Decode reads the body.
func (r *LockRequest) Decode(body []byte) error {
	const what = "LOCK Request"
	// The StructureSize counts the first element: there is always one.
	if err := checkBody(what, body, 48); err != nil {
		return err
	}
	if le.Uint16(body[2:]) == 0 {
		return malformed(what, "LockCount 0")
	}
	*r = LockRequest{LockSequence: le.Uint32(body[4:]), FileID: decodeFileID(body[8:])}
	list, err := within(what, "Locks", body, lockRequestFixed, lockElementSize*uint64(le.Uint16(body[2:])))
	if err != nil {
		return err
	}
	for ; len(list) > 0; list = list[lockElementSize:] {
		r.Locks = append(r.Locks, LockElement{
			Offset: le.Uint64(list),
			Length: le.Uint64(list[8:]),
			Flags:  LockFlags(le.Uint32(list[16:])),
		})
	}
	return nil
}

// LockResponse says that it is done.
//
// MS-SMB2 2.2.27
type LockResponse struct{}

// Append appends the body.
func (*LockResponse) Append(b []byte) []byte { return appendEmpty(b) }

// Decode checks the body.
func (*LockResponse) Decode(body []byte) error { return decodeEmpty("LOCK Response", body) }
