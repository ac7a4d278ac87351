package smbclient

import (
	"context"
	"fmt"
	"sync/atomic"

	"smbfs/smbclient/auth"
	"smbfs/smbclient/crypt"
	"smbfs/smbclient/wire"
)

// maxLegs bounds the round trips of an authentication. NTLM takes two, Kerberos one or two.
const maxLegs = 8

// Session is an authenticated user on a Connection (MS-SMB2 3.2.1.3). Its fields but the last two are constant once Connect has
// returned.
type Session struct {
	conn  *Connection
	id    uint64
	flags wire.SessionFlags

	signer       crypt.Signer  // nil: guest and anonymous sessions have no key
	sealer       *crypt.Sealer // nil: no encryption was negotiated
	signRequired bool
	sealRequired bool

	validate validation

	renewing chan struct{} // holds one token while somebody authenticates again
	renewed  atomic.Uint64
}

// Connection returns the session's connection.
func (s *Session) Connection() *Connection { return s.conn }

// ID is the server's number for the session.
func (s *Session) ID() uint64 { return s.id }

// Guest reports whether the server took the user for its guest, or for nobody.
func (s *Session) Guest() bool { return s.flags&(wire.SessionIsGuest|wire.SessionIsNull) != 0 }

// Signing describes for people how messages are signed.
func (s *Session) Signing() string {
	switch {
	case s.signer == nil:
		return "none"
	case s.signRequired:
		return s.conn.negotiated.signing.String()
	}
	return s.conn.negotiated.signing.String() + ", not required"
}

// Encryption describes for people how messages are encrypted.
func (s *Session) Encryption() string {
	switch {
	case s.sealer == nil:
		return "none"
	case s.sealRequired:
		return s.conn.negotiated.cipher.String()
	}
	return s.conn.negotiated.cipher.String() + ", not required"
}

// setupSession authenticates (MS-SMB2 3.2.4.2.3, 3.2.5.3).
func (c *Connection) setupSession(ctx context.Context) (*Session, error) {
	mech, err := auth.NewNTLM(c.cfg.Credentials, "cifs/"+c.cfg.Server)
	if err != nil {
		return nil, err
	}
	e := &setup{conn: c, mech: mech, preauth: c.negotiated.preauth, session: &Session{conn: c, renewing: make(chan struct{}, 1)}}
	token, err := mech.Init(ctx, c.negotiated.token)
	if err != nil {
		return nil, err
	}
	for range maxLegs {
		final, err := e.leg(ctx, token)
		if err != nil {
			return nil, err
		}
		if e.succeeded {
			return e.finish(ctx, final)
		}
		if token, err = mech.Init(ctx, final.SecurityBuffer); err != nil {
			return nil, err
		}
	}
	return nil, protocolError("the authentication does not end")
}

// setup is an authentication under way.
type setup struct {
	conn      *Connection
	mech      auth.Mechanism
	preauth   [64]byte
	session   *Session // id only: nothing is signed before the end
	succeeded bool
	last      *request // the one that succeeded
}

// leg sends one token and returns the response with the next. The pre-authentication hash takes in all messages but the
// response that ends the exchange.
func (e *setup) leg(ctx context.Context, token []byte) (*wire.SessionSetupResponse, error) {
	mode := wire.SigningEnabled
	if e.conn.cfg.Sign {
		mode = wire.SigningRequired
	}
	r := newRequest(wire.CommandSessionSetup, &wire.SessionSetupRequest{
		SecurityMode: mode, PreviousSessionID: e.conn.cfg.PreviousSession, SecurityBuffer: token,
	})
	r.keepRaw = true
	m := single(&Session{conn: e.conn, id: e.session.id}, 0, r)
	m.encoded = func(msg []byte) { e.preauth = crypt.PreauthHash(e.preauth, msg) }
	if err := e.conn.roundTrip(ctx, m); err != nil {
		return nil, err
	}
	h := &r.response
	switch h.status {
	case wire.StatusSuccess:
		e.succeeded, e.last = true, r
	case wire.StatusMoreProcessingRequired:
		e.preauth = crypt.PreauthHash(e.preauth, r.response.raw)
	default:
		return nil, &Error{Op: "session setup", Name: e.conn.cfg.Credentials.String(), Status: h.status}
	}
	if e.session.id != 0 && h.sessionID != e.session.id {
		return nil, protocolError("the session id changed")
	}
	e.session.id = h.sessionID
	var resp wire.SessionSetupResponse
	if err := resp.Decode(r.response.body); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return &resp, nil
}

