package smbclient

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"smbfs/smbclient/crypt"
	"smbfs/smbclient/wire"
)

// transportHeaderSize is the length in front of each message on TCP (MS-SMB2 2.1).
const transportHeaderSize = 4

// message is what travels together: one request, or a compound of several (MS-SMB2 3.2.4.1.4).
type message struct {
	requests []*request
	session  *Session // nil: none yet
	treeID   uint32
	related  bool // each request is related to the one before it
	seal     bool // encrypt, beyond what the session demands

	shrink  func(credits int) // if set, the one request can do with fewer credits, down to 1, and is told how many
	encoded func(msg []byte)  // if set, sees the message as it goes out
}

func single(s *Session, treeID uint32, r *request) *message {
	return &message{requests: []*request{r}, session: s, treeID: treeID}
}

func (m *message) charge() int {
	n := 0
	for _, r := range m.requests {
		n += r.charge
	}
	return n
}

// roundTrip sends m and waits until all its requests have ended, or ctx. An error is the connection's or the context's;
// what the server says is in the responses.
func (c *Connection) roundTrip(ctx context.Context, m *message) error {
	if err := c.send(ctx, m); err != nil {
		return err
	}
	return c.wait(ctx, m.requests)
}

// send puts m on the wire. If it fails nobody needs to wait for the requests, and their memory is the caller's again.
func (c *Connection) send(ctx context.Context, m *message) error {
	want, least := m.charge(), m.charge()
	if m.shrink != nil {
		least = 1
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	got, err := c.credit.acquire(ctx, want, least)
	if err != nil {
		if errors.Is(err, errNoCredits) {
			c.fail(err)
			return c.Err()
		}
		return err
	}
	if got < want {
		m.shrink(got)
		m.requests[0].charge = got
	}
	return c.sendCharged(ctx, m)
}

// sendCharged sends a message whose credits have been taken.
func (c *Connection) sendCharged(ctx context.Context, m *message) error {
	if err := c.register(m); err != nil {
		return err
	}
	f, err := c.encode(m)
	if err != nil {
		c.fail(err) // message ids are consumed: a hole in the sequence that nothing can fill
		return c.Err()
	}
	c.traffic.count(m, len(f.head)+len(f.payload))
	if err := c.transmit(ctx, m, f); err != nil {
		for _, r := range m.requests {
			c.abandon(r)
		}
		return err
	}
	return nil
}

// register gives the requests their message ids (MS-SMB2 3.2.4.1.3) and decides how they are protected. From here on the message
// has to be sent.
func (c *Connection) register(m *message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	seal, now := m.session.seals(m), time.Now()
	for _, r := range m.requests {
		r.session, r.sealed, r.signed = m.session, seal, !seal && m.session.signs(r)
		r.messageID = c.nextID
		c.nextID += uint64(r.charge)
		r.sentAt = now // until it is
		c.pending[r.messageID] = r
	}
	return nil
}

// frame is an encoded message: head, with the transport's header in front, and then payload.
type frame struct {
	buf     *buffer
	head    []byte
	payload []byte
}

func (f *frame) free() {
	if f.buf != nil {
		f.buf.free()
		f.buf = nil
	}
}

// encode lays out, signs or encrypts m. Only the last request of a message may have a payload, which stays where it is
// unless the message is encrypted.
func (c *Connection) encode(m *message) (*frame, error) {
	payload := m.requests[len(m.requests)-1].payload
	seal := m.requests[0].sealed
	front, space := transportHeaderSize, 1024*len(m.requests)
	if seal {
		front += wire.TransformHeaderSize
		space += wire.TransformHeaderSize + len(payload) + crypt.SealSpace
	}
	buf := getBuffer(space)
	b := buf.b[:front]
	starts := make([]int, 0, 8)
	for i := range m.requests {
		starts = append(starts, len(b))
		b = c.appendRequest(b, m, i)
	}
	if m.encoded != nil {
		m.encoded(slices.Concat(b[front:], payload))
	}
	if seal {
		var err error
		if b, err = m.session.seal(b, payload); err != nil {
			return nil, err
		}
		payload = nil
	} else {
		m.sign(b, starts, payload)
	}
	buf.b = b
	size := len(b) - transportHeaderSize + len(payload)
	if size >= 1<<24 {
		return nil, fmt.Errorf("message of %d bytes is too large for the transport", size)
	}
	binary.BigEndian.PutUint32(b, uint32(size))
	return &frame{buf: buf, head: b, payload: payload}, nil
}

// appendRequest appends header and body of request i, and the padding to the next one.
func (c *Connection) appendRequest(b []byte, m *message, i int) []byte {
	r := m.requests[i]
	h := wire.Header{Command: r.command, MessageID: r.messageID, TreeID: m.treeID}
	if m.session != nil {
		h.SessionID = m.session.id
	}
	if c.negotiated.largeMTU {
		h.CreditCharge = uint16(r.charge)
	}
	h.Credits = uint16(r.charge)
	if i == len(m.requests)-1 {
		h.Credits = c.credit.request(r.charge)
	}
	if m.related && i > 0 {
		h.Flags |= wire.FlagRelated
	}
	if r.signed {
		h.Flags |= wire.FlagSigned
	}
	start := len(b)
	b = h.Append(b)
	b = r.body.Append(b)
	if i < len(m.requests)-1 {
		for (len(b)-start)%8 != 0 {
			b = append(b, 0)
		}
		wire.PutNextCommand(b[start:], uint32(len(b)-start))
	}
	return b
}

// sign fills in the signatures, of each request by itself (MS-SMB2 3.1.4.1).
func (m *message) sign(b []byte, starts []int, payload []byte) {
	for i, r := range m.requests {
		if !r.signed {
			continue
		}
		end := len(b)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		msg := b[starts[i]:end]
		if i+1 < len(starts) || len(payload) == 0 {
			wire.PutSignature(msg, m.session.signer.Sign(msg))
		} else {
			wire.PutSignature(msg, m.session.signer.Sign(msg, payload))
		}
	}
}

// transmit writes a frame. If ctx ends first, a goroutine writes what is left of it, from memory of its own: a message id that
// was given out has to be used.
func (c *Connection) transmit(ctx context.Context, m *message, f *frame) error {
	select {
	case c.writer <- struct{}{}:
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		rest := net.Buffers{f.head, slices.Clone(f.payload)}
		c.spawn(func() { c.transmitLater(m, f, rest) })
		return context.Cause(ctx)
	}
	bufs := net.Buffers{f.head, f.payload}
	if len(f.payload) == 0 {
		bufs = bufs[:1]
	}
	err := c.socket.write(ctx, &bufs)
	if err == nil {
		<-c.writer
		f.free()
		c.markSent(m)
		return nil
	}
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		for i := range bufs {
			bufs[i] = slices.Clone(bufs[i])
		}
		if !c.spawn(func() { c.transmitRest(m, f, bufs) }) {
			<-c.writer
		}
		return err
	}
	<-c.writer
	c.fail(fmt.Errorf("write: %w", err))
	return c.Err()
}

