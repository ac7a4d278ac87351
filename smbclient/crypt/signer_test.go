package crypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// TestSignPublished checks the signatures of the SESSION_SETUP messages in the
// 3.1.1 example of the article that blogHash is from: its final responses, and
// the request and interim response that the master session's key signs on the
// second channel.
func TestSignPublished(t *testing.T) {
	for _, tt := range []struct{ name, key, msg string }{
		{"first channel, response", "73FE7A9A77BEF0BDE49C650D8CCB5F76", `
			FE534D4240000100000000000100800009000000000000000300000000000000FFFE000000000000
			1900000000100000EBE146DA120BA25FC3376A49DFE31BC10900000048001D00A11B3019A0030A01
			00A3120410010000003B453CDC3524164200000000`},
		{"second channel, response", "C962BCA1A9DD1697B030644199705431", `
			FE534D4240000100000000000100800009000000000000000300000000000000FFFE000000000000
			19000000001000008D604217FFBACF40635BF9D8729921500900000048001D00A11B3019A0030A01
			00A312041001000000CFB046FC5D368E2200000000`},
		{"second channel, request", "73FE7A9A77BEF0BDE49C650D8CCB5F76", `
			FE534D4240000100000000000100800008000000000000000200000000000000FFFE000000000000
			190000000010000068BD0C58F613CE1334B1EB51C68D39EA19000101010000000000000058004A00
			0000000000000000604806062B0601050502A03E303CA00E300C060A2B06010401823702020AA22A
			04284E544C4D5353500001000000978208E200000000000000000000000000000000060380250000
			000F`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := NewSigner(SigningAESCMAC, unhex(t, tt.key))
			if err != nil {
				t.Fatal(err)
			}
			msg := unhex(t, tt.msg)
			if !s.Verify(msg) || !s.Verify(msg[:headerSize], msg[headerSize:]) {
				t.Errorf("signature %x, computed %x", msg[48:64], s.Sign(msg))
			}
		})
	}
}

