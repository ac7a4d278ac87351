package smbtest

import (
	"bytes"
	"context"
	"time"

	"github.com/oiweiwei/go-msrpc/ssp/credential"
	"github.com/oiweiwei/go-msrpc/ssp/gssapi"
	"github.com/oiweiwei/go-msrpc/ssp/name"
	"github.com/oiweiwei/go-msrpc/ssp/ntlm"
	"github.com/oiweiwei/go-msrpc/ssp/spnego"

	"smbfs/smbclient/crypt"
	"smbfs/smbclient/wire"
)

// serverGUID is every server's.
var serverGUID = wire.GUID{'s', 'm', 'b', 't', 'e', 's', 't'}

func (s *Server) capabilities(d wire.Dialect) wire.Capabilities {
	var caps wire.Capabilities
	if !s.options.NoLargeMTU {
		caps |= wire.CapLargeMTU
	}
	if s.options.Leases {
		caps |= wire.CapLeasing
	}
	if d >= wire.Dialect300 && d < wire.Dialect311 && !s.options.NoEncryption {
		caps |= wire.CapEncryption
	}
	return caps
}

func (r *Request) negotiate() {
	c := r.Conn
	var in wire.NegotiateRequest
	if !r.decode(&in) {
		return
	}
	if c.dialect = c.server.highest(in.Dialects); c.dialect == 0 {
		r.Reply(wire.StatusNotSupported, nil)
		return
	}
	c.validate = wire.ValidateNegotiateInfoRequest{
		Capabilities: in.Capabilities, GUID: in.ClientGUID, SecurityMode: in.SecurityMode, Dialects: in.Dialects,
	}
	o := &c.server.options
	out := &wire.NegotiateResponse{
		SecurityMode:    o.SecurityMode,
		Dialect:         c.dialect,
		ServerGUID:      serverGUID,
		Capabilities:    c.server.capabilities(c.dialect),
		MaxTransactSize: o.MaxSize,
		MaxReadSize:     o.MaxSize,
		MaxWriteSize:    o.MaxSize,
		SystemTime:      wire.FiletimeOf(time.Now()),
	}
	c.choose(out)
	c.preauth = crypt.PreauthHash(c.preauth, r.Message)
	resp := r.Response(wire.StatusSuccess, out)
	resp.Mutate = func(msg []byte) []byte { c.preauth = crypt.PreauthHash(c.preauth, msg); return msg }
	resp.Send()
}

// highest is the highest of the dialects that the server speaks, 0 if there is none.
func (s *Server) highest(dialects []wire.Dialect) (d wire.Dialect) {
	for _, offered := range dialects {
		if offered <= s.options.Dialect {
			d = max(d, offered)
		}
	}
	return d
}

// choose settles the algorithms.
func (c *Conn) choose(out *wire.NegotiateResponse) {
	o := &c.server.options
	c.cipher, c.signing = wire.CipherNone, wire.SigningAESCMAC
	switch {
	case c.dialect < wire.Dialect300:
		c.signing = wire.SigningHMACSHA256
	case c.dialect < wire.Dialect311:
		if !o.NoEncryption {
			c.cipher = wire.CipherAES128CCM
		}
	default:
		c.signing = o.Signing
		if !o.NoEncryption {
			if c.cipher = o.Cipher; c.cipher == 0 {
				c.cipher = wire.CipherAES128GCM
			}
		}
		preauth := wire.PreauthIntegrityCapabilities{HashAlgorithms: []wire.HashAlgorithm{wire.HashSHA512}, Salt: make([]byte, 32)}
		cipher := wire.EncryptionCapabilities{Ciphers: []wire.Cipher{c.cipher}}
		signing := wire.SigningCapabilities{Algorithms: []wire.SigningAlgorithm{c.signing}}
		out.Contexts = []wire.NegotiateContext{preauth.Context(), cipher.Context(), signing.Context()}
	}
}

// setup is an authentication under way: the library's server side.
type setup struct {
	ctx  context.Context
	opts []gssapi.Option
}

// account is the library's view of the server's only user.
type account struct{}

func (account) UserName() string    { return User }
func (account) DomainName() string  { return "" }
func (account) Workstation() string { return "" }
func (account) Password() string    { return Password }

func newSetup() *setup {
	db := credential.NewLocalDatabase()
	db.Add(account{})
	return &setup{
		ctx: gssapi.NewSecurityContext(context.Background(),
			gssapi.WithMechanismFactory(spnego.Mechanism{}, &spnego.Config{MechanismsList: []gssapi.MechanismFactory{ntlm.Mechanism{}}}),
			gssapi.WithMechanismFactory(ntlm.Mechanism{})),
		opts: []gssapi.Option{
			gssapi.WithMechanismType(spnego.Mechanism{}.Type()),
			gssapi.WithServerNames(&name.Name{Type: name.NetBIOSNameType, Name: "SRV", Domain: "DOM"}),
			gssapi.WithCredentialDatabase(gssapi.NewCredentialDatabase(db, gssapi.AllowAnonymous(true))),
		},
	}
}

