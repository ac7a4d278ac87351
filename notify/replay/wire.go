package replay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// What goes over a worker's socket: one message a packet, in the byte order of the
// machine that both processes run on (little endian is as good as any).
//
//	call:  op u8, mount id u64, mode u32, atime and mtime (seconds i64, nanoseconds u32),
//	       then Dir, Name, NewDir, NewName, Target: length u16, bytes
//	reply: step u8, kind u8, errno u32, mount id u64

const (
	// maxMessage bounds a call. It is far below a socket's send buffer.
	maxMessage   = 64 << 10
	callHeader   = 1 + 8 + 4 + 2*12
	replyLen     = 1 + 1 + 4 + 8
	maxFieldSize = 1<<16 - 1
)

var errWire = errors.New("malformed message")

// message is a Call with the mount on which it is to be made.
type message struct {
	Call
	mountID uint64
}

func (m *message) strings() [5]*string {
	return [5]*string{&m.Dir, &m.Name, &m.NewDir, &m.NewName, &m.Target}
}

func (m *message) append(b []byte) ([]byte, error) {
	b = append(b, byte(m.Op))
	b = binary.LittleEndian.AppendUint64(b, m.mountID)
	b = binary.LittleEndian.AppendUint32(b, m.Mode)
	b = appendTime(b, m.Atime)
	b = appendTime(b, m.Mtime)
	for _, s := range m.strings() {
		if len(*s) > maxFieldSize || len(b)+2+len(*s) > maxMessage {
			return nil, fmt.Errorf("%v: %w", m.Op, syscall.ENAMETOOLONG)
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(len(*s)))
		b = append(b, *s...)
	}
	return b, nil
}

// setMountID changes the mount of an encoded call.
func setMountID(b []byte, id uint64) { binary.LittleEndian.PutUint64(b[1:], id) }

func parseMessage(b []byte) (message, error) {
	var m message
	if len(b) < callHeader || len(b) > maxMessage {
		return m, fmt.Errorf("%w: call of %d bytes", errWire, len(b))
	}
	m.Op = Op(b[0])
	m.mountID = binary.LittleEndian.Uint64(b[1:])
	m.Mode = binary.LittleEndian.Uint32(b[9:])
	m.Atime = parseTime(b[13:])
	m.Mtime = parseTime(b[25:])
	b = b[callHeader:]
	for _, s := range m.strings() {
		if len(b) < 2 {
			return m, fmt.Errorf("%w: call ends in a length", errWire)
		}
		n := int(binary.LittleEndian.Uint16(b))
		if b = b[2:]; len(b) < n {
			return m, fmt.Errorf("%w: string of %d bytes in %d", errWire, n, len(b))
		}
		*s, b = string(b[:n]), b[n:]
	}
	if len(b) != 0 {
		return m, fmt.Errorf("%w: %d bytes too many", errWire, len(b))
	}
	return m, nil
}

func appendTime(b []byte, t time.Time) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(t.Unix()))
	return binary.LittleEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

func parseTime(b []byte) time.Time {
	return time.Unix(int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint32(b[8:])))
}

// kind is what a reply says beyond the errno.
type kind uint8

const (
	kindErrno      kind = iota
	kindNotMounted      // another file system is at the mount point
	kindMoved           // our device, but another mount of it than the worker was introduced on
	kindOutside         // the path leaves the mount
	kindEnd
)

// reply is a call's result. Step 0 is success.
type reply struct {
	step    Step
	kind    kind
	errno   syscall.Errno
	mountID uint64 // the mount that an introduction was made on
}

func (r reply) append(b []byte) []byte {
	b = append(b, byte(r.step), byte(r.kind))
	b = binary.LittleEndian.AppendUint32(b, uint32(r.errno))
	return binary.LittleEndian.AppendUint64(b, r.mountID)
}

func parseReply(b []byte) (reply, error) {
	if len(b) != replyLen || Step(b[0]) > StepCall || kind(b[1]) >= kindEnd {
		return reply{}, fmt.Errorf("%w: reply of %d bytes", errWire, len(b))
	}
	return reply{
		step:    Step(b[0]),
		kind:    kind(b[1]),
		errno:   syscall.Errno(binary.LittleEndian.Uint32(b[2:])),
		mountID: binary.LittleEndian.Uint64(b[6:]),
	}, nil
}

func (r reply) err(op Op) error {
	if r.step == 0 {
		return nil
	}
	e := &Error{Op: op, Step: r.step, Errno: r.errno}
	switch r.kind {
	case kindNotMounted, kindMoved:
		e.Kind = ErrNotMounted
	case kindOutside:
		e.Kind = ErrOutside
	}
	return e
}
