package wire

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// UTF16Error says that a string from the wire is not UTF-16LE: an unpaired surrogate, or half a code unit.
// It matches ErrMalformed.
type UTF16Error struct {
	Offset int // of the offending code unit, in bytes
}

func (e *UTF16Error) Error() string { return fmt.Sprintf("invalid UTF-16 at byte %d", e.Offset) }

// Unwrap makes errors.Is(err, ErrMalformed) true.
func (e *UTF16Error) Unwrap() error { return ErrMalformed }

// AppendUTF16 appends s as UTF-16LE, without a terminator. Bytes of s that are not UTF-8 become U+FFFD.
func AppendUTF16(b []byte, s string) []byte {
	for _, r := range s {
		if r < 0x10000 {
			b = le.AppendUint16(b, uint16(r))
			continue
		}
		hi, lo := utf16.EncodeRune(r)
		b = le.AppendUint16(b, uint16(hi))
		b = le.AppendUint16(b, uint16(lo))
	}
	return b
}

// UTF16Len is the number of bytes that AppendUTF16 appends for s.
func UTF16Len(s string) int {
	n := 0
	for _, r := range s {
		n += 2 * utf16.RuneLen(r)
	}
	return n
}

// DecodeUTF16 reads all of b as UTF-16LE. The error is a *UTF16Error; the string is then the readable rest, with U+FFFD
// where a code unit could not be read: good for a message, not for a name.
func DecodeUTF16(b []byte) (string, error) {
	var firstErr error
	bad := func(off int) rune {
		if firstErr == nil {
			firstErr = &UTF16Error{Offset: off}
		}
		return utf8.RuneError
	}
	out := make([]byte, 0, 256) // on the stack for all but long names
	for i := 0; i < len(b); i += 2 {
		var r rune
		switch {
		case i+1 == len(b):
			r = bad(i)
		default:
			r = rune(le.Uint16(b[i:]))
			if utf16.IsSurrogate(r) {
				pair := rune(utf8.RuneError)
				if i+3 < len(b) {
					pair = utf16.DecodeRune(r, rune(le.Uint16(b[i+2:])))
				}
				if pair == utf8.RuneError {
					r = bad(i)
				} else {
					r, i = pair, i+2
				}
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out), firstErr
}

// decodeName reads a string field of a message whose caller cannot do with half a name.
func decodeName(structure, name string, b []byte) (string, error) {
	s, err := DecodeUTF16(b)
	if err != nil {
		return "", fmt.Errorf("decode %s: %s: %w", structure, name, err)
	}
	return s, nil
}
