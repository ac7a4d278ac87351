package wire

// ErrorID is the kind of an error context.
//
// MS-SMB2 2.2.2.1
type ErrorID uint32

// MS-SMB2 2.2.2.1
const (
	ErrorIDDefault       ErrorID = 0x00000000
	ErrorIDShareRedirect ErrorID = 0x72645253
)

// ErrorContext is one part of a 3.1.1 error.
//
// MS-SMB2 2.2.2.1
type ErrorContext struct {
	ID   ErrorID
	Data []byte
}

const errorContextFixed = 8

// ErrorResponse is the body of every response that failed. It carries Contexts, where a 3.1.1 server has something to say,
// or Data, where another has, never both.
//
// MS-SMB2 2.2.2
type ErrorResponse struct {
	Contexts []ErrorContext
	Data     []byte
}

const errorResponseFixed = 8

// Append appends the body.
func (r *ErrorResponse) Append(b []byte) []byte {
	start := len(b)
	b = le.AppendUint16(b, 9)
	b = append(b, byte(len(r.Contexts)), 0)
	b = le.AppendUint32(b, 0) // ByteCount
	for _, c := range r.Contexts {
		b = align(b, start, 8)
		b = le.AppendUint32(b, uint32(len(c.Data)))
		b = le.AppendUint32(b, uint32(c.ID))
		b = append(b, c.Data...)
	}
	if len(r.Contexts) == 0 {
		b = append(b, r.Data...)
	}
	le.PutUint32(b[start+4:], uint32(len(b)-start-errorResponseFixed))
	if len(b)-start == errorResponseFixed {
		b = append(b, 0) // ErrorData is at least one byte
	}
	return b
}

// Decode reads the body.
func (r *ErrorResponse) Decode(body []byte) error {
	const what = "ERROR Response"
	if err := checkBody(what, body, 9); err != nil {
		return err
	}
	*r = ErrorResponse{}
	data, err := field(what, "ErrorData", body, errorResponseFixed, HeaderSize+errorResponseFixed, le.Uint32(body[4:]))
	if err != nil {
		return err
	}
	count := int(body[2])
	if count == 0 {
		r.Data = data
		return nil
	}
	at := uint64(0)
	for range count {
		head, err := within(what, "error context", data, at, errorContextFixed)
		if err != nil {
			return err
		}
		n := uint64(le.Uint32(head))
		cdata, err := within(what, "error context data", data, at+errorContextFixed, n)
		if err != nil {
			return err
		}
		r.Contexts = append(r.Contexts, ErrorContext{ErrorID(le.Uint32(head[4:])), cdata})
		at += (errorContextFixed + n + 7) &^ 7
	}
	return nil
}

// DefaultData is the data that goes with the status, whichever way it travelled: for STATUS_STOPPED_ON_SYMLINK a
// SymlinkError, for STATUS_BUFFER_TOO_SMALL the length needed in 32 bits.
//
// MS-SMB2 2.2.2.2
func (r *ErrorResponse) DefaultData() []byte {
	for _, c := range r.Contexts {
		if c.ID == ErrorIDDefault {
			return c.Data
		}
	}
	return r.Data
}

// SymlinkError is the data of STATUS_STOPPED_ON_SYMLINK.
//
// MS-SMB2 2.2.2.2.1
type SymlinkError struct {
	UnparsedPathLength uint16 // bytes of UTF-16 at the end of the name that lie behind the link
	SymlinkReparse
}

const symlinkErrorTag uint32 = 0x4C4D5953 // "SYML"

// symlinkErrorFixed is where the layout of SymlinkReparse begins.
const symlinkErrorFixed = 16

// Append appends the data.
func (s *SymlinkError) Append(b []byte) []byte {
	start := len(b)
	b = le.AppendUint32(b, 0) // SymLinkLength
	b = le.AppendUint32(b, symlinkErrorTag)
	b = le.AppendUint32(b, uint32(ReparseTagSymlink))
	b = le.AppendUint16(b, 0) // ReparseDataLength
	b = le.AppendUint16(b, s.UnparsedPathLength)
	b = s.SymlinkReparse.Append(b)
	le.PutUint32(b[start:], uint32(len(b)-start-4))
	le.PutUint16(b[start+12:], uint16(len(b)-start-symlinkErrorFixed))
	return b
}

// Decode reads the data.
func (s *SymlinkError) Decode(data []byte) error {
	const what = "Symbolic Link Error Response"
	if err := checkLen(what, data, symlinkErrorFixed); err != nil {
		return err
	}
	if tag := le.Uint32(data[4:]); tag != symlinkErrorTag {
		return malformed(what, "SymLinkErrorTag 0x%08X", tag)
	}
	if tag := ReparseTag(le.Uint32(data[8:])); tag != ReparseTagSymlink {
		return malformed(what, "ReparseTag 0x%08X", uint32(tag))
	}
	link, err := within(what, "SymLink", data, 4, uint64(le.Uint32(data)))
	if err != nil {
		return err
	}
	if err := checkLen(what, link, symlinkErrorFixed-4); err != nil {
		return err
	}
	reparse, err := within(what, "ReparseData", link, symlinkErrorFixed-4, uint64(le.Uint16(data[12:])))
	if err != nil {
		return err
	}
	s.UnparsedPathLength = le.Uint16(data[14:])
	return s.SymlinkReparse.Decode(reparse)
}
