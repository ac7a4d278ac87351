package smbclient

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"smbfs/smbclient/wire"
)

const (
	// maxUnnegotiated bounds a message of the server before the negotiation has said what it may send: room for any
	// security token (MS-SMB2 2.2.4, 2.2.6: its length has 16 bits).
	maxUnnegotiated = 128 << 10

	// maxOverhead is what a message may hold beyond the negotiated maximum: headers, and the rest of a compound, which is a
	// listing's second part at most.
	maxOverhead = dirOutputSecond + 64<<10

	// maxTransport is the largest length that the transport's header can state (MS-SMB2 2.1).
	maxTransport = 1<<24 - 1

	// readHead is how much of a READ response is looked at to see where its data go: the transport's header, the SMB2
	// header, the fixed part.
	readHead = transportHeaderSize + wire.HeaderSize + wire.ReadResponseFixed
)

// receiveLoop reads until the first error, which ends the connection.
func (c *Connection) receiveLoop() {
	var err error
	for err == nil {
		err = c.receive()
	}
	if err == io.EOF {
		err = fmt.Errorf("the server closed the connection: %w", io.ErrUnexpectedEOF)
	}
	c.fail(err)
	c.endFilling()
}

// endFilling ends the request that fail left to the receive loop.
func (c *Connection) endFilling() {
	c.mu.Lock()
	r, err := c.filling, c.err
	if r == nil {
		c.mu.Unlock()
		return
	}
	delete(c.pending, r.messageID)
	c.stopFilling(r)
	c.mu.Unlock()
	c.end(r, response{}, err)
}

// receive reads one transport message.
func (c *Connection) receive() error {
	head, err := c.reader.Peek(transportHeaderSize)
	if err != nil {
		return err
	}
	size := int64(binary.BigEndian.Uint32(head))
	if size > c.maxMessage.Load() || size < 4 { // size < 4: too short for a protocol identifier
		return protocolError("a message of %d bytes", size)
	}
	if done, err := c.receiveRead(int(size)); done || err != nil {
		return err
	}
	if _, err := c.reader.Discard(transportHeaderSize); err != nil {
		return err
	}
	buf := getBuffer(int(size) + sealedSpace)
	buf.b = buf.b[:size]
	if _, err := io.ReadFull(c.reader, buf.b); err != nil {
		return err
	}
	return c.receiveMessage(buf)
}

// receiveMessage decrypts a message if need be and handles what is in it. It owns buf.
func (c *Connection) receiveMessage(buf *buffer) error {
	switch id := binary.LittleEndian.Uint32(buf.b); id {
	case wire.ProtocolSMB2:
		return c.handleCompound(buf, buf.b, nil)
	case wire.ProtocolTransform:
		msg, s, err := c.unseal(buf.b)
		if err != nil {
			return err
		}
		return c.handleCompound(buf, msg, s)
	default:
		return protocolError("protocol identifier 0x%08X", id)
	}
}

// handleCompound handles the responses of a message, which sealedBy encrypted unless it is nil.
func (c *Connection) handleCompound(buf *buffer, msg []byte, sealedBy *Session) error {
	whole := true
	for len(msg) > 0 {
		var h wire.Header
		if err := h.Decode(msg); err != nil {
			return fmt.Errorf("%w: %w", ErrProtocol, err)
		}
		part, rest := msg, []byte(nil)
		if next := int64(h.NextCommand); next != 0 {
			if next < wire.HeaderSize || next%8 != 0 || next >= int64(len(msg)) {
				return protocolError("NextCommand %d in %d bytes", next, len(msg))
			}
			whole = false
			part, rest = msg[:next], msg[next:]
		}
		own := buf
		if !whole {
			own = nil
		}
		kept, err := c.handleResponse(own, &h, part, sealedBy)
		if err != nil {
			return err
		}
		if kept {
			return nil
		}
		msg = rest
	}
	buf.free()
	return nil
}

// handToOwner is the size from which a response keeps the receive buffer instead of getting a copy.
const handToOwner = 4 << 10