// finish derives the keys, checks the last response with them and makes the session known.
func (e *setup) finish(ctx context.Context, final *wire.SessionSetupResponse) (*Session, error) {
	s, c := e.session, e.conn
	s.flags = final.SessionFlags
	if c.cfg.Credentials.IsAnonymous() {
		s.flags |= wire.SessionIsNull // servers do not always say so
	}
	if s.Guest() {
		if err := e.acceptGuest(); err != nil {
			return nil, err
		}
	} else if err := e.keys(ctx, final); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	c.sessions[s.id] = s
	c.echoSession = s
	return s, nil
}

// acceptGuest allows a session without keys if that is what was asked for, and nothing asked for protection.
func (e *setup) acceptGuest() error {
	cfg := &e.conn.cfg
	if !cfg.Credentials.Guest && !cfg.Credentials.Anonymous {
		return ErrGuest
	}
	if cfg.Sign || cfg.Seal || e.conn.negotiated.serverMode&wire.SigningRequired != 0 || e.session.flags&wire.SessionEncryptData != 0 {
		return fmt.Errorf("%w, which can neither be signed nor encrypted", ErrGuest)
	}
	return nil
}

// keys derives the session's keys and verifies the signature of the response that ended the exchange (MS-SMB2 3.2.5.3.1).
func (e *setup) keys(ctx context.Context, final *wire.SessionSetupResponse) error {
	s, c := e.session, e.conn
	if _, err := e.mech.Init(ctx, final.SecurityBuffer); err != nil {
		return err
	}
	if !e.mech.Complete() {
		return protocolError("success in the middle of the authentication")
	}
	n := &c.negotiated
	keys := crypt.DeriveKeys(uint16(n.dialect), e.mech.SessionKey(), e.preauth[:], uint16(n.cipher))
	var err error
	if s.signer, err = crypt.NewSigner(uint16(n.signing), keys.SigningKey); err != nil {
		return err
	}
	if n.cipher != wire.CipherNone {
		if s.sealer, err = crypt.NewSealer(uint16(n.cipher), keys.EncryptionKey, keys.DecryptionKey); err != nil {
			return err
		}
	}
	s.sealRequired = c.cfg.Seal || s.flags&wire.SessionEncryptData != 0
	if s.sealRequired && s.sealer == nil {
		return ErrNoEncryption
	}
	s.signRequired = c.cfg.Sign || n.serverMode&wire.SigningRequired != 0
	return e.verifyLast()
}

// verifyLast checks the response that ended the exchange. With 3.1.1 it is always signed, since the pre-authentication
// integrity rests on that.
func (e *setup) verifyLast() error {
	signed := e.last.response.flags&wire.FlagSigned != 0
	if !signed && !e.session.signRequired && e.conn.negotiated.dialect < wire.Dialect311 {
		return nil
	}
	if !signed || !e.session.signer.Verify(e.last.response.raw) {
		err := fmt.Errorf("%w: the end of the session setup", ErrSignature)
		e.conn.fail(err)
		return err
	}
	return nil
}

// Logoff ends the session on the server.
func (s *Session) Logoff(ctx context.Context) error {
	c := s.conn
	c.mu.Lock()
	if c.echoSession == s {
		c.echoSession = nil
	}
	c.mu.Unlock()
	m := single(s, 0, newRequest(wire.CommandLogoff, &wire.LogoffRequest{}))
	if err := c.roundTrip(ctx, m); err != nil {
		return opError("logoff", err)
	}
	return statusError("logoff", "", &m.requests[0].response)
}

// Close ends the connection, and with it the session. See Connection.Close.
func (s *Session) Close() { s.conn.Close() }
