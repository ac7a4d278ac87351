// Package auth proves to an SMB server who we are: the GSS exchange inside
// SESSION_SETUP (MS-SMB2 3.2.4.2.3), as tokens in and tokens out.
//
// The mechanisms are those of github.com/oiweiwei/go-msrpc/ssp; this package
// gives them a form that a client needs, and keeps their global stores out of
// it: every exchange has a security context with its own mechanisms and its own
// credential. A further mechanism (Kerberos) is one more file with a
// constructor like NewNTLM, which hands newExchange its factories.
//
// There are no goroutines and no locks; a Mechanism belongs to whoever sets up
// the session, and to one goroutine at a time. It is used for one exchange and
// thrown away.
//
// What must never be done: formatting a password, a hash or a session key. All
// types here print without them, and no error holds one.
package auth

import (
	"context"
	"errors"
)

var (
	// ErrRejected says that the server's token ended the exchange.
	ErrRejected = errors.New("auth: server rejected the exchange")
	// ErrNoMechanism says that the server offers no mechanism that we have.
	ErrNoMechanism = errors.New("auth: no mechanism in common with the server")
	// ErrToken says that a token from the server is malformed or fails its check.
	ErrToken = errors.New("auth: bad token from the server")
	// ErrUsed says that a Mechanism was used after its exchange had ended.
	ErrUsed = errors.New("auth: exchange has ended")
)

// Mechanism is one exchange of tokens with a server.
type Mechanism interface {
	// Init takes the server's last token and returns the next one to send. The
	// first call takes the token of the NEGOTIATE response (NegTokenInit2,
	// MS-SPNG 2.2.1), which may be empty. A nil token with no error means that
	// there is nothing more to send.
	//
	// The token of the SESSION_SETUP response that ends the exchange with
	// STATUS_SUCCESS goes through Init too: it may hold the server's
	// mechListMIC, and the session is not to be trusted before that is checked.
	Init(ctx context.Context, serverToken []byte) (token []byte, err error)

	// Complete reports whether the exchange has succeeded.
	Complete() bool

	// SessionKey returns the key agreed on, of 16 bytes or more, once Complete;
	// before that nil. It is the input of crypt.DeriveKeys. The key of an
	// anonymous exchange protects nothing: such a session is not signed.
	SessionKey() []byte
}