// handleResponse handles one response. It reports whether the response keeps buf, which is nil if it must not.
func (c *Connection) handleResponse(buf *buffer, h *wire.Header, msg []byte, sealedBy *Session) (kept bool, err error) {
	if h.Flags&wire.FlagServerToRedir == 0 {
		return false, protocolError("a request from the server")
	}
	if sealedBy != nil && h.SessionID != sealedBy.id {
		return false, fmt.Errorf("%w: session id inside the encryption differs", ErrSignature)
	}
	if h.MessageID == ^uint64(0) {
		return false, c.handleUnsolicited(h, msg)
	}
	r := c.lookup(h)
	if r == nil {
		// MS-SMB2 3.2.5.1.2: discarded, and its credits with it.
		c.log.Debug("response without a request", "command", h.Command, "message", h.MessageID)
		return false, nil
	}
	if err := c.authenticate(r, h, msg, sealedBy); err != nil {
		if !c.endsAlone(r, h) {
			return false, err
		}
		h.Credits = 0
		if c.finish(r, h) {
			c.end(r, response{}, err)
		}
		return false, nil
	}
	if r.command != h.Command {
		return false, protocolError("%v answered by %v", r.command, h.Command)
	}
	if h.Status == wire.StatusPending {
		return false, c.handleInterim(r, h)
	}
	if !c.finish(r, h) {
		return false, nil
	}
	resp := responseTo(h)
	if r.keepRaw {
		resp.raw = append([]byte(nil), msg...)
	}
	body := msg[wire.HeaderSize:]
	switch {
	case r.command == wire.CommandRead && h.Status == wire.StatusSuccess:
		resp.filled, err = c.copyRead(r, body)
		if err != nil {
			c.fail(err)
			c.end(r, response{}, c.Err()) // finish has taken it from what fail ends
			return false, err
		}
	case buf != nil && len(msg) >= handToOwner:
		resp.buf, resp.body, kept = buf, body, true
	default:
		resp.body = append([]byte(nil), body...)
	}
	c.end(r, resp, nil)
	return kept, sessionLost(r, h.Status)
}

// sessionLost is not nil if the server says that it does not know the session any more. A connection has one, and is of no use without
// it. One that has merely expired can be renewed: see Session.Reauthenticate.
func sessionLost(r *request, status wire.Status) error {
	switch {
	case status != wire.StatusUserSessionDeleted:
		return nil
	case r.command == wire.CommandSessionSetup || r.command == wire.CommandLogoff:
		return nil
	}
	return &Error{Op: "use the session", Status: status}
}

// lookup finds the request of a response, nil if there is none (MS-SMB2 3.2.5.1.2).
func (c *Connection) lookup(h *wire.Header) *request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending[h.MessageID]
}

// handleInterim books the interim response of a request that goes on (MS-SMB2 3.2.5.1.5).
func (c *Connection) handleInterim(r *request, h *wire.Header) error {
	if h.Flags&wire.FlagAsync == 0 {
		return protocolError("STATUS_PENDING in a response that is not asynchronous")
	}
	c.mu.Lock()
	charge, parked := r.charge, 1
	if r.answered {
		charge, parked = 0, 0
	} else {
		c.answers++
	}
	r.answered, r.interim, r.asyncID, r.evidenceAt = true, true, h.AsyncID, time.Now()
	r.begun()
	c.lastID = max(c.lastID, r.messageID)
	c.mu.Unlock()
	c.credit.answered(int(h.Credits), charge, parked)
	return nil
}

// finish books the final response of a request and removes it. It reports false if the request has ended meanwhile.
func (c *Connection) finish(r *request, h *wire.Header) bool {
	c.mu.Lock()
	if c.pending[r.messageID] != r {
		c.mu.Unlock()
		return false
	}
	delete(c.pending, r.messageID)
	charge, parked := r.charge, 0
	if r.answered {
		charge, parked = 0, -1
	}
	r.answered = true
	c.answers++
	c.lastID = max(c.lastID, r.messageID)
	c.mu.Unlock()
	c.credit.answered(int(h.Credits), charge, parked)
	return true
}
