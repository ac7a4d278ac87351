package smbclient

import (
	"encoding/binary"
	"fmt"
	"slices"

	"smbfs/smbclient/crypt"
	"smbfs/smbclient/wire"
)

// sealedSpace is the room that decryption in place wants behind a message.
const sealedSpace = crypt.SealSpace

// signs reports whether the session signs a request that is not encrypted (MS-SMB2 3.2.4.1.1).
func (s *Session) signs(r *request) bool {
	return s != nil && s.signer != nil && (s.signRequired || r.forceSign)
}

// seals reports whether the session encrypts a message (MS-SMB2 3.2.4.1.8): an authentication never.
func (s *Session) seals(m *message) bool {
	return s != nil && s.sealer != nil && (s.sealRequired || m.seal) && m.requests[0].command != wire.CommandSessionSetup
}

// seal encrypts in place. b starts with room for the transport's and the transform header, behind which the message
// stands; the payload goes behind it.
func (s *Session) seal(b, payload []byte) ([]byte, error) {
	const front = transportHeaderSize + wire.TransformHeaderSize
	size := len(b) - front + len(payload)
	b = slices.Grow(b, len(payload)+crypt.SealSpace)
	header := b[transportHeaderSize:front:front]
	h := wire.TransformHeader{OriginalMessageSize: uint32(size), Flags: wire.TransformEncrypted, SessionID: s.id}
	h.Append(header[:0])
	if _, err := s.sealer.Seal(b[front:front], header, b[front:], payload); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return b[:front+size], nil
}

// unseal decrypts a message in place (MS-SMB2 3.2.5.1.1.1).
func (c *Connection) unseal(b []byte) ([]byte, *Session, error) {
	var h wire.TransformHeader
	if err := h.Decode(b); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	header, msg := b[:wire.TransformHeaderSize:wire.TransformHeaderSize], b[wire.TransformHeaderSize:]
	if h.Flags != wire.TransformEncrypted || int64(h.OriginalMessageSize) != int64(len(msg)) {
		return nil, nil, protocolError("transform header with flags 0x%X and size %d for %d bytes", h.Flags, h.OriginalMessageSize, len(msg))
	}
	c.mu.Lock()
	s := c.sessions[h.SessionID]
	c.mu.Unlock()
	if s == nil || s.sealer == nil {
		return nil, nil, fmt.Errorf("%w: encrypted for a session that is not ours", ErrSignature)
	}
	msg, err := s.sealer.Open(header, msg)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if len(msg) < wire.HeaderSize || binary.LittleEndian.Uint32(msg) != wire.ProtocolSMB2 {
		return nil, nil, protocolError("an encrypted message that is none of SMB2")
	}
	return msg, s, nil
}

// authenticate checks that a response is protected as its request was, or better (MS-SMB2 3.2.5.1.1, 3.2.5.1.3). The message is
// msg and then tail.
func (c *Connection) authenticate(r *request, h *wire.Header, msg []byte, sealedBy *Session, tail ...[]byte) error {
	if sealedBy != nil {
		if r.session != sealedBy {
			return fmt.Errorf("%w: %v encrypted by another session", ErrSignature, h.Command)
		}
		return nil
	}
	s := r.session
	switch {
	case r.command == wire.CommandEcho && h.Command == r.command && h.Flags&wire.FlagSigned == 0:
		return nil // ksmbd protects no answer to an ECHO (Linux 6.12 and 7.2); it says only that somebody is there
	case r.sealed:
		return fmt.Errorf("%w: the response to an encrypted %v is not encrypted", ErrSignature, r.command)
	case s == nil || s.signer == nil:
		return nil
	case h.Status == wire.StatusPending && h.Flags&wire.FlagAsync != 0:
		return nil // interim responses are not signed
	case h.Flags&wire.FlagSigned != 0:
		if h.SessionID != s.id || !s.signer.Verify(msg, tail...) {
			return fmt.Errorf("%w: signature of a %v response", ErrSignature, r.command)
		}
	case r.signed:
		return fmt.Errorf("%w: the response to a signed %v is not signed (%v)", ErrSignature, r.command, h.Status)
	}
	return nil
}

// endsAlone reports whether a response that is not authentic ends its request and nothing else, which are two that ksmbd gets wrong: the end of a
// CHANGE_NOTIFY whose directory we have closed is not signed (Linux 7.2), and the signature of a security descriptor leaves the header out (since
// Linux 6.12.81). Nothing in them is believed. Who makes up the first has told nobody anything; the second has one question left without an
// answer, and no more are asked on this connection.
func (c *Connection) endsAlone(r *request, h *wire.Header) bool {
	if r.sealed || r.command != h.Command {
		return false
	}
	if h.Flags&wire.FlagSigned == 0 {
		o := r.watches.Load()
		return r.command == wire.CommandChangeNotify && h.Status == wire.StatusNotifyCleanup && o != nil && o.closed.Load()
	}
	if !r.descriptor || h.Status != wire.StatusSuccess {
		return false
	}
	if !c.noDescriptors.Swap(true) {
		c.log.Warn("the server signs security descriptors wrongly, or somebody changed one: no more are read on this connection")
	}
	return true
}
