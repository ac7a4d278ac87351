package wire

// ContextType is the kind of a negotiate context.
//
// MS-SMB2 2.2.3.1
type ContextType uint16

// MS-SMB2 2.2.3.1
const (
	ContextPreauthIntegrity ContextType = 0x0001
	ContextEncryption       ContextType = 0x0002
	ContextCompression      ContextType = 0x0003
	ContextNetName          ContextType = 0x0005
	ContextTransport        ContextType = 0x0006
	ContextRDMATransform    ContextType = 0x0007
	ContextSigning          ContextType = 0x0008
)

// NegotiateContext is one extra property of a 3.1.1 NEGOTIATE. Types that this package does not know stay as they are.
//
// MS-SMB2 2.2.3.1, 2.2.4.1
type NegotiateContext struct {
	Type ContextType
	Data []byte
}

const negotiateContextHeader = 8

func appendNegotiateContexts(b []byte, contexts []NegotiateContext) []byte {
	start := len(b) // the caller has aligned it
	for _, c := range contexts {
		b = align(b, start, 8)
		b = le.AppendUint16(b, uint16(c.Type))
		b = le.AppendUint16(b, uint16(len(c.Data)))
		b = le.AppendUint32(b, 0) // Reserved
		b = append(b, c.Data...)
	}
	return b
}

// decodeNegotiateContexts reads count contexts, the first at off from the start of the message's header.
func decodeNegotiateContexts(what string, body []byte, fixed int, off uint32, count uint16) ([]NegotiateContext, error) {
	if count == 0 {
		return nil, nil
	}
	if uint64(off) < uint64(HeaderSize+fixed) || off%8 != 0 {
		return nil, malformed(what, "NegotiateContextOffset %d", off)
	}
	var contexts []NegotiateContext
	at := uint64(off) - HeaderSize
	for range count {
		head, err := within(what, "negotiate context", body, at, negotiateContextHeader)
		if err != nil {
			return nil, err
		}
		n := uint64(le.Uint16(head[2:]))
		data, err := within(what, "negotiate context data", body, at+negotiateContextHeader, n)
		if err != nil {
			return nil, err
		}
		contexts = append(contexts, NegotiateContext{Type: ContextType(le.Uint16(head)), Data: data})
		at += (negotiateContextHeader + n + 7) &^ 7
	}
	return contexts, nil
}

// HashAlgorithm is one for pre-authentication integrity.
//
// MS-SMB2 2.2.3.1.1
type HashAlgorithm uint16

// HashSHA512 is the only algorithm there is.
//
// MS-SMB2 2.2.3.1.1
const HashSHA512 HashAlgorithm = 0x0001

// PreauthIntegrityCapabilities is the data of a ContextPreauthIntegrity. A response has one algorithm.
//
// MS-SMB2 2.2.3.1.1, 2.2.4.1.1
type PreauthIntegrityCapabilities struct {
	HashAlgorithms []HashAlgorithm
	Salt           []byte
}

// Append appends the data of the context.
func (c *PreauthIntegrityCapabilities) Append(b []byte) []byte {
	b = le.AppendUint16(b, uint16(len(c.HashAlgorithms)))
	b = le.AppendUint16(b, uint16(len(c.Salt)))
	b = appendIDs(b, c.HashAlgorithms)
	return append(b, c.Salt...)
}

// Context wraps the data.
func (c *PreauthIntegrityCapabilities) Context() NegotiateContext {
	return NegotiateContext{ContextPreauthIntegrity, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *PreauthIntegrityCapabilities) Decode(data []byte) error {
	const what = "PREAUTH_INTEGRITY_CAPABILITIES"
	if err := checkLen(what, data, 4); err != nil {
		return err
	}
	count, salt := uint64(le.Uint16(data)), uint64(le.Uint16(data[2:]))
	ids, err := within(what, "HashAlgorithms", data, 4, 2*count)
	if err != nil {
		return err
	}
	c.HashAlgorithms = decodeIDs[HashAlgorithm](ids)
	c.Salt, err = within(what, "Salt", data, 4+2*count, salt)
	return err
}

// Cipher is an algorithm for encryption.
//
// MS-SMB2 2.2.3.1.2
type Cipher uint16

// MS-SMB2 2.2.3.1.2; CipherNone in a response says that none is common (2.2.4.1.2).
const (
	CipherNone      Cipher = 0x0000
	CipherAES128CCM Cipher = 0x0001
	CipherAES128GCM Cipher = 0x0002
	CipherAES256CCM Cipher = 0x0003
	CipherAES256GCM Cipher = 0x0004
)

func (c Cipher) String() string {
	return idName(c, "none", "AES-128-CCM", "AES-128-GCM", "AES-256-CCM", "AES-256-GCM")
}

// EncryptionCapabilities is the data of a ContextEncryption, most preferred first. A response has one.
//
// MS-SMB2 2.2.3.1.2, 2.2.4.1.2
type EncryptionCapabilities struct{ Ciphers []Cipher }

// Append appends the data of the context.
func (c *EncryptionCapabilities) Append(b []byte) []byte { return appendCountedIDs(b, c.Ciphers) }

// Context wraps the data.
func (c *EncryptionCapabilities) Context() NegotiateContext {
	return NegotiateContext{ContextEncryption, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *EncryptionCapabilities) Decode(data []byte) (err error) {
	c.Ciphers, err = decodeCountedIDs[Cipher]("ENCRYPTION_CAPABILITIES", data)
	return err
}

// SigningAlgorithm is one for message signatures.
//
// MS-SMB2 2.2.3.1.7
type SigningAlgorithm uint16

// MS-SMB2 2.2.3.1.7
const (
	SigningHMACSHA256 SigningAlgorithm = 0x0000
	SigningAESCMAC    SigningAlgorithm = 0x0001
	SigningAESGMAC    SigningAlgorithm = 0x0002
)

func (a SigningAlgorithm) String() string { return idName(a, "HMAC-SHA256", "AES-CMAC", "AES-GMAC") }

// SigningCapabilities is the data of a ContextSigning, most preferred first. A response has one.
//
// MS-SMB2 2.2.3.1.7, 2.2.4.1.7
type SigningCapabilities struct{ Algorithms []SigningAlgorithm }

// Append appends the data of the context.
func (c *SigningCapabilities) Append(b []byte) []byte { return appendCountedIDs(b, c.Algorithms) }

// Context wraps the data.
func (c *SigningCapabilities) Context() NegotiateContext {
	return NegotiateContext{ContextSigning, c.Append(nil)}
}

// Decode reads the data of a context.
func (c *SigningCapabilities) Decode(data []byte) (err error) {
	c.Algorithms, err = decodeCountedIDs[SigningAlgorithm]("SIGNING_CAPABILITIES", data)
	return err
}

// NetName is the data of a ContextNetName: the server's name as the client knows it.
//
// MS-SMB2 2.2.3.1.4
type NetName string

// Append appends the data of the context.
func (n *NetName) Append(b []byte) []byte { return AppendUTF16(b, string(*n)) }

// Context wraps the name.
func (n NetName) Context() NegotiateContext {
	return NegotiateContext{ContextNetName, n.Append(nil)}
}

// Decode reads the data of a context.
func (n *NetName) Decode(data []byte) error {
	s, err := decodeName("NETNAME_NEGOTIATE_CONTEXT_ID", "NetName", data)
	*n = NetName(s)
	return err
}