// TestCMACPublished is RFC 4493 section 4.
func TestCMACPublished(t *testing.T) {
	s, err := newCMACSigner(unhex(t, "2b7e151628aed2a6abf7158809cf4f3c"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "K1", s.k1[:], unhex(t, "fbeed618357133667c85e08f7236a8de"))
	equal(t, "K2", s.k2[:], unhex(t, "f7ddac306ae266ccf90bc11ee46d513b"))
	msg := unhex(t, `6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51
		30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710`)
	for n, want := range map[int]string{
		0:  "bb1d6929e95937287fa37d129b756746",
		16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827",
		64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		for _, step := range []int{1, 7, 16, 64} {
			m := s.states.Get().(*cbcMAC)
			m.reset()
			for at := 0; at < n; at += step {
				m.write(msg[at:min(at+step, n)])
			}
			got := s.finish(m)
			equal(t, fmt.Sprintf("CMAC of %d bytes by %d", n, step), got[:], unhex(t, want))
		}
	}
}

// TestGMACPublished is IEEE 802.1AE-2006 C.1.1, and a case of the NIST CAVP's
// gcmEncryptExtIV128.rsp with no plaintext (PTlen = 0, AADlen = 128).
func TestGMACPublished(t *testing.T) {
	for _, tt := range []struct{ key, nonce, aad, tag string }{
		{"AD7A2BD03EAC835A6F620FDCB506B345", "12153524C0895E81B2C28465",
			`D609B1F056637A0D46DF998D88E5222AB2C2846512153524C0895E8108000F10
			1112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F30313233340001`,
			"F09478A9B09007D06F46E9B6A1DA25DD"},
		{"77be63708971c4e240d1cb79e8d77feb", "e0e00f19fed7ba0136a797f3",
			"7a43ec1d9c0a5a78a0b16533a6213cab", "209fcc8d3675ed938e9c7166709dd946"},
	} {
		s, err := newGMACSigner(unhex(t, tt.key))
		if err != nil {
			t.Fatal(err)
		}
		st := &gmacState{nonce: [gcmNonceSize]byte(unhex(t, tt.nonce))}
		aad := unhex(t, tt.aad)
		got := s.tag(st, aad)
		equal(t, "tag", got[:], unhex(t, tt.tag))
		for n := 0; n < len(aad); n += blockSize {
			st.head = aad[:n]
			got := s.join(st, aad[n:])
			equal(t, fmt.Sprintf("tag joined at %d", n), got[:], unhex(t, tt.tag))
		}
	}
}

// TestGMACNonce is the layout of MS-SMB2 3.1.4.1.
func TestGMACNonce(t *testing.T) {
	for _, tt := range []struct {
		command uint16
		flags   uint32
		want    byte
	}{
		{0x0009, 0x08, 0}, {0x0009, 0x09, 1}, {commandCancel, 0x08, 2}, {commandCancel, 0x0B, 3},
	} {
		msg := make([]byte, headerSize)
		binary.LittleEndian.PutUint16(msg[12:], tt.command)
		binary.LittleEndian.PutUint32(msg[16:], tt.flags)
		binary.LittleEndian.PutUint64(msg[24:], 0x0102030405060708)
		want := []byte{8, 7, 6, 5, 4, 3, 2, 1, tt.want, 0, 0, 0}
		got := gmacNonce(msg)
		equal(t, fmt.Sprintf("nonce of %+v", tt), got[:], want)
	}
}

// reference signs as the specification is written: one buffer, one call.
func reference(t *testing.T, alg uint16, key, msg []byte) []byte {
	t.Helper()
	msg = bytes.Clone(msg)
	clear(msg[48:64])
	switch alg {
	case SigningHMACSHA256:
		h := hmac.New(sha256.New, key)
		h.Write(msg)
		return h.Sum(nil)[:16]
	case SigningAESCMAC:
		return referenceCMAC(t, key, msg)
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	g, err := cipher.NewGCM(b)
	if err != nil {
		t.Fatal(err)
	}
	nonce := gmacNonce(msg)
	return g.Seal(nil, nonce[:], nil, msg)
}

// referenceCMAC is RFC 4493 2.4 block by block.
func referenceCMAC(t *testing.T, key, msg []byte) []byte {
	t.Helper()
	b, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	k1, k2 := cmacSubkeys(b)
	mask := k1
	if len(msg)%blockSize != 0 {
		mask = k2
		msg = append(msg, 0x80)
		for len(msg)%blockSize != 0 {
			msg = append(msg, 0)
		}
	}
	x := make([]byte, blockSize)
	for at := 0; at < len(msg); at += blockSize {
		for i := range x {
			x[i] ^= msg[at+i]
			if at+blockSize == len(msg) {
				x[i] ^= mask[i]
			}
		}
		b.Encrypt(x, x)
	}
	return x
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestSignVectored signs messages of many sizes in every kind of part, compares
// with the reference, and sees every flipped bit of a few.
func TestSignVectored(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	key := randomBytes(r, 16)
	for alg := SigningHMACSHA256; alg <= SigningAESGMAC; alg++ {
		s, err := NewSigner(alg, key)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{64, 65, 79, 80, 81, 112, 4096, 4160, 65536 + 112, 262144 + 112, 262144 + 117, 600001} {
			msg := randomBytes(r, size)
			before := bytes.Clone(msg)
			want := reference(t, alg, key, msg)
			for _, cuts := range [][]int{{}, {64}, {80}, {112}, {65, 66}, {64, 64, 100}, {64, size - 1}, {size}} {
				parts, at := [][]byte{}, 0
				for _, c := range append(cuts, size) {
					c = max(at, min(c, size))
					parts = append(parts, msg[at:c])
					at = c
				}
				got := s.Sign(parts[0], parts[1:]...)
				equal(t, fmt.Sprintf("algorithm %d, %d bytes cut at %v", alg, size, cuts), got[:], want)
			}
			equal(t, "message after signing", msg, before)
			copy(msg[48:], want)
			if !s.Verify(msg[:64], msg[64:]) {
				t.Errorf("algorithm %d: own signature of %d bytes refused", alg, size)
			}
			msg[r.IntN(size)] ^= 1 << r.IntN(8)
			if s.Verify(msg[:64], msg[64:]) {
				t.Errorf("algorithm %d: changed message of %d bytes accepted", alg, size)
			}
		}
		if s.Verify(make([]byte, 63), make([]byte, 64)) {
			t.Errorf("algorithm %d: short header accepted", alg)
		}
	}
}

func TestSignConcurrently(t *testing.T) {
	key := []byte("0123456789abcdef")
	for alg := SigningHMACSHA256; alg <= SigningAESGMAC; alg++ {
		s, err := NewSigner(alg, key)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(g), 3))
				for range 8 {
					msg := randomBytes(r, 64+r.IntN(400000))
					got := s.Sign(msg[:64], msg[64:])
					if want := reference(t, alg, key, msg); !bytes.Equal(got[:], want) {
						t.Errorf("algorithm %d: %x, want %x", alg, got, want)
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestNewSignerRefuses(t *testing.T) {
	if _, err := NewSigner(3, make([]byte, 16)); err == nil {
		t.Error("unknown algorithm accepted")
	}
	for alg := SigningHMACSHA256; alg <= SigningAESGMAC; alg++ {
		if _, err := NewSigner(alg, make([]byte, 15)); err == nil {
			t.Errorf("algorithm %d: short key accepted", alg)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(uint16(0), make([]byte, 64), []byte("tail"))
	f.Add(uint16(1), make([]byte, 63), []byte(nil))
	f.Add(uint16(2), bytes.Repeat([]byte{0xff}, 80), make([]byte, gmacCopy+3))
	f.Fuzz(func(t *testing.T, alg uint16, msg, tail []byte) {
		s, err := NewSigner(alg%3, []byte("0123456789abcdef"))
		if err != nil {
			t.Fatal(err)
		}
		if s.Verify(msg, tail) && len(msg) < headerSize {
			t.Error("short header accepted")
		}
		if len(msg) < headerSize {
			return
		}
		sig := s.Sign(msg, tail)
		whole := append(bytes.Clone(msg), tail...)
		copy(whole[48:], sig[:])
		if !s.Verify(whole) {
			t.Error("signature depends on where the parts end")
		}
	})
}
