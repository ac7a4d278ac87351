package smbclient

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"smbfs/smbclient/wire"
)

// A READ response that is neither encrypted nor part of a compound is read from the socket straight into the memory that
// the caller gave. While that happens the request is "filling": nobody else ends it, and whoever wants the memory back rings
// the socket's bell and waits for released. What came by then is copied away, and the rest is read elsewhere.

// receiveRead handles the message that comes next, of size bytes, if it is such a response, and reports whether it did. The
// message with its transport header is then consumed, otherwise nothing is.
func (c *Connection) receiveRead(size int) (done bool, err error) {
	if size <= readHead-transportHeaderSize {
		return false, nil
	}
	head, err := c.reader.Peek(readHead)
	if err != nil {
		return false, err
	}
	head = head[transportHeaderSize:]
	if binary.LittleEndian.Uint32(head) != wire.ProtocolSMB2 {
		return false, nil
	}
	var h wire.Header
	var body wire.ReadResponse
	if h.Decode(head) != nil || h.Command != wire.CommandRead || h.Status != wire.StatusSuccess || h.NextCommand != 0 ||
		h.Flags&wire.FlagServerToRedir == 0 || body.DecodeFixed(head[wire.HeaderSize:]) != nil {
		return false, nil
	}
	data := size - len(head)
	if int(body.DataOffset) != len(head) || int64(body.DataLength) != int64(data) {
		return false, nil
	}
	r := c.startFilling(h.MessageID, data)
	if r == nil {
		return false, nil
	}
	copyOfHead := append(make([]byte, 0, readHead), head...)
	if _, err := c.reader.Discard(readHead); err != nil {
		return true, err
	}
	return true, c.fill(r, &h, copyOfHead, data)
}

// startFilling claims the sink of the request with that id, if it has one that is large enough.
func (c *Connection) startFilling(id uint64, n int) *request {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.pending[id]
	if c.err != nil || r == nil || r.command != wire.CommandRead || r.abandoned || len(r.sink) < n {
		return nil
	}
	r.filling, c.filling = true, r
	return r
}

// stopFilling gives the sink back.
//
// Preconditions: mu is held.
func (c *Connection) stopFilling(r *request) {
	r.filling, c.filling = false, nil
	r.sink = nil
	if r.released != nil {
		close(r.released)
		r.released = nil
	}
}

// fill reads n bytes of data into the sink of r and ends it. On an error the request stays the filling one, for the receive loop
// to end.
func (c *Connection) fill(r *request, h *wire.Header, head []byte, n int) error {
	data := r.sink[:n]
	got, err := io.ReadFull(c.reader, data)
	for errors.Is(err, errInterrupted) {
		data, err = c.moveAway(r, data, got)
		if err == nil {
			got = n
		}
	}
	if err != nil {
		return err
	}
	if err := c.authenticate(r, h, head, nil, data); err != nil {
		return err
	}
	c.mu.Lock()
	if c.filling == r {
		c.stopFilling(r)
	}
	c.mu.Unlock()
	if c.finish(r, h) {
		resp := responseTo(h)
		resp.filled = n
		c.end(r, resp, nil)
	}
	return nil
}

// moveAway gives the sink back to a caller who does not wait any more, and reads the rest of the data to where the signature can still be
// checked.
func (c *Connection) moveAway(r *request, data []byte, got int) ([]byte, error) {
	away := make([]byte, len(data))
	copy(away, data[:got])
	c.mu.Lock()
	c.stopFilling(r)
	c.mu.Unlock()
	_, err := io.ReadFull(c.reader, away[got:])
	return away, err
}

// copyRead copies the data of a READ response that came in a buffer.
func (c *Connection) copyRead(r *request, body []byte) (int, error) {
	var resp wire.ReadResponse
	if err := resp.Decode(body); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	c.mu.Lock()
	sink := r.sink
	r.filling = !r.abandoned
	c.mu.Unlock()
	if !r.filling {
		return 0, nil
	}
	n := copy(sink, resp.Data)
	c.mu.Lock()
	c.stopFilling(r)
	c.mu.Unlock()
	if n < len(resp.Data) {
		return 0, protocolError("READ of %d bytes answered with %d", n, len(resp.Data))
	}
	return n, nil
}
