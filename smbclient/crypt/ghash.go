package crypt

import "encoding/binary"

// element is an element of GF(2^128) with GCM's order of bits: the coefficient
// of x^0 is the top bit of hi. SP800-38D 6.3.
type element struct{ hi, lo uint64 }

func elementOf(b []byte) element {
	return element{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func (a element) bytes() (b [blockSize]byte) {
	binary.BigEndian.PutUint64(b[:], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return b
}

func (a element) add(b element) element { return element{a.hi ^ b.hi, a.lo ^ b.lo} }

// mul is SP800-38D 6.3, algorithm 1, with masks in place of branches, since H
// is secret. It takes well under a microsecond and is called a few dozen times
// for a large message, never per block.
func (a element) mul(b element) (z element) {
	for _, word := range [2]uint64{a.hi, a.lo} {
		for i := 63; i >= 0; i-- {
			bit := -(word >> i & 1)
			z.hi ^= b.hi & bit
			z.lo ^= b.lo & bit
			carry := -(b.lo & 1)
			b.lo = b.lo>>1 | b.hi<<63
			b.hi = b.hi>>1 ^ 0xe1<<56&carry
		}
	}
	return z
}

// pow is a^n; n is a number of blocks and no secret.
func (a element) pow(n uint64) element {
	z := element{hi: 1 << 63}
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			z = z.mul(a)
		}
		a = a.mul(a)
	}
	return z
}
