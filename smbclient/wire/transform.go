package wire

// TransformHeaderSize is the length of the header of an encrypted message.
//
// MS-SMB2 2.2.41
const TransformHeaderSize = 52

// TransformEncrypted is the only value of TransformHeader.Flags (in 3.0 and 3.0.2: EncryptionAlgorithm, AES-128-CCM).
//
// MS-SMB2 2.2.41
const TransformEncrypted uint16 = 0x0001

// TransformAADOffset is where the part of the transform header starts that is authenticated as additional data:
// everything behind ProtocolId and Signature.
//
// MS-SMB2 3.1.4.3
const TransformAADOffset = 20

// TransformHeader precedes encrypted messages.
//
// MS-SMB2 2.2.41
type TransformHeader struct {
	Signature           [16]byte // authentication tag
	Nonce               [16]byte // 11 bytes for CCM, 12 for GCM, the rest zero
	OriginalMessageSize uint32
	Flags               uint16
	SessionID           uint64
}

// Append appends the header, TransformHeaderSize bytes.
func (h *TransformHeader) Append(b []byte) []byte {
	b = le.AppendUint32(b, ProtocolTransform)
	b = append(b, h.Signature[:]...)
	b = append(b, h.Nonce[:]...)
	b = le.AppendUint32(b, h.OriginalMessageSize)
	b = le.AppendUint16(b, 0) // Reserved
	b = le.AppendUint16(b, h.Flags)
	return le.AppendUint64(b, h.SessionID)
}

// Decode reads the header at the start of b. Whether OriginalMessageSize and Flags fit is for the caller to check, who
// knows the dialect and the length of what follows.
func (h *TransformHeader) Decode(b []byte) error {
	const what = "SMB2 TRANSFORM_HEADER"
	if err := checkLen(what, b, TransformHeaderSize); err != nil {
		return err
	}
	if id := le.Uint32(b); id != ProtocolTransform {
		return malformed(what, "ProtocolId 0x%08X", id)
	}
	*h = TransformHeader{
		Signature:           [16]byte(b[4:20]),
		Nonce:               [16]byte(b[20:36]),
		OriginalMessageSize: le.Uint32(b[36:]),
		Flags:               le.Uint16(b[42:]),
		SessionID:           le.Uint64(b[44:]),
	}
	return nil
}

// PutTransformSignature sets the Signature of the transform header at the start of msg.
func PutTransformSignature(msg []byte, sig [16]byte) { copy(msg[4:20], sig[:]) }
