package wire

import (
	"errors"
	"testing"
)

func TestUTF16(t *testing.T) {
	for _, s := range []string{"", "a", "name.txt", "ü€", "𝄞 and 𝄢", "\x00", "\uFFFD", "\uD7FF\uE000\uFFFF", "\U00010000\U0010FFFF"} {
		enc := AppendUTF16(nil, s)
		if len(enc) != UTF16Len(s) {
			t.Errorf("%q: %d bytes, UTF16Len %d", s, len(enc), UTF16Len(s))
		}
		if got, err := DecodeUTF16(enc); err != nil || got != s {
			t.Errorf("%q comes back as %q, %v", s, got, err)
		}
	}
}

func TestDecodeUTF16Invalid(t *testing.T) {
	for _, c := range []struct {
		hex, want string
		offset    int
	}{
		{"00d8", "\uFFFD", 0},                   // high surrogate at the end
		{"610000d86200", "a\uFFFDb", 2},         // high surrogate, then a letter
		{"00dc", "\uFFFD", 0},                   // low surrogate
		{"00dc00d8", "\uFFFD\uFFFD", 0},         // the wrong way round
		{"00d800d800dc", "\uFFFD\U00010000", 0}, // high, then a pair
		{"610062", "a\uFFFD", 2},                // half a code unit
		{"00d800", "\uFFFD\uFFFD", 0},           // high surrogate and a half
	} {
		got, err := DecodeUTF16(unhex(c.hex))
		var bad *UTF16Error
		if !errors.As(err, &bad) || !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v", c.hex, err)
			continue
		}
		if got != c.want || bad.Offset != c.offset {
			t.Errorf("%s: %q at %d, want %q at %d", c.hex, got, bad.Offset, c.want, c.offset)
		}
	}
}

// A Go string need not be UTF-8. What cannot be said in UTF-16 is replaced, and the length still agrees.
func TestAppendUTF16OfOtherBytes(t *testing.T) {
	const s = "a\xFFb"
	enc := AppendUTF16(nil, s)
	if got, err := DecodeUTF16(enc); err != nil || got != "a\uFFFDb" || len(enc) != UTF16Len(s) {
		t.Errorf("%q, %v, %d bytes, UTF16Len %d", got, err, len(enc), UTF16Len(s))
	}
}

func FuzzDecodeUTF16(f *testing.F) {
	for _, s := range []string{"", "name", "𝄞"} {
		f.Add(AppendUTF16(nil, s))
	}
	f.Add(unhex("00d86100"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeUTF16(b)
		if err != nil {
			return
		}
		if enc := AppendUTF16(nil, s); string(enc) != string(b) || UTF16Len(s) != len(b) {
			t.Errorf("%x comes back as %x", b, enc)
		}
	})
}