func (c *Connection) transmitLater(m *message, f *frame, rest net.Buffers) {
	select {
	case c.writer <- struct{}{}:
		c.transmitRest(m, f, rest)
	case <-c.done:
	}
}

// transmitRest writes what is left of a message and gives the write mutex back.
//
// Preconditions: the write mutex is held.
func (c *Connection) transmitRest(m *message, f *frame, rest net.Buffers) {
	err := c.socket.write(context.Background(), &rest)
	<-c.writer
	if err != nil {
		c.fail(fmt.Errorf("write: %w", err))
		return
	}
	f.free()
	c.markSent(m)
}

// markSent starts the clocks of the requests, and has those cancelled that were abandoned before they were out.
func (c *Connection) markSent(m *message) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range m.requests {
		r.sent, r.sentAt = true, now
		if r.abandoned && !r.ended {
			c.queueCancel(r)
		}
	}
}

// wait waits until all requests have ended or ctx has. In the second case none of the memory given to them is in use any more.
func (c *Connection) wait(ctx context.Context, requests []*request) error {
	for _, r := range requests {
		select {
		case <-r.done:
		case <-ctx.Done():
			if c.abandonAll(requests) {
				return context.Cause(ctx)
			}
			<-r.done
		}
		if r.err != nil {
			return r.err
		}
	}
	return nil
}
