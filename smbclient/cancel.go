package smbclient

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"

	"smbfs/smbclient/wire"
)

// abandonAll abandons those of the requests that have not ended, and reports whether there was one.
func (c *Connection) abandonAll(requests []*request) bool {
	any := false
	for _, r := range requests {
		any = c.abandon(r) || any
	}
	return any
}

// abandon is for a caller that no longer waits. The request is cancelled and stays registered until its final response; its sink is not
// written to any more once abandon has returned. It reports false if the request has ended, so that there is a result after all.
func (c *Connection) abandon(r *request) bool {
	c.mu.Lock()
	if r.ended {
		c.mu.Unlock()
		return false
	}
	r.abandoned = true
	if r.sent {
		c.queueCancel(r)
	}
	if !r.filling {
		r.sink = nil
		c.mu.Unlock()
		return true
	}
	if r.released == nil {
		r.released = make(chan struct{})
	}
	released := r.released
	c.mu.Unlock()
	_ = c.socket.conn.SetReadDeadline(past) // the receive loop looks whether the memory it writes to is wanted back
	<-released
	return true
}

// wantedBack reports whether the memory that the receive loop writes to is to be left alone.
func (c *Connection) wantedBack() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.filling != nil && c.filling.abandoned
}

// queueCancel has a CANCEL sent for r.
//
// Preconditions: mu is held.
func (c *Connection) queueCancel(r *request) {
	c.cancels = append(c.cancels, r)
	select {
	case c.cancelWake <- struct{}{}:
	default:
	}
}

// cancelLoop sends the CANCEL requests, so that a caller whose context ended waits for no socket.
func (c *Connection) cancelLoop() {
	for {
		select {
		case <-c.cancelWake:
		case <-c.done:
			return
		}
		for _, r := range c.takeCancels() {
			if err := c.sendCancel(r); err != nil {
				c.fail(fmt.Errorf("cancel: %w", err))
				return
			}
		}
	}
}

func (c *Connection) takeCancels() []*request {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.cancels
	c.cancels = nil
	return list
}

// sendCancel sends one CANCEL: the message id of the request it cancels, and its async id once there is one. It takes no credit and
// has no response (MS-SMB2 3.2.4.24).
func (c *Connection) sendCancel(r *request) error {
	h := wire.Header{Command: wire.CommandCancel, MessageID: r.messageID}
	c.mu.Lock()
	if r.interim {
		h.Flags, h.AsyncID = wire.FlagAsync, r.asyncID
	}
	ended := r.ended
	c.mu.Unlock()
	if ended {
		return nil
	}
	if r.session != nil {
		h.SessionID = r.session.id
	}
	if r.signed {
		h.Flags |= wire.FlagSigned
	}
	b, err := encodeCancel(&h, r)
	if err != nil {
		return err
	}
	select {
	case c.writer <- struct{}{}:
	case <-c.done:
		return nil
	}
	defer func() { <-c.writer }()
	return c.socket.write(context.Background(), &net.Buffers{b})
}

// encodeCancel protects the CANCEL as its request was.
func encodeCancel(h *wire.Header, r *request) ([]byte, error) {
	front := transportHeaderSize
	if r.sealed {
		front += wire.TransformHeaderSize
	}
	b := h.Append(make([]byte, front, 256))
	b = (&wire.CancelRequest{}).Append(b)
	switch {
	case r.sealed:
		var err error
		if b, err = r.session.seal(b, nil); err != nil {
			return nil, err
		}
	case r.signed:
		wire.PutSignature(b[front:], r.session.signer.Sign(b[front:]))
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-transportHeaderSize))
	return b, nil
}
