package wire

import "fmt"

// GUID is 16 bytes as they lie on the wire (MS-DTYP 2.3.4.2).
type GUID [16]byte

// String gives the usual form, whose first three groups are little-endian on the wire.
func (g GUID) String() string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(g[0:]), le.Uint16(g[4:]), le.Uint16(g[6:]), g[8:10], g[10:])
}

// FileID names an open.
//
// MS-SMB2 2.2.14.1
type FileID struct{ Persistent, Volatile uint64 }

// fileIDSize is the length of a FileID on the wire.
const fileIDSize = 16

// RelatedFileID stands, in a related request of a compound, for the open of the request before it.
//
// MS-SMB2 3.2.4.1.4
var RelatedFileID = FileID{Persistent: ^uint64(0), Volatile: ^uint64(0)}

func (id FileID) append(b []byte) []byte {
	b = le.AppendUint64(b, id.Persistent)
	return le.AppendUint64(b, id.Volatile)
}

// decodeFileID reads a FileID from the first 16 bytes of b, which the caller has checked to be there.
func decodeFileID(b []byte) FileID {
	return FileID{Persistent: le.Uint64(b), Volatile: le.Uint64(b[8:])}
}
