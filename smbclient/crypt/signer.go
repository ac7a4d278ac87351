package crypt

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"hash"
	"sync"
)

// Layout of the SMB2 header as far as signing needs it. MS-SMB2 2.2.1.
const (
	headerSize      = 64
	commandOffset   = 12
	flagsOffset     = 16
	messageIDOffset = 24
	signatureOffset = 48
	signatureSize   = 16
)

// Signer signs the messages of one session or channel and checks those that
// come back. A message is given in parts, in their order on the wire: the first
// holds at least the whole SMB2 header. Its Signature field is taken as zero,
// whatever it holds, and no part is written to.
//
// In a compounded chain each message is signed by itself, padding included.
// MS-SMB2 3.1.4.1.
//
// The parts after the first are variadic: a caller that passes a slice of its
// own (tail...) allocates nothing.
type Signer interface {
	// Sign returns the signature of a message.
	// Preconditions: len(msg) >= 64.
	Sign(msg []byte, tail ...[]byte) [16]byte

	// Verify reports whether the Signature field is right. A first part that
	// is shorter than a header is never right. MS-SMB2 3.1.5.1.
	Verify(msg []byte, tail ...[]byte) bool
}

// NewSigner returns the Signer of a session's SigningKey (16 bytes).
func NewSigner(alg uint16, key []byte) (Signer, error) {
	if len(key) != sessionKeySize {
		return nil, fmt.Errorf("crypt: signing key of %d bytes, not %d", len(key), sessionKeySize)
	}
	switch alg {
	case SigningHMACSHA256:
		return newHMACSigner(key), nil
	case SigningAESCMAC:
		return newCMACSigner(key)
	case SigningAESGMAC:
		return newGMACSigner(key)
	}
	return nil, fmt.Errorf("crypt: unknown signing algorithm %#04x", alg)
}

var zeroSignature [signatureSize]byte

// verify compares the Signature field with what s computes.
func verify(s Signer, msg []byte, tail [][]byte) bool {
	if len(msg) < headerSize {
		return false
	}
	want := s.Sign(msg, tail...)
	return subtle.ConstantTimeCompare(want[:], msg[signatureOffset:headerSize]) == 1
}

// hmacSigner is HMAC-SHA256 cut to 16 bytes. MS-SMB2 3.1.4.1.
type hmacSigner struct{ states sync.Pool }

// hmacState keeps the sum beside the hash, for a slice of it that does not
// escape anew with every message.
type hmacState struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func newHMACSigner(key []byte) *hmacSigner {
	key = append([]byte(nil), key...)
	return &hmacSigner{states: sync.Pool{New: func() any {
		return &hmacState{mac: hmac.New(sha256.New, key)}
	}}}
}

func (s *hmacSigner) Sign(msg []byte, tail ...[]byte) [16]byte {
	st := s.states.Get().(*hmacState)
	defer s.states.Put(st)
	st.mac.Reset()
	st.mac.Write(msg[:signatureOffset])
	st.mac.Write(zeroSignature[:])
	st.mac.Write(msg[headerSize:])
	for _, p := range tail {
		st.mac.Write(p)
	}
	return [16]byte(st.mac.Sum(st.sum[:0]))
}

func (s *hmacSigner) Verify(msg []byte, tail ...[]byte) bool { return verify(s, msg, tail) }

func (s *hmacSigner) Format(f fmt.State, _ rune) { formatRedacted(f) }
