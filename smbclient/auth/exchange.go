package auth

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/oiweiwei/go-msrpc/ssp/gssapi"
	"github.com/oiweiwei/go-msrpc/ssp/spnego"
)

// exchange is a SPNEGO exchange over one or more mechanisms. RFC 4178, MS-SPNG.
type exchange struct {
	name    string          // of the mechanism, for errors
	offers  []gssapi.OID    // mechanisms we have, best first
	legs    int             // tokens to send before the exchange can succeed
	sent    int             // tokens sent so far
	sec     context.Context // holds the gssapi.SecurityContext
	options []gssapi.Option
	done    bool
	failed  bool
}

// minSessionKey is the shortest key an exchange may agree on, in bytes. MS-SMB2
// 3.2.1.3 pads shorter ones; no mechanism here makes any.
const minSessionKey = 16

// newExchange prepares an exchange over the given mechanisms, best first, each
// of which sends at least so many tokens. The credential and the mechanisms are
// stored in this exchange's context and nowhere else.
func newExchange(name string, legs int, cred any, targetSPN string, mechs ...gssapi.MechanismFactory) *exchange {
	x := &exchange{name: name, legs: legs}
	opts := []gssapi.ContextOption{
		gssapi.WithCredential(cred),
		gssapi.WithMechanismFactory(spnego.Mechanism{}, &spnego.Config{MechanismsList: mechs}),
	}
	for _, m := range mechs {
		opts = append(opts, gssapi.WithMechanismFactory(m))
		x.offers = append(x.offers, m.Type())
	}
	x.sec = gssapi.NewSecurityContext(context.Background(), opts...)
	x.options = []gssapi.Option{
		gssapi.WithMechanismType(spnego.Mechanism{}.Type()),
		gssapi.WithTargetName(targetSPN),
		gssapi.WithRequest(gssapi.Integrity | gssapi.ReplayDetection | gssapi.Sequencing),
	}
	return x
}

// exchangeContext is the caller's context for its end, and the exchange's for
// its values.
type exchangeContext struct {
	context.Context
	sec context.Context
}

func (c exchangeContext) Value(key any) any {
	if v := c.sec.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

func (x *exchange) Init(ctx context.Context, serverToken []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", x.name, err)
	}
	if x.done || x.failed {
		return nil, fmt.Errorf("%s: %w", x.name, ErrUsed)
	}
	token, err := x.step(exchangeContext{ctx, x.sec}, serverToken)
	if err != nil {
		x.failed = true
		return nil, fmt.Errorf("%s: %w", x.name, err)
	}
	return token, nil
}

func (x *exchange) step(ctx context.Context, serverToken []byte) ([]byte, error) {
	in := &gssapi.Token{Payload: serverToken}
	switch {
	case x.sent == 0:
		if !x.offered(ctx, serverToken) {
			return nil, ErrNoMechanism
		}
		// The library would answer a NegTokenInit2 with a NegTokenResp, where
		// MS-SPNG 3.2.5.2 has the client send its own NegTokenInit.
		in.Payload = nil
	case len(serverToken) == 0:
		// A server that has nothing to add, a mechListMIC included: RFC 4178 5
		// leaves it out for the preferred mechanism.
		return nil, x.finish()
	}
	out, err := initContext(ctx, in, x.options)
	if err != nil {
		return nil, err
	}
	if len(out.Payload) == 0 {
		return nil, x.finish()
	}
	x.sent++
	return out.Payload, nil
}

// finish ends the exchange. A server that claims success before we have proved
// anything, or without a key, has not authenticated us.
func (x *exchange) finish() error {
	if x.sent < x.legs || len(x.key()) < minSessionKey {
		return fmt.Errorf("%w: success too early", ErrToken)
	}
	x.done = true
	return nil
}

// initContext makes a panic of the library's decoders an error: what they
// decode comes from a server that nobody has authenticated yet.
func initContext(ctx context.Context, in *gssapi.Token, opts []gssapi.Option) (out *gssapi.Token, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("%w: decoder failed", ErrToken)
		}
	}()
	out, err = gssapi.InitSecurityContext(ctx, in, opts...)
	switch {
	case err == nil:
		return out, nil
	case errors.Is(err, spnego.ErrReject):
		return nil, ErrRejected
	}
	return nil, fmt.Errorf("%w: %w", ErrToken, err)
}

// offered reports whether the NEGOTIATE response's token lists a mechanism of
// ours. It is a hint that nothing protects: one that is absent or cannot be
// read forbids nothing.
func (x *exchange) offered(ctx context.Context, token []byte) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = true
		}
	}()
	var hint spnego.NegTokenInit
	if len(token) == 0 || hint.Unmarshal(ctx, token) != nil || len(hint.MechTypes) == 0 {
		return true
	}
	for _, theirs := range hint.MechTypes {
		for _, ours := range x.offers {
			if ours.Equal(gssapi.OID(theirs)) {
				return true
			}
		}
	}
	return false
}

func (x *exchange) Complete() bool { return x.done }

func (x *exchange) SessionKey() []byte {
	if !x.done {
		return nil
	}
	return append([]byte(nil), x.key()...)
}

// key is the mechanism's session key so far.
func (x *exchange) key() []byte {
	v, _ := gssapi.GetAttribute(x.sec, gssapi.AttributeSessionKey)
	key, _ := v.([]byte)
	return key
}

// Format prints the mechanism's name for every verb: the context inside holds
// the credential and the key.
func (x *exchange) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, x.name) }
