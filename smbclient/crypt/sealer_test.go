package crypt

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
)

// TestSealPublished checks the messages that Microsoft's articles "Encryption
// in SMB 3.0: A protocol perspective" (section Test vector, AES-128-CCM) and
// "SMB 3.1.1 Encryption in Windows 10" (appendix A.1, AES-128-GCM) give with
// keys, nonces, and both forms of each.
func TestSealPublished(t *testing.T) {
	for _, tt := range publishedSeals {
		t.Run(tt.name, func(t *testing.T) {
			key := unhex(t, tt.key)
			plain, sealed := unhex(t, tt.plain), unhex(t, tt.sealed)
			s, err := NewSealer(tt.cipher, key, key)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Open(sealed[:TransformHeaderSize], bytes.Clone(sealed[TransformHeaderSize:]))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "opened", got, plain)
			// Sealed again under the published nonce, past our own choice of one.
			nonce, aad := sealed[nonceOffset:nonceOffset+s.nonceSize], sealed[nonceOffset:TransformHeaderSize]
			msg := append(make([]byte, 0, len(plain)+tagSize), plain...)
			again := s.enc.Seal(msg[:0], nonce, msg, aad)
			equal(t, "sealed", again[:len(plain)], sealed[TransformHeaderSize:])
			equal(t, "signature", again[len(plain):], sealed[tagOffset:nonceOffset])
		})
	}
}

// TestCCMPublished is RFC 3610 section 8, packet vector 1, and the examples 1
// to 3 of NIST SP800-38C appendix C.
func TestCCMPublished(t *testing.T) {
	for _, tt := range []struct {
		name, key, nonce, aad, plain, sealed string
		tagSize                              int
	}{
		{"RFC 3610 packet vector 1", "C0C1C2C3C4C5C6C7C8C9CACBCCCDCECF", "00000003020100A0A1A2A3A4A5",
			"0001020304050607", "08090A0B0C0D0E0F101112131415161718191A1B1C1D1E",
			"588C979A61C663D2F066D0C2C0F989806D5F6B61DAC38417E8D12CFDF926E0", 8},
		{"SP800-38C example 1", "404142434445464748494a4b4c4d4e4f", "10111213141516",
			"0001020304050607", "20212223", "7162015b4dac255d", 4},
		{"SP800-38C example 2", "404142434445464748494a4b4c4d4e4f", "1011121314151617",
			"000102030405060708090a0b0c0d0e0f", "202122232425262728292a2b2c2d2e2f",
			"d2a1f0e051ea5f62081a7792073d593d1fc64fbfaccd", 6},
		{"SP800-38C example 3", "404142434445464748494a4b4c4d4e4f", "101112131415161718191a1b",
			"000102030405060708090a0b0c0d0e0f10111213",
			"202122232425262728292a2b2c2d2e2f3031323334353637",
			"e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951", 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := aes.NewCipher(unhex(t, tt.key))
			if err != nil {
				t.Fatal(err)
			}
			nonce, aad, plain := unhex(t, tt.nonce), unhex(t, tt.aad), unhex(t, tt.plain)
			c := newCCM(b, len(nonce), tt.tagSize)
			sealed := c.Seal(nil, nonce, plain, aad)
			equal(t, "sealed", sealed, unhex(t, tt.sealed))
			opened, err := c.Open(nil, nonce, sealed, aad)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "opened", opened, plain)
		})
	}
}

var allCiphers = []uint16{CipherAES128CCM, CipherAES128GCM, CipherAES256CCM, CipherAES256GCM}

