package wire

// Flags of a lease context.
//
// MS-SMB2 2.2.13.2.10, 2.2.14.2.10
const (
	LeaseBreakInProgress LeaseFlags = 0x00000002 // in a response
	LeaseParentKeySet    LeaseFlags = 0x00000004 // version 2: ParentLeaseKey is valid
)

const (
	leaseV1Size = 32
	leaseV2Size = 52
)

// LeaseContext is the data of a CreateContextLease, with the same layout in both directions. The length tells the version:
// 2 for dialects 3.x, 1 for 2.1.
//
// MS-SMB2 2.2.13.2.8, 2.2.13.2.10, 2.2.14.2.10, 2.2.14.2.11
type LeaseContext struct {
	Version        int // 1 or 2
	LeaseKey       LeaseKey
	LeaseState     LeaseState
	Flags          LeaseFlags
	ParentLeaseKey LeaseKey // version 2
	Epoch          uint16   // version 2
}

// Append appends the data of the context.
func (c *LeaseContext) Append(b []byte) []byte {
	b = append(b, c.LeaseKey[:]...)
	b = le.AppendUint32(b, uint32(c.LeaseState))
	b = le.AppendUint32(b, uint32(c.Flags))
	b = le.AppendUint64(b, 0) // LeaseDuration
	if c.Version < 2 {
		return b
	}
	b = append(b, c.ParentLeaseKey[:]...)
	b = le.AppendUint16(b, c.Epoch)
	return le.AppendUint16(b, 0) // Reserved
}

// Context wraps the data.
func (c *LeaseContext) Context() CreateContext {
	return CreateContext{CreateContextLease, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *LeaseContext) Decode(data []byte) error {
	if len(data) != leaseV1Size && len(data) != leaseV2Size {
		return malformed("LEASE context", "%d bytes, want %d or %d", len(data), leaseV1Size, leaseV2Size)
	}
	*c = LeaseContext{
		Version:    1,
		LeaseKey:   LeaseKey(data[:16]),
		LeaseState: LeaseState(le.Uint32(data[16:])),
		Flags:      LeaseFlags(le.Uint32(data[20:])),
	}
	if len(data) == leaseV2Size {
		c.Version = 2
		c.ParentLeaseKey = LeaseKey(data[32:48])
		c.Epoch = le.Uint16(data[48:])
	}
	return nil
}
