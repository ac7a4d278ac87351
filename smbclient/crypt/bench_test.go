package crypt

import (
	"crypto/aes"
	"fmt"
	"testing"
)

// benchSizes are payloads: a read of one credit, and the largest of Windows.
var benchSizes = []int{64 << 10, 1 << 20}

func BenchmarkSign(b *testing.B) {
	for _, alg := range []struct {
		name string
		id   uint16
	}{{"HMAC", SigningHMACSHA256}, {"CMAC", SigningAESCMAC}, {"GMAC", SigningAESGMAC}} {
		for _, size := range append([]int{0}, benchSizes...) {
			b.Run(fmt.Sprintf("%s/%d", alg.name, size), func(b *testing.B) {
				s, err := NewSigner(alg.id, make([]byte, 16))
				if err != nil {
					b.Fatal(err)
				}
				head, tail := make([]byte, 112), [][]byte{make([]byte, size)}
				b.SetBytes(int64(len(head) + size))
				b.ReportAllocs()
				for b.Loop() {
					s.Sign(head, tail...)
				}
			})
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	for _, id := range allCiphers {
		for _, size := range benchSizes {
			b.Run(fmt.Sprintf("%d/%d", id, size), func(b *testing.B) {
				s, _ := newPair(b, id)
				head, parts := newHeader(size), [][]byte{make([]byte, 112), make([]byte, size)}
				dst := make([]byte, 0, size+112+SealSpace)
				b.SetBytes(int64(size + 112))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.Seal(dst, head, parts...); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, id := range allCiphers {
		for _, size := range benchSizes {
			b.Run(fmt.Sprintf("%d/%d", id, size), func(b *testing.B) {
				client, server := newPair(b, id)
				head := newHeader(size)
				sealed, err := client.Seal(nil, head, make([]byte, size))
				if err != nil {
					b.Fatal(err)
				}
				buf := make([]byte, size, size+SealSpace)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					copy(buf, sealed)
					if _, err := server.Open(head, buf); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkGMACCopy and BenchmarkGMACJoin are the two ways that gmacCopy
// chooses between.
func BenchmarkGMACCopy(b *testing.B) {
	benchGMAC(b, func(s *gmacSigner, st *gmacState, head, tail []byte) {
		st.head = append(append(st.head[:0], head...), tail...)
		s.tag(st, st.head)
	})
}

func BenchmarkGMACJoin(b *testing.B) {
	benchGMAC(b, func(s *gmacSigner, st *gmacState, head, tail []byte) {
		st.head = append(st.head[:0], head...)
		s.join(st, tail)
	})
}

func benchGMAC(b *testing.B, sign func(s *gmacSigner, st *gmacState, head, tail []byte)) {
	for _, size := range []int{4 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s, err := newGMACSigner(make([]byte, 16))
			if err != nil {
				b.Fatal(err)
			}
			st, head, tail := new(gmacState), make([]byte, 112), make([]byte, size)
			b.SetBytes(int64(size + 112))
			for b.Loop() {
				sign(s, st, head, tail)
			}
		})
	}
}

// BenchmarkCBCMAC compares the two ways to a CBC-MAC: CBC mode over scratch, as
// cbcMAC does it, and a call of Block.Encrypt for each block.
func BenchmarkCBCMAC(b *testing.B) {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 64<<10)
	b.Run("mode", func(b *testing.B) {
		m := newCBCMAC(block)
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			m.blocks(data)
		}
	})
	b.Run("block", func(b *testing.B) {
		x := make([]byte, blockSize)
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			for p := data; len(p) > 0; p = p[blockSize:] {
				for i := range x {
					x[i] ^= p[i]
				}
				block.Encrypt(x, x)
			}
		}
	})
}