// newPair returns the Sealers of a client and of its server.
func newPair(t testing.TB, cipherID uint16) (client, server *Sealer) {
	t.Helper()
	size := key128Size
	if cipherID >= CipherAES256CCM {
		size = key256Size
	}
	up, down := bytes.Repeat([]byte{1}, size), bytes.Repeat([]byte{2}, size)
	client, err := NewSealer(cipherID, up, down)
	if err != nil {
		t.Fatal(err)
	}
	if server, err = NewSealer(cipherID, down, up); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func newHeader(size int) []byte {
	h := make([]byte, TransformHeaderSize)
	copy(h, "\xfdSMB")
	binary.LittleEndian.PutUint32(h[36:], uint32(size))
	h[42] = 1
	return h
}

// TestSealOpen goes there and back with messages in every kind of part.
func TestSealOpen(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	for _, id := range allCiphers {
		client, server := newPair(t, id)
		for _, size := range []int{0, 1, 15, 16, 17, 64, 4095, 4096, 4097, 100000} {
			msg := randomBytes(r, size)
			head := newHeader(size)
			cut := size / 3
			sealed, err := client.Seal([]byte("ahead"), head, msg[:cut], nil, msg[cut:])
			if err != nil {
				t.Fatal(err)
			}
			if string(sealed[:5]) != "ahead" || len(sealed) != 5+size {
				t.Fatalf("cipher %d: %d bytes became %d", id, size, len(sealed)-5)
			}
			if size >= 16 && bytes.Contains(sealed, msg[:16]) {
				t.Fatalf("cipher %d: message sent in clear", id)
			}
			got, err := server.Open(head, sealed[5:])
			if err != nil {
				t.Fatalf("cipher %d, %d bytes: %v", id, size, err)
			}
			equal(t, fmt.Sprintf("cipher %d, %d bytes", id, size), got, msg)
		}
	}
}

// TestSealInPlace shows that neighbours in the same buffer are left alone and
// that nothing moves.
func TestSealInPlace(t *testing.T) {
	for _, id := range allCiphers {
		client, server := newPair(t, id)
		buf := []byte("before|the message itself|behind it is something else")
		want := bytes.Clone(buf)
		msg := buf[7:25]
		head := newHeader(len(msg))
		sealed, err := client.Seal(msg[:0], head, msg)
		if err != nil {
			t.Fatal(err)
		}
		if &sealed[0] != &buf[7] || bytes.Equal(sealed, want[7:25]) {
			t.Fatalf("cipher %d: not sealed in place", id)
		}
		equal(t, "behind the sealed message", buf[25:], want[25:])
		opened, err := server.Open(head, sealed)
		if err != nil {
			t.Fatal(err)
		}
		if &opened[0] != &buf[7] {
			t.Fatalf("cipher %d: not opened in place", id)
		}
		equal(t, "buffer", buf, want)
	}
}

// TestOpenRefuses flips each bit of header and message, but for ProtocolId,
// which nothing authenticates.
func TestOpenRefuses(t *testing.T) {
	for _, id := range allCiphers {
		client, server := newPair(t, id)
		head := newHeader(20)
		sealed, err := client.Seal(nil, head, make([]byte, 20))
		if err != nil {
			t.Fatal(err)
		}
		for bit := tagOffset * 8; bit < (TransformHeaderSize+20)*8; bit++ {
			wire := append(bytes.Clone(head), sealed...)
			wire[bit/8] ^= 1 << (bit % 8)
			_, err := server.Open(wire[:TransformHeaderSize], wire[TransformHeaderSize:])
			if !errors.Is(err, ErrOpen) {
				t.Errorf("cipher %d: bit %d changed: %v", id, bit, err)
			}
		}
		if _, err := server.Open(head[:51], bytes.Clone(sealed)); !errors.Is(err, ErrOpen) {
			t.Errorf("cipher %d: short header: %v", id, err)
		}
		if _, err := client.Open(head, bytes.Clone(sealed)); !errors.Is(err, ErrOpen) {
			t.Errorf("cipher %d: own message sent back: %v", id, err)
		}
		if _, err := server.Open(head, bytes.Clone(sealed)); err != nil {
			t.Errorf("cipher %d: unchanged: %v", id, err)
		}
	}
}

// TestNonces shows that nonces differ, use their bytes and no others, and end.
func TestNonces(t *testing.T) {
	for _, id := range allCiphers {
		s, _ := newPair(t, id)
		var mu sync.Mutex
		seen := map[string]bool{}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 500 {
					head := newHeader(1)
					if _, err := s.Seal(nil, head, []byte{0}); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					seen[string(head[nonceOffset:nonceOffset+s.nonceSize])] = true
					mu.Unlock()
					if !bytes.Equal(head[nonceOffset+s.nonceSize:36], make([]byte, nonceField-s.nonceSize)) {
						t.Errorf("cipher %d: nonce % x", id, head[nonceOffset:36])
					}
				}
			})
		}
		wg.Wait()
		if len(seen) != 2000 {
			t.Errorf("cipher %d: %d nonces for 2000 messages", id, len(seen))
		}
		s.counter.Store(math.MaxUint64 - 1)
		if _, err := s.Seal(nil, newHeader(1), []byte{0}); err != nil {
			t.Errorf("cipher %d: last nonce: %v", id, err)
		}
		for range 2 {
			if _, err := s.Seal(nil, newHeader(1), []byte{0}); !errors.Is(err, ErrNonceExhausted) {
				t.Errorf("cipher %d: past the last nonce: %v", id, err)
			}
		}
	}
}

func TestNewSealerRefuses(t *testing.T) {
	k16, k32 := make([]byte, 16), make([]byte, 32)
	for _, tt := range []struct {
		id       uint16
		enc, dec []byte
	}{{0, k16, k16}, {5, k16, k16}, {CipherAES128GCM, k32, k32}, {CipherAES256GCM, k16, k16},
		{CipherAES128CCM, nil, k16}, {CipherAES256CCM, k32, k16}} {
		if _, err := NewSealer(tt.id, tt.enc, tt.dec); err == nil {
			t.Errorf("cipher %d with keys of %d and %d bytes accepted", tt.id, len(tt.enc), len(tt.dec))
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, id := range allCiphers {
		f.Add(id, newHeader(3), []byte("abc"))
		f.Add(id, make([]byte, 51), []byte(nil))
	}
	f.Fuzz(func(t *testing.T, id uint16, head, msg []byte) {
		_, server := newPair(t, id%4+1)
		if got, err := server.Open(head, bytes.Clone(msg)); err == nil {
			t.Errorf("opened %x with header %x as %x", msg, head, got)
		}
	})
}
