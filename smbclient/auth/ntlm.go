package auth

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/oiweiwei/go-msrpc/ssp/credential"
	"github.com/oiweiwei/go-msrpc/ssp/gssapi"
	"github.com/oiweiwei/go-msrpc/ssp/ntlm"
)

// NewNTLM returns an exchange of SPNEGO over NTLMv2 (MS-NLMP), with the MIC in
// AUTHENTICATE and with mechListMIC both ways. targetSPN names the service, as
// "cifs/host"; it goes into the response's target information, so that a server
// that checks it refuses a relayed logon.
//
// A guest without a password and an anonymous logon prove nothing: the server
// decides what they may do, and their session is not signed.
func NewNTLM(creds Credentials, targetSPN string) (Mechanism, error) {
	cred := newNTLMCredential(creds)
	if !creds.IsAnonymous() && cred.user == "" {
		return nil, errors.New("auth: NTLM: no user name")
	}
	return newExchange("auth: NTLM", ntlmLegs, cred, targetSPN, ntlmFactory{}), nil
}

// ntlmLegs is how many tokens we send: NEGOTIATE and AUTHENTICATE. MS-NLMP 1.3.1.
const ntlmLegs = 2

// ntlmFactory is the library's mechanism, set up as we need it.
type ntlmFactory struct{ ntlm.Mechanism }

func (f ntlmFactory) New(ctx context.Context) (gssapi.Mechanism, error) {
	m, err := f.Mechanism.New(ctx)
	if err != nil {
		return nil, err
	}
	n, ok := m.(*ntlm.Mechanism)
	if !ok {
		return nil, ErrNoMechanism
	}
	// With a version NEGOTIATE carries no domain and workstation, which it
	// would have to put into an OEM code page. MS-NLMP 2.2.1.1.
	n.Config.Version = ntlm.DefaultVersion
	// The library's copy of its configuration makes of no channel bindings
	// empty ones, and would send their hash: no bindings are 16 zeros.
	// MS-NLMP 3.1.5.1.2.
	if len(n.Config.ChannelBindings) == 0 {
		n.Config.ChannelBindings = nil
	}
	return ntlmMechanism{n}, nil
}

// ntlmMechanism is the library's mechanism for servers that send a CHALLENGE without Version, as ksmbd does.
type ntlmMechanism struct{ *ntlm.Mechanism }

func (m ntlmMechanism) Init(ctx context.Context, token *gssapi.Token) (*gssapi.Token, error) {
	return m.Mechanism.Init(ctx, &gssapi.Token{Payload: withVersion(token.Payload)})
}

// Offsets in CHALLENGE. MS-NLMP 2.2.1.2; Version is there if the flag NTLMSSP_NEGOTIATE_VERSION says so (2.2.2.5).
const (
	challengeTargetName = 12
	challengeTargetInfo = 40
	challengeVersion    = 48
	challengePayload    = 56
)

// withVersion returns a CHALLENGE whose payload begins where Version would be with an empty one, which the library takes for granted, and anything
// else as it is. A MIC is then not that of what the server sent; only a server of which the client wants one, by a time in its target information,
// checks it (MS-NLMP 3.1.5.1.2), and those send a version.
func withVersion(msg []byte) []byte {
	if len(msg) < challengeVersion {
		return msg
	}
	short := false
	for _, field := range []int{challengeTargetName, challengeTargetInfo} {
		length, offset := binary.LittleEndian.Uint16(msg[field:]), binary.LittleEndian.Uint32(msg[field+4:])
		short = short || length > 0 && offset >= challengeVersion && offset < challengePayload
	}
	if !short {
		return msg
	}
	const added = challengePayload - challengeVersion
	msg = slices.Concat(msg[:challengeVersion], make([]byte, added), msg[challengeVersion:])
	for _, field := range []int{challengeTargetName, challengeTargetInfo} {
		offset := msg[field+4:]
		binary.LittleEndian.PutUint32(offset, binary.LittleEndian.Uint32(offset)+added)
	}
	return msg
}

// ntlmCredential is the library's credential.Password. Its own kind would split
// user@domain, and prints the password.
type ntlmCredential struct {
	user, domain, workstation string
	password                  Secret
}

var _ credential.Password = (*ntlmCredential)(nil)

// newNTLMCredential makes an anonymous logon one of no user and no password,
// which is what the library takes for it.
func newNTLMCredential(c Credentials) *ntlmCredential {
	n := &ntlmCredential{workstation: c.Workstation}
	if !c.IsAnonymous() {
		n.user, n.domain = c.account()
		n.password = c.Password
	}
	return n
}

func (n *ntlmCredential) UserName() string    { return n.user }
func (n *ntlmCredential) DomainName() string  { return n.domain }
func (n *ntlmCredential) Workstation() string { return n.workstation }
func (n *ntlmCredential) Password() string    { return n.password.Reveal() }
