package wire

import "fmt"

// Lists of 16-bit algorithm identifiers, of which the negotiate contexts are made.

func appendIDs[T ~uint16](b []byte, ids []T) []byte {
	for _, id := range ids {
		b = le.AppendUint16(b, uint16(id))
	}
	return b
}

func appendCountedIDs[T ~uint16](b []byte, ids []T) []byte {
	return appendIDs(le.AppendUint16(b, uint16(len(ids))), ids)
}

// decodeIDs reads all of b, whose length is even.
func decodeIDs[T ~uint16](b []byte) []T {
	var ids []T
	for ; len(b) >= 2; b = b[2:] {
		ids = append(ids, T(le.Uint16(b)))
	}
	return ids
}

func decodeCountedIDs[T ~uint16](what string, b []byte) ([]T, error) {
	if err := checkLen(what, b, 2); err != nil {
		return nil, err
	}
	list, err := within(what, "list", b, 2, 2*uint64(le.Uint16(b)))
	return decodeIDs[T](list), err
}

func idName[T ~uint16](id T, names ...string) string {
	if int(id) < len(names) {
		return names[id]
	}
	return fmt.Sprintf("0x%04X", uint16(id))
}
