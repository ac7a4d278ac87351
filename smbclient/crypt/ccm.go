package crypt

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"sync"
)

// ccmNonceSize is the size of AES_CCM_Nonce. MS-SMB2 2.2.41.
const ccmNonceSize = 11

// ccmMaxAAD is below what RFC 3610 2.2 codes in two bytes.
const ccmMaxAAD = 0xFEFF

// ccm is counter with CBC-MAC. RFC 3610. It implements cipher.AEAD as far as
// Sealer needs it: dst is where plaintext is, and has room for the tag.
//
// Seal and Open go through the message once, a piece at a time for both the MAC
// and the cipher, so that the second of them finds the piece in the cache.
type ccm struct {
	block     cipher.Block
	nonceSize int
	tagSize   int       // 16 in SMB; others serve the published examples
	states    sync.Pool // of *ccmState
}

type ccmState struct {
	mac    *cbcMAC
	block  [blockSize]byte
	stream [blockSize]byte // S_0, which masks the tag
}

func newCCM(b cipher.Block, nonceSize, tagSize int) *ccm {
	return &ccm{
		block:     b,
		nonceSize: nonceSize,
		tagSize:   tagSize,
		states:    sync.Pool{New: func() any { return &ccmState{mac: newCBCMAC(b)} }},
	}
}

func (c *ccm) NonceSize() int { return c.nonceSize }

func (c *ccm) Overhead() int { return c.tagSize }

// Seal encrypts plaintext in place and appends the tag.
func (c *ccm) Seal(dst, nonce, plaintext, aad []byte) []byte {
	st := c.states.Get().(*ccmState)
	defer c.states.Put(st)
	dst = append(dst, plaintext...)
	stream := c.start(st, nonce, aad, len(dst))
	for p := dst; len(p) > 0; {
		n := min(len(p), scratchSize)
		st.mac.write(p[:n])
		stream.XORKeyStream(p[:n], p[:n])
		p = p[n:]
	}
	tag := c.finish(st)
	return append(dst, tag[:c.tagSize]...)
}

// Open decrypts in place, then checks the tag; on failure it wipes what it
// decrypted.
func (c *ccm) Open(dst, nonce, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < c.tagSize {
		return nil, ErrOpen
	}
	st := c.states.Get().(*ccmState)
	defer c.states.Put(st)
	size := len(sealed) - c.tagSize
	want := sealed[size:]
	dst = append(dst, sealed[:size]...)
	stream := c.start(st, nonce, aad, size)
	for p := dst; len(p) > 0; {
		n := min(len(p), scratchSize)
		stream.XORKeyStream(p[:n], p[:n])
		st.mac.write(p[:n])
		p = p[n:]
	}
	tag := c.finish(st)
	if subtle.ConstantTimeCompare(tag[:c.tagSize], want) != 1 {
		clear(dst)
		return nil, ErrOpen
	}
	return dst, nil
}

// start gives the MAC its first blocks and returns the key stream for the
// message. RFC 3610 2.2 and 2.3.
func (c *ccm) start(st *ccmState, nonce, aad []byte, size int) cipher.Stream {
	if len(nonce) != c.nonceSize || len(aad) > ccmMaxAAD {
		panic("crypt: CCM: nonce or additional data out of bounds")
	}
	lenSize := blockSize - 1 - c.nonceSize
	st.mac.reset()
	st.block[0] = byte(lenSize-1) | byte((c.tagSize-2)/2<<3)
	if len(aad) > 0 {
		st.block[0] |= 1 << 6
	}
	ccmBlock(&st.block, nonce, uint64(size))
	st.mac.write(st.block[:])
	if len(aad) > 0 {
		binary.BigEndian.PutUint16(st.block[:], uint16(len(aad)))
		st.mac.write(st.block[:2])
		st.mac.write(aad)
		st.mac.pad()
	}
	st.block[0] = byte(lenSize - 1)
	ccmBlock(&st.block, nonce, 0)
	stream := cipher.NewCTR(c.block, st.block[:])
	clear(st.stream[:])
	stream.XORKeyStream(st.stream[:], st.stream[:])
	return stream
}

// ccmBlock fills a block behind its flags byte: nonce, then n in what is left.
func ccmBlock(b *[blockSize]byte, nonce []byte, n uint64) {
	binary.BigEndian.PutUint64(b[8:], n)
	copy(b[1:], nonce)
}

// finish returns the tag.
func (c *ccm) finish(st *ccmState) (tag [blockSize]byte) {
	st.mac.pad()
	subtle.XORBytes(tag[:], st.mac.last[:], st.stream[:])
	return tag
}
