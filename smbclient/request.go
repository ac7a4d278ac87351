package smbclient

import (
	"sync"
	"sync/atomic"
	"time"

	"smbfs/smbclient/wire"
)

// appender is the body of a request.
type appender interface{ Append([]byte) []byte }

// request is one command on its way. Its owner fills in the first group and waits for done; then the last group is
// the owner's.
type request struct {
	// Set before the request is sent, then constant.
	command    wire.Command
	keepRaw    bool // the response keeps a copy of the whole message: for the pre-authentication hash
	forceSign  bool // sign although the session does not demand it
	descriptor bool // asks for a security descriptor
	signed     bool // the request was signed, which is known when it is sent
	sealed     bool // likewise encrypted
	body       appender
	payload    []byte         // data of a WRITE, behind the body
	sink       []byte         // where the data of a READ goes
	charge     int            // credits it takes, 1 or more
	orphan     func(*request) // called, off the receive loop, when an abandoned request succeeded after all
	finished   func(*request) // called under no lock when the request ends; must not block. May be nil.

	watches atomic.Pointer[Open] // of a CHANGE_NOTIFY: the directory, once it is known

	messageID uint64
	session   *Session      // nil before there is one
	done      chan struct{} // closed when the request has ended; of a CHANGE_NOTIFY nil until somebody waits for that

	// Guarded by Connection.mu.
	sentAt     time.Time // when it was; before, when it began to be sent
	evidenceAt time.Time // when it was known that the server had it, zero if not
	evidence   int64     // bytes received by then
	asyncID    uint64
	released   chan struct{} // closed when the receive loop no longer writes to sink; nil until somebody waits for that
	pending    chan struct{} // closed at the interim response or the end; nil until somebody waits for that
	sent       bool          // wholly on the wire
	answered   bool          // had any response: its charge is booked
	interim    bool          // had an interim response
	abandoned  bool          // nobody waits for it
	filling    bool          // the receive loop writes to sink
	ended      bool

	// The result: written by the one who ends the request, before done is closed.
	response response
	err      error
}

// begun tells who waits for it that the request has begun to be answered. Preconditions: Connection.mu is held.
func (r *request) begun() {
	if r.pending != nil && (r.interim || r.ended) {
		close(r.pending)
		r.pending = nil
	}
}

// response is what came back. There may be a hundred thousand requests that wait for theirs: it holds no more of the header than is
// asked for.
type response struct {
	status    wire.Status
	flags     wire.HeaderFlags
	treeID    uint32
	sessionID uint64
	body      []byte // behind the header
	raw       []byte // the whole message, with keepRaw
	filled    int    // bytes of the data of a READ that are in sink
	buf       *buffer
}

func responseTo(h *wire.Header) response {
	return response{status: h.Status, flags: h.Flags, treeID: h.TreeID, sessionID: h.SessionID}
}

// release gives the memory of the body back. The response, and what was decoded from it, must not be used after it.
func (r *response) release() {
	if r.buf != nil {
		r.buf.free()
		r.buf, r.body = nil, nil
	}
}

func newRequest(command wire.Command, body appender) *request {
	return &request{command: command, body: body, charge: 1, done: make(chan struct{})}
}

// again returns a request like r to be sent anew.
func (r *request) again() *request {
	return &request{command: r.command, body: r.body, charge: r.charge, payload: r.payload, done: make(chan struct{})}
}

// charged sets the credit charge for the larger of what is sent and what may come back (MS-SMB2 3.1.5.2).
func (r *request) charged(n int) *request {
	r.charge = creditsFor(n)
	return r
}

// creditUnit is what one credit pays for (MS-SMB2 3.1.5.2).
const creditUnit = 64 << 10

func creditsFor(n int) int { return max(1, (n+creditUnit-1)/creditUnit) }

// buffer is pooled memory for messages that are too large to be left to the garbage collector.
type buffer struct{ b []byte }

// Buffers come in powers of two from 1<<minBufferShift to 1<<maxBufferShift bytes; what is larger is not pooled.
const (
	minBufferShift = 12
	maxBufferShift = 24
)

var bufferPools [maxBufferShift - minBufferShift + 1]sync.Pool

func bufferClass(n int) int {
	class := 0
	for n > 1<<(class+minBufferShift) {
		class++
	}
	return class
}

// getBuffer returns a buffer with len(b) == 0 and capacity for n bytes.
func getBuffer(n int) *buffer {
	class := bufferClass(n)
	if class >= len(bufferPools) {
		return &buffer{b: make([]byte, 0, n)}
	}
	if v, ok := bufferPools[class].Get().(*buffer); ok {
		return v
	}
	return &buffer{b: make([]byte, 0, 1<<(class+minBufferShift))}
}

func (b *buffer) free() {
	// Only what getBuffer made is kept, whatever append did to it.
	class := bufferClass(cap(b.b))
	if class >= len(bufferPools) || cap(b.b) != 1<<(class+minBufferShift) {
		return
	}
	b.b = b.b[:0]
	bufferPools[class].Put(b)
}