func (s *setup) accept(token []byte) ([]byte, error) {
	out, err := gssapi.AcceptSecurityContext(s.ctx, &gssapi.Token{Payload: bytes.Clone(token)}, s.opts...)
	if out == nil {
		return nil, err
	}
	return out.Payload, err
}

func (s *setup) key() []byte {
	v, _ := gssapi.GetAttribute(s.ctx, gssapi.AttributeSessionKey)
	key, _ := v.([]byte)
	return key
}

const sessionID = 0x51

func (r *Request) sessionSetup() {
	c := r.Conn
	var in wire.SessionSetupRequest
	if !r.decode(&in) {
		return
	}
	if c.renewing = c.session != nil; !c.renewing {
		c.preauth = crypt.PreauthHash(c.preauth, r.Message)
	}
	first := c.setup == nil
	if first {
		c.setup = newSetup()
	}
	token, err := c.setup.accept(in.SecurityBuffer)
	switch {
	case first && err == nil:
		resp := r.Response(wire.StatusMoreProcessingRequired, &wire.SessionSetupResponse{SecurityBuffer: token})
		resp.Header.SessionID = sessionID
		if c.renewing {
			resp.Send()
			return
		}
		resp.Mutate = func(msg []byte) []byte { c.preauth = crypt.PreauthHash(c.preauth, msg); return msg }
		resp.Send()
	case err != nil && c.server.options.SessionFlags&(wire.SessionIsGuest|wire.SessionIsNull) != 0:
		r.sessionReady(nil) // whoever it is
	case err != nil:
		r.Reply(wire.StatusLogonFailure, nil)
	case c.renewing: // MS-SMB2 3.3.5.5.3: the keys stay
		c.setup = nil
		r.Reply(wire.StatusSuccess, &wire.SessionSetupResponse{SessionFlags: c.server.options.SessionFlags, SecurityBuffer: token})
	default:
		r.sessionReady(token)
		c.setup = nil
	}
}

// sessionReady derives the keys and sends the last response, signed with them.
func (r *Request) sessionReady(token []byte) {
	c := r.Conn
	flags := c.server.options.SessionFlags
	s := &session{id: sessionID, seal: flags&wire.SessionEncryptData != 0}
	if flags&(wire.SessionIsGuest|wire.SessionIsNull) == 0 {
		keys := crypt.DeriveKeys(uint16(c.dialect), c.setup.key(), c.preauth[:], uint16(c.cipher))
		s.signer, _ = crypt.NewSigner(uint16(c.signing), keys.SigningKey)
		if c.cipher != wire.CipherNone {
			s.sealer, _ = crypt.NewSealer(uint16(c.cipher), keys.DecryptionKey, keys.EncryptionKey)
		}
	}
	c.mu.Lock()
	c.session = s
	c.mu.Unlock()
	resp := r.Response(wire.StatusSuccess, &wire.SessionSetupResponse{SessionFlags: flags, SecurityBuffer: token})
	resp.Sign = s.signer != nil
	resp.Send()
}

func (r *Request) treeConnect() {
	var in wire.TreeConnectRequest
	if !r.decode(&in) {
		return
	}
	if !hasSuffixFold(in.Path, `\`+Share) {
		r.Reply(wire.StatusBadNetworkName, nil)
		return
	}
	resp := r.Response(wire.StatusSuccess, &wire.TreeConnectResponse{
		ShareType: wire.ShareTypeDisk, ShareFlags: r.Conn.server.options.ShareFlags, MaximalAccess: 0x001F01FF,
	})
	resp.Header.TreeID = 1
	resp.Send()
}

func (r *Request) ioctl() {
	var in wire.IoctlRequest
	if !r.decode(&in) {
		return
	}
	if in.CtlCode != wire.FsctlValidateNegotiateInfo {
		r.Reply(wire.StatusInvalidDeviceRequest, nil)
		return
	}
	c := r.Conn
	var told wire.ValidateNegotiateInfoRequest
	if err := told.Decode(in.Input); err != nil || told.GUID != c.validate.GUID || told.Capabilities != c.validate.Capabilities {
		c.server.violation("VALIDATE_NEGOTIATE_INFO differs from the NEGOTIATE")
	}
	if c.server.highest(told.Dialects) != c.dialect { // MS-SMB2 3.3.5.15.12
		c.Close()
		return
	}
	info := wire.ValidateNegotiateInfoResponse{
		Capabilities: c.server.capabilities(c.dialect), GUID: serverGUID, SecurityMode: c.server.options.SecurityMode, Dialect: c.dialect,
	}
	r.Reply(wire.StatusSuccess, &wire.IoctlResponse{CtlCode: in.CtlCode, FileID: in.FileID, Output: info.Append(nil)})
}
