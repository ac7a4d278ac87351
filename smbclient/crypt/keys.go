package crypt

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
)

// Sizes of keys in bytes.
const (
	sessionKeySize = 16 // MS-SMB2 3.2.1.3, Session.SessionKey
	key128Size     = 16
	key256Size     = 32
)

// Keys are the keys of one session, named from the client's side.
// MS-SMB2 3.2.1.3.
type Keys struct {
	SigningKey     []byte // 16 bytes
	EncryptionKey  []byte // client to server; 16 or 32 bytes, nil below dialect 3.0
	DecryptionKey  []byte // server to client; as EncryptionKey
	ApplicationKey []byte // 16 bytes
}

// Format prints a fixed word for every verb: keys stay out of logs.
func (k Keys) Format(f fmt.State, _ rune) { formatRedacted(f) }

// MarshalText keeps keys out of JSON and of structured logs.
func (k Keys) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// purpose is a label and its context as given to the key derivation function.
type purpose struct{ label, context string }

// Labels and contexts of dialects 3.0 and 3.0.2. MS-SMB2 3.2.5.3.1: each with
// its terminating null; "ServerIn " ends in a space.
var (
	signing30     = purpose{"SMB2AESCMAC\x00", "SmbSign\x00"}
	encryption30  = purpose{"SMB2AESCCM\x00", "ServerIn \x00"}
	decryption30  = purpose{"SMB2AESCCM\x00", "ServerOut\x00"}
	application30 = purpose{"SMB2APP\x00", "SmbRpc\x00"}
)

// Labels of dialect 3.1.1, whose context is the session's pre-authentication
// integrity hash. MS-SMB2 3.2.5.3.1.
const (
	signing311     = "SMBSigningKey\x00"
	encryption311  = "SMBC2SCipherKey\x00"
	decryption311  = "SMBS2CCipherKey\x00"
	application311 = "SMBAppKey\x00"
)

// DeriveKeys makes the keys of a session from the key that authentication
// agreed on. preauthHash is Session.PreauthIntegrityHashValue and cipher is
// Connection.CipherId; both matter to dialect 3.1.1 only. A sessionKey of under
// 16 bytes is padded with zeros. MS-SMB2 3.2.5.3.1.
func DeriveKeys(dialect uint16, sessionKey, preauthHash []byte, cipher uint16) Keys {
	short := make([]byte, sessionKeySize)
	copy(short, sessionKey)
	switch dialect {
	case dialect300, dialect302:
		return Keys{
			SigningKey:     signing30.derive(short, key128Size),
			EncryptionKey:  encryption30.derive(short, key128Size),
			DecryptionKey:  decryption30.derive(short, key128Size),
			ApplicationKey: application30.derive(short, key128Size),
		}
	case dialect311:
		return derive311(short, sessionKey, string(preauthHash), cipher)
	}
	return Keys{SigningKey: short, ApplicationKey: append([]byte(nil), short...)}
}

// derive311 derives from the full session key where an AES-256 cipher asks for
// it, which Kerberos makes longer than 16 bytes. Signing and application keys
// keep 128 bits and the short key with every cipher: with L at 256 there, as a
// literal reading of MS-SMB2 3.1.4.2 would have it, peers refuse the signature.
func derive311(short, full []byte, context string, cipher uint16) Keys {
	from, size := short, key128Size
	if cipher == CipherAES256CCM || cipher == CipherAES256GCM {
		size = key256Size
		if len(full) > len(short) {
			from = full
		}
	}
	return Keys{
		SigningKey:     purpose{signing311, context}.derive(short, key128Size),
		EncryptionKey:  purpose{encryption311, context}.derive(from, size),
		DecryptionKey:  purpose{decryption311, context}.derive(from, size),
		ApplicationKey: purpose{application311, context}.derive(short, key128Size),
	}
}

// derive makes a key of size bytes. MS-SMB2 3.1.4.2.
func (p purpose) derive(key []byte, size int) []byte {
	fixed := append([]byte(p.label), 0)
	fixed = append(fixed, p.context...)
	fixed = binary.BigEndian.AppendUint32(fixed, uint32(size)*8)
	return counterKDF(key, fixed)[:size]
}

// counterKDF is the first round of SP800-108 5.1, counter mode with HMAC-SHA256
// and r = 32. It gives 32 bytes, and no key of SMB is longer.
func counterKDF(key, fixed []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte{0, 0, 0, 1})
	mac.Write(fixed)
	return mac.Sum(nil)
}

// PreauthHash extends the pre-authentication integrity hash by one message:
// SHA-512 of the value so far and the message from its SMB2 header on.
// MS-SMB2 3.2.5.2 and 3.2.5.3.
func PreauthHash(prev [64]byte, msg []byte) [64]byte {
	h := sha512.New()
	h.Write(prev[:])
	h.Write(msg)
	var next [64]byte
	h.Sum(next[:0])
	return next
}
