package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"sync"
)

// SMB2 header values that enter the nonce. MS-SMB2 2.2.1.2.
const (
	commandCancel   = 0x000C
	flagServerToRdr = 0x00000001
)

// Bits of the nonce's last four bytes. MS-SMB2 3.1.4.1.
const (
	nonceFromServer = 1 << 0
	nonceCancel     = 1 << 1
)

const gcmNonceSize = 12

// gmacCopy is how large a last part is before it is worth more than a copy, in
// bytes: joining two hashes costs as much as copying some 256 KiB (see
// BenchmarkGMACJoin and BenchmarkGMACCopy).
const gmacCopy = 256 << 10

// gmacSigner is AES-128-GMAC: GCM with the message as additional data and
// nothing to encrypt. RFC 4543, MS-SMB2 3.1.4.1.
//
// The library wants additional data in one piece, and a message is in two: head
// and payload. All but a large last part is gathered in a buffer; then both are
// hashed where they are and the hashes are joined. GHASH is a polynomial in H,
// so that of head and payload one after the other is
//
//	GHASH(head) * H^(blocks of payload) + GHASH(payload)
//
// if head is whole blocks, which bytes borrowed from the payload make it.
type gmacSigner struct {
	aead   cipher.AEAD
	block  cipher.Block
	h      element   // the hash key
	states sync.Pool // of *gmacState
}

type gmacState struct {
	nonce [gcmNonceSize]byte
	tag   [blockSize]byte
	first [blockSize]byte // the first counter block
	head  []byte          // at most what gather allows beyond a header
}

func newGMACSigner(key []byte) (*gmacSigner, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("crypt: GMAC: %w", err)
	}
	aead, err := cipher.NewGCM(b)
	if err != nil {
		return nil, fmt.Errorf("crypt: GMAC: %w", err)
	}
	var h [blockSize]byte
	b.Encrypt(h[:], h[:])
	s := &gmacSigner{aead: aead, block: b, h: elementOf(h[:])}
	s.states.New = func() any { return new(gmacState) }
	return s, nil
}

func (s *gmacSigner) Sign(msg []byte, tail ...[]byte) [16]byte {
	st := s.states.Get().(*gmacState)
	defer s.states.Put(st)
	st.nonce = gmacNonce(msg)
	last := st.gather(msg, tail)
	if len(last) == 0 {
		return s.tag(st, st.head)
	}
	return s.join(st, last)
}

// gather copies the message, with a zero signature, into st.head: all of it, or
// all but whole blocks and what follows them in a last part that is large. It
// returns what it did not copy.
func (st *gmacState) gather(msg []byte, tail [][]byte) (last []byte) {
	head := append(st.head[:0], msg[:signatureOffset]...)
	head = append(head, zeroSignature[:]...)
	last = msg[headerSize:]
	for _, p := range tail {
		head = append(head, last...)
		last = p
	}
	n := len(last)
	if n >= gmacCopy {
		n = -len(head) & (blockSize - 1)
	}
	st.head = append(head, last[:n]...)
	return last[n:]
}

// tag is the GMAC of one piece under st's nonce.
func (s *gmacSigner) tag(st *gmacState, p []byte) [blockSize]byte {
	return [blockSize]byte(s.aead.Seal(st.tag[:0], st.nonce[:], nil, p))
}

// join returns the GMAC of st.head, which is whole blocks, and last. With L for
// the block that GCM ends its hash with, a tag is
//
//	GHASH(piece)*H + L*H + E(first counter block)
//
// under which the same nonce serves for the tags of both pieces: they are
// intermediate values that never leave here.
func (s *gmacSigner) join(st *gmacState, last []byte) [blockSize]byte {
	copy(st.first[:], st.nonce[:])
	binary.BigEndian.PutUint32(st.first[gcmNonceSize:], 1)
	s.block.Encrypt(st.first[:], st.first[:])

	headTag, lastTag := s.tag(st, st.head), s.tag(st, last)
	headLen, lastLen := lengthBlock(len(st.head)), lengthBlock(len(last))
	head := elementOf(headTag[:]).add(elementOf(st.first[:])).add(headLen.mul(s.h))
	blocks := (len(last) + blockSize - 1) / blockSize
	total := lengthBlock(len(st.head) + len(last))
	return head.mul(s.h.pow(uint64(blocks))).
		add(elementOf(lastTag[:])).
		add(lastLen.add(total).mul(s.h)).bytes()
}

// lengthBlock is the last block of GCM's hash: n bytes of additional data, none
// encrypted. SP800-38D 7.1.
func lengthBlock(n int) element { return element{hi: uint64(n) * 8} }

// gmacNonce is made from the header alone: MessageId, then who sends, and
// whether it is a CANCEL, which shares the MessageId of what it cancels.
func gmacNonce(msg []byte) (n [gcmNonceSize]byte) {
	copy(n[:], msg[messageIDOffset:messageIDOffset+8])
	bits := uint32(0)
	if binary.LittleEndian.Uint32(msg[flagsOffset:])&flagServerToRdr != 0 {
		bits |= nonceFromServer
	}
	if binary.LittleEndian.Uint16(msg[commandOffset:]) == commandCancel {
		bits |= nonceCancel
	}
	binary.LittleEndian.PutUint32(n[8:], bits)
	return n
}

func (s *gmacSigner) Verify(msg []byte, tail ...[]byte) bool { return verify(s, msg, tail) }

func (s *gmacSigner) Format(f fmt.State, _ rune) { formatRedacted(f) }
