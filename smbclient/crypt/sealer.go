package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// Layout of the transform header. MS-SMB2 2.2.41.
const (
	// TransformHeaderSize is the size of SMB2 TRANSFORM_HEADER in bytes.
	TransformHeaderSize = 52

	tagOffset   = 4  // Signature
	nonceOffset = 20 // Nonce; the authenticated data starts here
	nonceField  = 16
	tagSize     = 16
)

// SealSpace is how much capacity beyond the message lets Seal and Open work
// without growing or copying it, in bytes.
const SealSpace = tagSize

var (
	// ErrOpen says that a message was not sealed by the peer or was changed.
	ErrOpen = errors.New("crypt: message does not authenticate")
	// ErrNonceExhausted says that the key has sealed all it may.
	ErrNonceExhausted = errors.New("crypt: nonces of the encryption key used up")
)

// Sealer encrypts the messages of one session and decrypts those that come
// back. MS-SMB2 3.1.4.3 and 3.2.5.1.1.
//
// The nonce of a message is a 64-bit counter, raised by one for each, then
// bytes that are random and fixed for the Sealer's life: it never repeats under
// one key while that key has one Sealer. The peer seals with another key.
type Sealer struct {
	enc, dec  cipher.AEAD
	nonceSize int
	counter   atomic.Uint64
	salt      [nonceField]byte // random in [8:nonceSize], else zero
	states    sync.Pool        // of *sealState
}

// sealState holds what would else escape to the heap with each message.
type sealState struct {
	nonce [nonceField]byte
	saved [tagSize]byte
}

// NewSealer returns the Sealer of a session: encKey for what it sends, decKey
// for what it receives, of 16 bytes, or of 32 for the AES-256 ciphers.
func NewSealer(cipherID uint16, encKey, decKey []byte) (*Sealer, error) {
	enc, err := newAEAD(cipherID, encKey)
	if err != nil {
		return nil, err
	}
	dec, err := newAEAD(cipherID, decKey)
	if err != nil {
		return nil, err
	}
	s := &Sealer{enc: enc, dec: dec, nonceSize: enc.NonceSize()}
	s.states.New = func() any { return new(sealState) }
	if _, err := rand.Read(s.salt[8:s.nonceSize]); err != nil {
		return nil, fmt.Errorf("crypt: nonce: %w", err)
	}
	return s, nil
}

func newAEAD(cipherID uint16, key []byte) (cipher.AEAD, error) {
	size := key128Size
	if cipherID == CipherAES256CCM || cipherID == CipherAES256GCM {
		size = key256Size
	}
	if len(key) != size {
		return nil, fmt.Errorf("crypt: key of %d bytes for cipher %#04x, not %d", len(key), cipherID, size)
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("crypt: cipher %#04x: %w", cipherID, err)
	}
	switch cipherID {
	case CipherAES128CCM, CipherAES256CCM:
		return newCCM(b, ccmNonceSize, tagSize), nil
	case CipherAES128GCM, CipherAES256GCM:
		return cipher.NewGCM(b)
	}
	return nil, fmt.Errorf("crypt: unknown cipher %#04x", cipherID)
}

// nextNonce fails once the counter has been through all its values.
func (s *Sealer) nextNonce() (n [nonceField]byte, err error) {
	c := s.counter.Load()
	for c != math.MaxUint64 && !s.counter.CompareAndSwap(c, c+1) {
		c = s.counter.Load()
	}
	if c == math.MaxUint64 {
		return n, ErrNonceExhausted
	}
	n = s.salt
	binary.LittleEndian.PutUint64(n[:], c)
	return n, nil
}

// Seal encrypts the message that parts make up one after the other, appends it
// to dst and returns that. It fills in Signature and Nonce of header (52 bytes,
// its other fields set by the caller, since they are authenticated).
//
// No part is written to unless it shares memory with dst: to seal a message
// where it stands pass its own msg[:0] as dst and msg as the only part. With
// SealSpace bytes of capacity to spare in dst nothing is allocated for it;
// what is stored there, beyond the message, is as it was after the call, but
// written to during it.
//
// Preconditions: len(header) == TransformHeaderSize.
func (s *Sealer) Seal(dst, header []byte, parts ...[]byte) ([]byte, error) {
	nonce, err := s.nextNonce()
	if err != nil {
		return nil, err
	}
	copy(header[nonceOffset:], nonce[:])
	start, size := len(dst), 0
	for _, p := range parts {
		size += len(p)
	}
	dst = slices.Grow(dst, size+tagSize)
	for _, p := range parts {
		dst = append(dst, p...)
	}
	st := s.states.Get().(*sealState)
	defer s.states.Put(st)
	st.nonce = nonce
	tag := dst[len(dst) : len(dst)+tagSize]
	copy(st.saved[:], tag)
	msg := dst[start:]
	s.enc.Seal(msg[:0], st.nonce[:s.nonceSize], msg, header[nonceOffset:TransformHeaderSize])
	copy(header[tagOffset:], tag)
	copy(tag, st.saved[:])
	return dst, nil
}

// Open checks and decrypts a received message where it stands and returns it;
// header is the transform header in front of it. On an error the message's
// bytes are lost. With SealSpace bytes of capacity beyond the message nothing
// is copied; what is stored there is as it was after the call, but written to
// during it.
func (s *Sealer) Open(header, msg []byte) ([]byte, error) {
	if len(header) != TransformHeaderSize {
		return nil, fmt.Errorf("%w: transform header of %d bytes", ErrOpen, len(header))
	}
	st := s.states.Get().(*sealState)
	defer s.states.Put(st)
	copy(st.nonce[:], header[nonceOffset:])
	size := len(msg)
	msg = slices.Grow(msg, tagSize)[:size+tagSize]
	copy(st.saved[:], msg[size:])
	copy(msg[size:], header[tagOffset:nonceOffset])
	out, err := s.dec.Open(msg[:0], st.nonce[:s.nonceSize], msg, header[nonceOffset:])
	copy(msg[size:], st.saved[:])
	if err != nil {
		return nil, ErrOpen
	}
	return out, nil
}

// Format prints a fixed word for every verb: keys stay out of logs.
func (s *Sealer) Format(f fmt.State, _ rune) { formatRedacted(f) }
