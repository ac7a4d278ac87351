package smbclient

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"smbfs/smbclient/wire"
)

// TreeConnect is a share in use (MS-SMB2 3.2.1.4).
type TreeConnect struct {
	session *Session
	share   string
	id      uint32
	info    wire.TreeConnectResponse
	seal    bool // the share demands encryption

	noPosixDelete atomic.Bool  // the server knows no FileDispositionInformationEx
	cloning       atomic.Int64 // see cloneBlock; 0: not known yet
}

// Session returns the session of the share.
func (t *TreeConnect) Session() *Session { return t.session }

// Share returns the name of the share.
func (t *TreeConnect) Share() string { return t.share }

// Info returns what the server said of the share.
func (t *TreeConnect) Info() wire.TreeConnectResponse { return t.info }

// Encrypted reports whether every message about this share is encrypted.
func (t *TreeConnect) Encrypted() bool { return t.seal || t.session.sealRequired }

// TreeConnect connects to a share of that name (MS-SMB2 3.2.4.2.4). Below 3.1.1 the first one of a session has the negotiation
// validated.
func (s *Session) TreeConnect(ctx context.Context, share string) (*TreeConnect, error) {
	const op = "tree connect"
	if share == "" || strings.ContainsAny(share, "\\/\x00") {
		return nil, opError(op, fmt.Errorf("%w: %q", ErrInvalidName, share))
	}
	c := s.conn
	r := newRequest(wire.CommandTreeConnect, &wire.TreeConnectRequest{Path: `\\` + c.cfg.Server + `\` + share})
	r.forceSign = c.negotiated.dialect >= wire.Dialect311 // MS-SMB2 3.2.4.1.1
	if err := c.roundTrip(ctx, single(s, 0, r)); err != nil {
		return nil, opError(op, err)
	}
	if err := statusError(op, share, &r.response); err != nil {
		return nil, err
	}
	t := &TreeConnect{session: s, share: share, id: r.response.treeID}
	if err := t.info.Decode(r.response.body); err != nil {
		return nil, opError(op, c.broken(err))
	}
	if t.info.ShareFlags&wire.ShareEncryptData != 0 {
		if s.sealer == nil {
			return nil, opError(op, ErrNoEncryption)
		}
		t.seal = true
	}
	if err := s.validate.once(ctx, t); err != nil {
		return nil, opError(op, err)
	}
	return t, nil
}

// Disconnect ends the use of the share. What is open on it is closed by the server.
func (t *TreeConnect) Disconnect(ctx context.Context) error {
	resp, err := t.call(ctx, newRequest(wire.CommandTreeDisconnect, &wire.TreeDisconnectRequest{}))
	if err != nil {
		return opError("tree disconnect", err)
	}
	return statusError("tree disconnect", t.share, resp)
}

// call sends one request about the share and waits for its response.
func (t *TreeConnect) call(ctx context.Context, r *request) (*response, error) {
	m := single(t.session, t.id, r)
	m.seal = t.seal
	if err := t.session.conn.roundTrip(ctx, m); err != nil {
		return nil, err
	}
	return &r.response, nil
}

// callRelated sends a compound whose requests are related, and waits for all responses.
func (t *TreeConnect) callRelated(ctx context.Context, requests ...*request) error {
	m := &message{requests: requests, session: t.session, treeID: t.id, related: true, seal: t.seal}
	return t.session.conn.roundTrip(ctx, m)
}

// statusError is nil for STATUS_SUCCESS.
func statusError(op, name string, r *response) error {
	if r.status == wire.StatusSuccess {
		return nil
	}
	return &Error{Op: op, Name: name, Status: r.status}
}

// broken ends the connection because of a response that could not be decoded: nothing else in it can be trusted either.
func (c *Connection) broken(err error) error {
	c.fail(fmt.Errorf("%w: %w", ErrProtocol, err))
	return c.Err()
}

// validation is VALIDATE_NEGOTIATE_INFO, which has to succeed once for a session (MS-SMB2 3.2.5.5).
type validation struct {
	mu   sync.Mutex
	done bool // guarded by mu
}

// once validates unless that has been done. mu is held over the network: a second tree connect of the session has
// to wait for the outcome.
func (v *validation) once(ctx context.Context, t *TreeConnect) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := t.session
	if v.done || s.signer == nil || s.conn.negotiated.dialect >= wire.Dialect311 {
		return nil
	}
	if err := t.validateNegotiate(ctx); err != nil {
		return err
	}
	v.done = true
	return nil
}

// validateNegotiate asks, signed, what the server remembers of the negotiation. Any difference means that somebody in between
// changed it, and ends the connection.
func (t *TreeConnect) validateNegotiate(ctx context.Context) error {
	c := t.session.conn
	n := &c.negotiated
	in := wire.ValidateNegotiateInfoRequest{
		Capabilities: n.request.Capabilities,
		GUID:         n.request.ClientGUID,
		SecurityMode: n.request.SecurityMode,
		Dialects:     n.request.Dialects,
	}
	out, err := t.ioctl(ctx, anyFile, wire.FsctlValidateNegotiateInfo, in.Append(nil), 24, true)
	if HasStatus(err, wire.StatusNotSupported, wire.StatusInvalidDeviceRequest, wire.StatusFileClosed) {
		return nil // an older server, and that it is one was signed
	}
	if err != nil {
		return err
	}
	var resp wire.ValidateNegotiateInfoResponse
	if err := resp.Decode(out); err != nil {
		return c.broken(err)
	}
	if resp.Capabilities != n.serverCaps || resp.GUID != n.serverGUID || resp.SecurityMode != n.serverMode || resp.Dialect != n.dialect {
		c.fail(ErrDowngrade)
		return c.Err()
	}
	return nil
}
