package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"fmt"
	"sync"
)

// cmacSigner is AES-128-CMAC. RFC 4493.
type cmacSigner struct {
	k1, k2 [blockSize]byte // RFC 4493 2.3
	states sync.Pool       // of *cbcMAC
}

func newCMACSigner(key []byte) (*cmacSigner, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("crypt: CMAC: %w", err)
	}
	s := &cmacSigner{states: sync.Pool{New: func() any { return newCBCMAC(b) }}}
	s.k1, s.k2 = cmacSubkeys(b)
	return s, nil
}

// cmacSubkeys is Generate_Subkey of RFC 4493 2.3.
func cmacSubkeys(b cipher.Block) (k1, k2 [blockSize]byte) {
	b.Encrypt(k1[:], k1[:])
	k1 = double(k1)
	return k1, double(k1)
}

// double multiplies by x in GF(2^128) with CMAC's order of bits.
func double(in [blockSize]byte) (out [blockSize]byte) {
	carry := byte(0)
	for i := blockSize - 1; i >= 0; i-- {
		out[i] = in[i]<<1 | carry
		carry = in[i] >> 7
	}
	out[blockSize-1] ^= 0x87 & -carry
	return out
}

func (s *cmacSigner) Sign(msg []byte, tail ...[]byte) [16]byte {
	m := s.states.Get().(*cbcMAC)
	defer s.states.Put(m)
	m.reset()
	m.write(msg[:signatureOffset])
	m.write(zeroSignature[:])
	m.write(msg[headerSize:])
	for _, p := range tail {
		m.write(p)
	}
	return s.finish(m)
}

// finish takes the last block, masked by a subkey. RFC 4493 2.4.
func (s *cmacSigner) finish(m *cbcMAC) [16]byte {
	mask := &s.k1
	if m.partLen < blockSize {
		mask = &s.k2
		clear(m.part[m.partLen:])
		m.part[m.partLen] = 0x80
	}
	subtle.XORBytes(m.part[:], m.part[:], mask[:])
	m.blocks(m.part[:])
	return m.last
}

func (s *cmacSigner) Verify(msg []byte, tail ...[]byte) bool { return verify(s, msg, tail) }

func (s *cmacSigner) Format(f fmt.State, _ rune) { formatRedacted(f) }
