package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// le is the byte order of everything in SMB2 (MS-SMB2 2.2).
var le = binary.LittleEndian

// ErrMalformed is matched, by errors.Is, by every error that a Decode returns.
var ErrMalformed = errors.New("malformed structure")

// DecodeError says which structure could not be decoded and why. It quotes no bytes of the message.
type DecodeError struct {
	Structure string // name in the specification
	Reason    string
}

func (e *DecodeError) Error() string { return "decode " + e.Structure + ": " + e.Reason }

// Unwrap makes errors.Is(err, ErrMalformed) true.
func (e *DecodeError) Unwrap() error { return ErrMalformed }

func malformed(structure, format string, args ...any) error {
	return &DecodeError{Structure: structure, Reason: fmt.Sprintf(format, args...)}
}

// checkLen refuses a buffer shorter than the fixed part of a structure.
func checkLen(structure string, b []byte, fixed int) error {
	if len(b) < fixed {
		return malformed(structure, "%d bytes, need %d", len(b), fixed)
	}
	return nil
}

// checkBody refuses a message body that is shorter than its fixed part, or whose StructureSize field is not
// size. An odd size counts one byte of the variable part, which servers may leave out when it is empty.
func checkBody(structure string, b []byte, size uint16) error {
	if err := checkLen(structure, b, int(size&^1)); err != nil {
		return err
	}
	if got := le.Uint16(b); got != size {
		return malformed(structure, "StructureSize %d, want %d", got, size)
	}
	return nil
}

// field returns the n bytes at off of a message body, off counted from the start of the message's header. The
// bytes must lie behind the fixed part. An empty field is nil, and its offset does not matter.
func field(structure, name string, body []byte, fixed int, off, n uint32) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if uint64(off) < uint64(HeaderSize+fixed) {
		return nil, malformed(structure, "%s at offset %d, inside the fixed part", name, off)
	}
	return within(structure, name, body, uint64(off)-HeaderSize, uint64(n))
}

// within returns b[off:off+n], nil if n is 0, or an error where that does not exist.
func within(structure, name string, b []byte, off, n uint64) ([]byte, error) {
	if off > uint64(len(b)) || n > uint64(len(b))-off {
		return nil, malformed(structure, "%s of %d bytes at %d, beyond the %d bytes that came", name, n, off, len(b))
	}
	if n == 0 {
		return nil, nil
	}
	return b[off : off+n : off+n], nil
}

// appendZeros appends n zero bytes: reserved fields and padding.
func appendZeros(b []byte, n int) []byte {
	for range n {
		b = append(b, 0)
	}
	return b
}

// align pads what was appended since start to a multiple of n bytes, n a power of two.
func align(b []byte, start, n int) []byte {
	return appendZeros(b, -(len(b)-start)&(n-1))
}

// appendBuffer appends the variable part of a request whose StructureSize counts one byte of it: servers refuse a request
// without that byte, so an empty buffer becomes a zero byte.
func appendBuffer(b, buffer []byte) []byte {
	if len(buffer) == 0 {
		return append(b, 0)
	}
	return append(b, buffer...)
}

// nextEntry splits the first entry off a list whose entries start with the 32-bit offset of the next one, 0 in the last. The
// offset must lead forward, past the entry's fixed part, so that a list cannot loop or have more entries than its
// bytes can hold.
func nextEntry(what string, list []byte, fixed int) (entry, rest []byte, err error) {
	if err := checkLen(what, list, fixed); err != nil {
		return nil, nil, err
	}
	next := uint64(le.Uint32(list))
	if next == 0 {
		return list, nil, nil
	}
	if next < uint64(fixed) || next >= uint64(len(list)) {
		return nil, nil, malformed(what, "next entry at %d, after %d bytes of fixed part, in %d bytes", next, fixed, len(list))
	}
	return list[:next:next], list[next:], nil
}
