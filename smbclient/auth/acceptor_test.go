package auth

import (
	"bytes"
	"context"
	"testing"

	"github.com/oiweiwei/go-msrpc/ssp/credential"
	"github.com/oiweiwei/go-msrpc/ssp/gssapi"
	"github.com/oiweiwei/go-msrpc/ssp/name"
	"github.com/oiweiwei/go-msrpc/ssp/ntlm"
	"github.com/oiweiwei/go-msrpc/ssp/spnego"
)

// acceptor is the library's own server side, with one account in a store of its
// own.
type acceptor struct {
	ctx  context.Context
	opts []gssapi.Option
}

func newAcceptor(user, domain, password string) *acceptor {
	db := credential.NewLocalDatabase()
	db.Add(&ntlmCredential{user: user, domain: domain, password: NewSecret(password)})
	mechs := []gssapi.MechanismFactory{ntlm.Mechanism{}}
	return &acceptor{
		ctx: gssapi.NewSecurityContext(context.Background(),
			gssapi.WithMechanismFactory(spnego.Mechanism{}, &spnego.Config{MechanismsList: mechs}),
			gssapi.WithMechanismFactory(ntlm.Mechanism{})),
		opts: []gssapi.Option{
			gssapi.WithMechanismType(spnego.Mechanism{}.Type()),
			gssapi.WithServerNames(&name.Name{Type: name.NetBIOSNameType, Name: "SRV", Domain: "DOM"}),
			gssapi.WithCredentialDatabase(gssapi.NewCredentialDatabase(db, gssapi.AllowAnonymous(true))),
		},
	}
}

func (a *acceptor) accept(token []byte) ([]byte, error) {
	// The acceptor writes to the token.
	out, err := gssapi.AcceptSecurityContext(a.ctx, &gssapi.Token{Payload: bytes.Clone(token)}, a.opts...)
	if out == nil {
		return nil, err
	}
	return out.Payload, err
}

func (a *acceptor) key() []byte {
	v, _ := gssapi.GetAttribute(a.ctx, gssapi.AttributeSessionKey)
	key, _ := v.([]byte)
	return key
}

// trace is the tokens of an exchange, in order.
type trace struct{ negotiate, challenge, authenticate, final []byte }

// talk takes an exchange to the server's final token and hands that on only if
// the server accepted.
func talk(t *testing.T, m Mechanism, a *acceptor) (tr trace, serverErr error) {
	t.Helper()
	ctx := context.Background()
	var err error
	if tr.negotiate, err = m.Init(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if tr.challenge, err = a.accept(tr.negotiate); err != nil {
		t.Fatal(err)
	}
	if tr.authenticate, err = m.Init(ctx, tr.challenge); err != nil {
		t.Fatal(err)
	}
	if m.Complete() || m.SessionKey() != nil {
		t.Fatal("complete before the server's last word")
	}
	tr.final, serverErr = a.accept(tr.authenticate)
	return tr, serverErr
}
