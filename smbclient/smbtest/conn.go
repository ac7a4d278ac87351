package smbtest

import (
	"encoding/binary"
	"io"
	"net"
	"sync"

	"smbfs/smbclient/crypt"
	"smbfs/smbclient/wire"
)

// Conn is the server's side of a connection.
type Conn struct {
	server *Server
	conn   net.Conn

	// Of the connection's goroutine.
	dialect  wire.Dialect
	cipher   wire.Cipher
	signing  wire.SigningAlgorithm
	preauth  [64]byte
	validate wire.ValidateNegotiateInfoRequest // what the client said
	setup    *setup                            // an authentication under way
	renewing bool                              // it is one more of the session

	writeMu sync.Mutex // held while a message is written

	mu      sync.Mutex
	window  window   // guarded by mu
	session *session // guarded by mu; nil before it is set up
}

// session has the keys of a user.
type session struct {
	id     uint64
	signer crypt.Signer  // nil: guest
	sealer *crypt.Sealer // nil: no encryption
	seal   bool          // demanded
}

func newConn(s *Server, conn net.Conn) *Conn {
	c := &Conn{server: s, conn: conn}
	c.window.grant(1)
	return c
}

// run reads until the client or the server ends the connection.
func (c *Conn) run() {
	defer func() {
		_ = c.conn.Close()
		c.server.Tree.dropConn(c)
	}()
	for {
		var head [4]byte
		if _, err := io.ReadFull(c.conn, head[:]); err != nil {
			return
		}
		msg := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(c.conn, msg); err != nil {
			return
		}
		if !c.handle(msg) {
			return
		}
	}
}

// Close ends the connection.
func (c *Conn) Close() { _ = c.conn.Close() }

// handle decrypts a message and serves what is in it. It reports false when the connection cannot go on.
func (c *Conn) handle(msg []byte) bool {
	sealed := false
	if len(msg) >= wire.TransformHeaderSize && binary.LittleEndian.Uint32(msg) == wire.ProtocolTransform {
		s := c.currentSession()
		if s == nil || s.sealer == nil {
			c.server.violation("encrypted without a key")
			return false
		}
		var err error
		if msg, err = s.sealer.Open(msg[:wire.TransformHeaderSize], msg[wire.TransformHeaderSize:]); err != nil {
			c.server.violation("decrypt: %v", err)
			return false
		}
		sealed = true
	}
	b := &batch{conn: c}
	var previous *Request
	for len(msg) > 0 {
		r := &Request{Conn: c, Sealed: sealed, batch: b}
		if err := r.Header.Decode(msg); err != nil {
			c.server.violation("%v", err)
			return false
		}
		next := int(r.Header.NextCommand)
		if next > len(msg) || next != 0 && (next < wire.HeaderSize || next%8 != 0) {
			c.server.violation("NextCommand %d", next)
			return false
		}
		if r.Message = msg; next != 0 {
			r.Message = msg[:next]
		}
		r.Body = r.Message[wire.HeaderSize:]
		if r.Header.Flags&wire.FlagRelated != 0 {
			r.previous = previous
		}
		c.check(r)
		c.dispatch(r)
		previous = r
		if next == 0 {
			break
		}
		msg = msg[next:]
	}
	b.flush()
	return true
}

// check notes what is wrong with a request.
func (c *Conn) check(r *Request) {
	h := &r.Header
	c.mu.Lock()
	s := c.session
	if h.Command != wire.CommandCancel && !c.window.use(h.MessageID, max(1, int(h.CreditCharge))) {
		c.mu.Unlock()
		c.server.violation("%v with message id %d and charge %d is outside the window", h.Command, h.MessageID, h.CreditCharge)
		return
	}
	c.mu.Unlock()
	if s == nil || s.signer == nil || r.Sealed {
		return
	}
	switch {
	case s.seal:
		c.server.violation("%v is not encrypted", h.Command)
	case h.Flags&wire.FlagSigned != 0:
		if !s.signer.Verify(r.Message) {
			c.server.violation("%v has a wrong signature", h.Command)
		}
	case c.server.options.SecurityMode&wire.SigningRequired != 0:
		c.server.violation("%v is not signed", h.Command)
	}
}

func (c *Conn) dispatch(r *Request) {
	if h := c.server.hook(r.Header.Command); h != nil {
		h(r)
		return
	}
	r.Serve()
}

func (c *Conn) currentSession() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// WriteRaw sends bytes as they are, the transport's header not included.
func (c *Conn) WriteRaw(b []byte) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	_, _ = c.conn.Write(b)
}

// window is the set of message ids that the client may use (MS-SMB2 3.3.1.1).
type window struct {
	next uint64
	ids  map[uint64]bool
}

func (w *window) grant(n int) {
	if w.ids == nil {
		w.ids = make(map[uint64]bool)
	}
	for range n {
		w.ids[w.next] = true
		w.next++
	}
}

// use takes n ids from id on, and reports whether all were there.
func (w *window) use(id uint64, n int) bool {
	all := true
	for i := range uint64(n) {
		all = all && w.ids[id+i]
		delete(w.ids, id+i)
	}
	return all
}

// Credits returns how many message ids the client may use now.
func (c *Conn) Credits() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.window.ids)
}
