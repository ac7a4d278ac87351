package wire

// CreateContext is one extra of a CREATE: a name, four characters as a rule, and data.
//
// MS-SMB2 2.2.13.2, 2.2.14.2
type CreateContext struct {
	Name string // bytes, not UTF-16
	Data []byte
}

// Names of the contexts that this package knows, of the same length and order of bytes as on the wire.
//
// MS-SMB2 2.2.13.2
const (
	CreateContextMaximalAccess     = "MxAc"
	CreateContextQueryOnDiskID     = "QFid"
	CreateContextLease             = "RqLs" // versions 1 and 2
	CreateContextDurable           = "DHnQ"
	CreateContextDurableReconnect  = "DHnC"
	CreateContextDurableV2         = "DH2Q"
	CreateContextDurableReconnect2 = "DH2C"
	CreateContextExtendedAttrs     = "ExtA"
	CreateContextSecurity          = "SecD"
	CreateContextAllocationSize    = "AlSi"
	CreateContextTimeWarp          = "TWrp"
)

const createContextFixed = 16

// appendCreateContexts appends the list, each but the last padded to 8 bytes. The caller has aligned b.
func appendCreateContexts(b []byte, contexts []CreateContext) []byte {
	for i, c := range contexts {
		start := len(b)
		b = le.AppendUint32(b, 0) // Next
		b = le.AppendUint16(b, createContextFixed)
		b = le.AppendUint16(b, uint16(len(c.Name)))
		b = le.AppendUint16(b, 0) // Reserved
		b = le.AppendUint16(b, 0) // DataOffset
		b = le.AppendUint32(b, uint32(len(c.Data)))
		b = append(b, c.Name...)
		if len(c.Data) > 0 {
			b = align(b, start, 8)
			le.PutUint16(b[start+10:], uint16(len(b)-start))
			b = append(b, c.Data...)
		}
		if i < len(contexts)-1 {
			b = align(b, start, 8)
			le.PutUint32(b[start:], uint32(len(b)-start))
		}
	}
	return b
}

// decodeCreateContexts reads the whole list.
func decodeCreateContexts(list []byte) ([]CreateContext, error) {
	const what = "CREATE_CONTEXT"
	var contexts []CreateContext
	for len(list) > 0 {
		entry, rest, err := nextEntry(what, list, createContextFixed)
		if err != nil {
			return nil, err
		}
		name, err := within(what, "Name", entry, uint64(le.Uint16(entry[4:])), uint64(le.Uint16(entry[6:])))
		if err != nil {
			return nil, err
		}
		c := CreateContext{Name: string(name)}
		if n := uint64(le.Uint32(entry[12:])); n > 0 {
			if c.Data, err = within(what, "Data", entry, uint64(le.Uint16(entry[10:])), n); err != nil {
				return nil, err
			}
		}
		contexts = append(contexts, c)
		list = rest
	}
	return contexts, nil
}

// FindCreateContext returns the data of the first context of that name.
func FindCreateContext(contexts []CreateContext, name string) (data []byte, ok bool) {
	for _, c := range contexts {
		if c.Name == name {
			return c.Data, true
		}
	}
	return nil, false
}
