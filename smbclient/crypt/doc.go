// Package crypt holds the cryptography of SMB 2 and 3: key derivation, message
// signing and message encryption (MS-SMB2 3.1.4.1 to 3.1.4.3, 3.1.5.1).
//
// It knows keys and bytes, and of the wire only the few fields that enter a
// computation: Command, Flags, MessageId and Signature of the SMB2 header, and
// Signature and Nonce of the transform header.
//
// The package starts no goroutine and takes no lock. A Signer and a Sealer are
// safe for use by any number of goroutines at once; what they need per message
// comes from pools.
//
// What must never be done:
//   - two Sealers for one encryption key: their nonces would repeat. A session
//     has one Sealer, shared by all its channels, for as long as it lives.
//   - printing a key. Keys, Signers and Sealers print as a fixed word.
package crypt

import (
	"fmt"
	"io"
)

// Dialects whose keys differ. MS-SMB2 2.2.4, DialectRevision.
const (
	dialect300 = 0x0300
	dialect302 = 0x0302
	dialect311 = 0x0311
)

// Signing algorithms. MS-SMB2 2.2.3.1.7, SigningAlgorithms.
const (
	SigningHMACSHA256 uint16 = 0x0000
	SigningAESCMAC    uint16 = 0x0001
	SigningAESGMAC    uint16 = 0x0002
)

// Ciphers. MS-SMB2 2.2.3.1.2, Ciphers.
const (
	CipherAES128CCM uint16 = 0x0001
	CipherAES128GCM uint16 = 0x0002
	CipherAES256CCM uint16 = 0x0003
	CipherAES256GCM uint16 = 0x0004
)

// redacted is what every value holding a key prints as.
const redacted = "[key material]"

func formatRedacted(f fmt.State) { _, _ = io.WriteString(f, redacted) }
