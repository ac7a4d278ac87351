package smbclient

import (
	"context"

	"smbfs/smbclient/auth"
	"smbfs/smbclient/wire"
)

// Authentications counts how often the user of the session was authenticated: once, and again for each Reauthenticate.
func (s *Session) Authentications() uint64 { return s.renewed.Load() }

// Reauthenticate authenticates the user again, for a server that says that the session has expired (MS-SMB2 3.2.4.2.3.1, 3.2.5.3.2): the
// session, its keys, and what is open in it stay as they are. seen is what Authentications returned before the request that the server
// refused: if somebody has authenticated since, nothing is done.
func (s *Session) Reauthenticate(ctx context.Context, seen uint64) error {
	const op = "session setup"
	select {
	case s.renewing <- struct{}{}:
		defer func() { <-s.renewing }()
	case <-ctx.Done():
		return opError(op, context.Cause(ctx))
	}
	if s.renewed.Load() != seen {
		return nil
	}
	mech, err := auth.NewNTLM(s.conn.cfg.Credentials, "cifs/"+s.conn.cfg.Server)
	if err != nil {
		return opError(op, err)
	}
	token, err := mech.Init(ctx, s.conn.negotiated.token)
	for range maxLegs {
		if err != nil {
			return opError(op, err)
		}
		var done bool
		if token, done, err = s.again(ctx, token); err != nil {
			return err
		}
		if done {
			s.renewed.Add(1)
			return nil
		}
		token, err = mech.Init(ctx, token)
	}
	return opError(op, protocolError("the authentication does not end"))
}

// again sends one token in the name of the session, protected as its other requests are, and returns the server's.
func (s *Session) again(ctx context.Context, token []byte) (reply []byte, done bool, err error) {
	const op = "session setup"
	mode := wire.SigningEnabled
	if s.conn.cfg.Sign {
		mode = wire.SigningRequired
	}
	r := newRequest(wire.CommandSessionSetup, &wire.SessionSetupRequest{SecurityMode: mode, SecurityBuffer: token})
	r.forceSign = true // or anybody in between could have another user take the session over
	if err := s.conn.roundTrip(ctx, single(s, 0, r)); err != nil {
		return nil, false, opError(op, err)
	}
	status := r.response.status
	if status != wire.StatusSuccess && status != wire.StatusMoreProcessingRequired {
		return nil, false, &Error{Op: op, Name: s.conn.cfg.Credentials.String(), Status: status}
	}
	var resp wire.SessionSetupResponse
	if err := resp.Decode(r.response.body); err != nil {
		return nil, false, opError(op, s.conn.broken(err))
	}
	return resp.SecurityBuffer, status == wire.StatusSuccess, nil
}
