package wire

// IsLeaseBreak tells from the body of an OPLOCK_BREAK, in either direction, whether it is about a lease: the two forms
// share the command and differ in StructureSize.
//
// MS-SMB2 2.2.23, 2.2.24, 2.2.25
func IsLeaseBreak(body []byte) bool {
	if len(body) < 2 {
		return false
	}
	size := le.Uint16(body)
	return size == leaseBreakNotificationSize || size == leaseBreakAcknowledgmentSize
}

// OplockBreak is the layout that the three messages about an oplock share.
//
// MS-SMB2 2.2.23.1, 2.2.24.1, 2.2.25.1
type OplockBreak struct {
	OplockLevel OplockLevel
	FileID      FileID
}

// OplockBreakNotification is the server's: the level that is left. It comes with MessageID all ones.
//
// MS-SMB2 2.2.23.1
type OplockBreakNotification struct{ OplockBreak }

// OplockBreakRequest is the client's acknowledgment.
//
// MS-SMB2 2.2.24.1
type OplockBreakRequest struct{ OplockBreak }

// OplockBreakResponse answers that.
//
// MS-SMB2 2.2.25.1
type OplockBreakResponse struct{ OplockBreak }

// Append appends the body.
func (r *OplockBreak) Append(b []byte) []byte {
	b = le.AppendUint16(b, 24)
	b = append(b, byte(r.OplockLevel), 0)
	b = le.AppendUint32(b, 0) // Reserved2
	return r.FileID.append(b)
}

// Decode reads the body.
func (r *OplockBreak) Decode(body []byte) error {
	if err := checkBody("OPLOCK_BREAK", body, 24); err != nil {
		return err
	}
	*r = OplockBreak{OplockLevel: OplockLevel(body[2]), FileID: decodeFileID(body[8:])}
	return nil
}

// LeaseKey names a lease; the client chooses it.
//
// MS-SMB2 2.2.13.2.8
type LeaseKey [16]byte

// LeaseState is what a lease lets the client cache.
//
// MS-SMB2 2.2.13.2.8
type LeaseState uint32

// MS-SMB2 2.2.13.2.8
const (
	LeaseNone   LeaseState = 0x00
	LeaseRead   LeaseState = 0x01
	LeaseHandle LeaseState = 0x02
	LeaseWrite  LeaseState = 0x04
)

// LeaseFlags of the lease contexts and messages.
//
// MS-SMB2 2.2.13.2.10, 2.2.14.2.10, 2.2.23.2
type LeaseFlags uint32

// LeaseBreakAckRequired in a LeaseBreakNotification.
//
// MS-SMB2 2.2.23.2
const LeaseBreakAckRequired LeaseFlags = 0x00000001

const (
	leaseBreakNotificationSize   = 44
	leaseBreakAcknowledgmentSize = 36
)

// LeaseBreakNotification is the server's: the state that is left. It comes with MessageID all ones.
//
// MS-SMB2 2.2.23.2
type LeaseBreakNotification struct {
	NewEpoch          uint16 // version 2 leases
	Flags             LeaseFlags
	LeaseKey          LeaseKey
	CurrentLeaseState LeaseState
	NewLeaseState     LeaseState
}

// Append appends the body.
func (r *LeaseBreakNotification) Append(b []byte) []byte {
	b = le.AppendUint16(b, leaseBreakNotificationSize)
	b = le.AppendUint16(b, r.NewEpoch)
	b = le.AppendUint32(b, uint32(r.Flags))
	b = append(b, r.LeaseKey[:]...)
	b = le.AppendUint32(b, uint32(r.CurrentLeaseState))
	b = le.AppendUint32(b, uint32(r.NewLeaseState))
	return appendZeros(b, 12) // BreakReason, AccessMaskHint, ShareMaskHint
}

// Decode reads the body.
func (r *LeaseBreakNotification) Decode(body []byte) error {
	if err := checkBody("LEASE_BREAK Notification", body, leaseBreakNotificationSize); err != nil {
		return err
	}
	*r = LeaseBreakNotification{
		NewEpoch:          le.Uint16(body[2:]),
		Flags:             LeaseFlags(le.Uint32(body[4:])),
		LeaseKey:          LeaseKey(body[8:24]),
		CurrentLeaseState: LeaseState(le.Uint32(body[24:])),
		NewLeaseState:     LeaseState(le.Uint32(body[28:])),
	}
	return nil
}

// LeaseBreak is the layout of the other two messages about a lease.
//
// MS-SMB2 2.2.24.2, 2.2.25.2
type LeaseBreak struct {
	LeaseKey   LeaseKey
	LeaseState LeaseState
}

// LeaseBreakRequest is the client's acknowledgment.
//
// MS-SMB2 2.2.24.2
type LeaseBreakRequest struct{ LeaseBreak }

// LeaseBreakResponse answers that.
//
// MS-SMB2 2.2.25.2
type LeaseBreakResponse struct{ LeaseBreak }

// Append appends the body.
func (r *LeaseBreak) Append(b []byte) []byte {
	b = le.AppendUint16(b, leaseBreakAcknowledgmentSize)
	b = appendZeros(b, 6) // Reserved, Flags
	b = append(b, r.LeaseKey[:]...)
	b = le.AppendUint32(b, uint32(r.LeaseState))
	return le.AppendUint64(b, 0) // LeaseDuration
}

// Decode reads the body.
func (r *LeaseBreak) Decode(body []byte) error {
	if err := checkBody("LEASE_BREAK", body, leaseBreakAcknowledgmentSize); err != nil {
		return err
	}
	*r = LeaseBreak{LeaseKey: LeaseKey(body[8:24]), LeaseState: LeaseState(le.Uint32(body[24:]))}
	return nil
}
