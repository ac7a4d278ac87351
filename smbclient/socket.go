package smbclient

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// readerSize is the size of the buffer in front of the socket. Payloads beyond it go past it.
const readerSize = 32 << 10

// socket is the transport, with deadlines used as a bell: a deadline in the past wakes whoever reads or writes, who then looks
// whether it was meant and otherwise goes on. No other deadline is ever set.
type socket struct {
	conn net.Conn

	// wantedBack says whether the memory that is being read into has to be left alone. The receive loop only calls it.
	wantedBack func() bool

	lastRead atomic.Int64 // when something came last, in ns since 1970
	received atomic.Int64 // bytes that came
}

// errInterrupted says that a read was stopped because its memory is wanted back.
var errInterrupted = errors.New("read interrupted")

// past is a deadline that has always expired.
var past = time.Unix(1, 0)

// Read reads from the transport. A deadline that was not meant for it is forgotten.
func (s *socket) Read(p []byte) (int, error) {
	for {
		n, err := s.conn.Read(p)
		if n > 0 {
			s.lastRead.Store(time.Now().UnixNano())
			s.received.Add(int64(n))
			return n, err
		}
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if err := s.conn.SetReadDeadline(time.Time{}); err != nil {
			return 0, err
		}
		if s.wantedBack() {
			return 0, errInterrupted
		}
	}
}

// lastReadTime is when something came last.
func (s *socket) lastReadTime() time.Time { return time.Unix(0, s.lastRead.Load()) }

// write writes bufs, all of them unless ctx ends or the transport fails. What is left stays in bufs.
//
// Preconditions: the caller holds the write mutex.
func (s *socket) write(ctx context.Context, bufs *net.Buffers) error {
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { _ = s.conn.SetWriteDeadline(past) })
		defer stop()
	}
	for {
		_, err := bufs.WriteTo(s.conn)
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if err := s.conn.SetWriteDeadline(time.Time{}); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
