package smbclient

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"smbfs/smbclient/crypt"
	"smbfs/smbclient/wire"
)

// negotiated is what client and server agreed on (MS-SMB2 3.2.1.2, 3.2.5.2).
type negotiated struct {
	dialect     wire.Dialect
	request     wire.NegotiateRequest // as sent, for VALIDATE_NEGOTIATE_INFO
	serverGUID  wire.GUID
	serverMode  wire.SecurityMode
	serverCaps  wire.Capabilities
	serverTime  wire.Filetime // its clock at localTime; zero: it did not tell
	localTime   time.Time
	largeMTU    bool
	maxTransact int
	maxRead     int
	maxWrite    int
	cipher      wire.Cipher // CipherNone: no encryption
	signing     wire.SigningAlgorithm
	token       []byte   // of the server's security mechanism
	preauth     [64]byte // 3.1.1
}

// allDialects are those that can be offered.
var allDialects = []wire.Dialect{wire.Dialect210, wire.Dialect300, wire.Dialect302, wire.Dialect311}

// dialects returns those that the configuration allows.
func (cfg *Config) dialects() []wire.Dialect {
	var list []wire.Dialect
	for _, d := range allDialects {
		if d >= cfg.MinDialect && d <= cfg.MaxDialect {
			list = append(list, d)
		}
	}
	return list
}

// What is offered, best first. GCM needs less time than CCM, and 128 bits less than 256.
var (
	offeredCiphers = []wire.Cipher{wire.CipherAES128GCM, wire.CipherAES256GCM, wire.CipherAES128CCM, wire.CipherAES256CCM}
	offeredSigning = []wire.SigningAlgorithm{wire.SigningAESGMAC, wire.SigningAESCMAC, wire.SigningHMACSHA256}
)

// negotiateRequest builds the request (MS-SMB2 3.2.4.2.2.2).
func (cfg *Config) negotiateRequest() (*wire.NegotiateRequest, error) {
	req := &wire.NegotiateRequest{
		SecurityMode: wire.SigningEnabled,
		ClientGUID:   cfg.ClientGUID,
		Dialects:     cfg.dialects(),
		Capabilities: wire.CapLargeMTU,
	}
	if cfg.Sign {
		req.SecurityMode = wire.SigningRequired
	}
	if cfg.MaxDialect >= wire.Dialect300 {
		req.Capabilities |= wire.CapEncryption | wire.CapLeasing
	}
	if !slices.Contains(req.Dialects, wire.Dialect311) {
		return req, nil
	}
	salt := make([]byte, 32)
	if _, err := rand.Read(salt); err != nil {
		return nil, err
	}
	preauth := wire.PreauthIntegrityCapabilities{HashAlgorithms: []wire.HashAlgorithm{wire.HashSHA512}, Salt: salt}
	encryption := wire.EncryptionCapabilities{Ciphers: offeredCiphers}
	signing := wire.SigningCapabilities{Algorithms: offeredSigning}
	req.Contexts = []wire.NegotiateContext{
		preauth.Context(), encryption.Context(), signing.Context(), wire.NetName(cfg.Server).Context(),
	}
	return req, nil
}

// negotiate agrees on a dialect and what goes with it.
func (c *Connection) negotiate(ctx context.Context) error {
	req, err := c.cfg.negotiateRequest()
	if err != nil {
		return err
	}
	r := newRequest(wire.CommandNegotiate, req)
	r.keepRaw = true
	m := single(nil, 0, r)
	var preauth [64]byte
	m.encoded = func(msg []byte) { preauth = crypt.PreauthHash(preauth, msg) }
	if err := c.roundTrip(ctx, m); err != nil {
		return err
	}
	if r.response.status == wire.StatusNotSupported {
		return fmt.Errorf("%w: offered %v", ErrDialect, req.Dialects)
	}
	if err := statusError("negotiate", "", &r.response); err != nil {
		return err
	}
	var resp wire.NegotiateResponse
	if err := resp.Decode(r.response.body); err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	n, err := c.agree(req, &resp)
	if err != nil {
		return err
	}
	n.preauth = crypt.PreauthHash(preauth, r.response.raw)
	c.setNegotiated(n)
	c.log.Debug("negotiated", "server", c.cfg.Server, "dialect", n.dialect, "cipher", n.cipher, "signing", n.signing,
		"maxRead", n.maxRead, "maxWrite", n.maxWrite, "maxTransact", n.maxTransact)
	return nil
}

// setNegotiated makes n the connection's. No request is outstanding, so nobody reads it meanwhile.
func (c *Connection) setNegotiated(n *negotiated) {
	c.negotiated = *n
	c.maxMessage.Store(int64(min(max(n.maxTransact, n.maxRead)+maxOverhead, maxTransport)))
}

// agree checks the server's choice (MS-SMB2 3.2.5.2).
func (c *Connection) agree(req *wire.NegotiateRequest, resp *wire.NegotiateResponse) (*negotiated, error) {
	if resp.Dialect == wire.Dialect202 || resp.Dialect == wire.DialectWildcard {
		return nil, fmt.Errorf("%w: the server chose %v", ErrDialect, resp.Dialect)
	}
	if !slices.Contains(req.Dialects, resp.Dialect) {
		return nil, protocolError("dialect %v was not offered", resp.Dialect)
	}
	n := &negotiated{
		dialect:    resp.Dialect,
		request:    *req,
		serverGUID: resp.ServerGUID,
		serverMode: resp.SecurityMode,
		serverCaps: resp.Capabilities,
		serverTime: resp.SystemTime,
		localTime:  time.Now(),
		largeMTU:   resp.Capabilities&wire.CapLargeMTU != 0,
		signing:    wire.SigningAESCMAC,
		token:      slices.Clone(resp.SecurityBuffer),
	}
	switch {
	case n.dialect < wire.Dialect300:
		n.signing = wire.SigningHMACSHA256
	case n.dialect < wire.Dialect311:
		if resp.Capabilities&wire.CapEncryption != 0 {
			n.cipher = wire.CipherAES128CCM
		}
	default:
		if err := n.agreeContexts(resp.Contexts); err != nil {
			return nil, err
		}
	}
	if c.cfg.Seal && n.cipher == wire.CipherNone {
		return nil, fmt.Errorf("%w with dialect %v", ErrNoEncryption, n.dialect)
	}
	return n, n.agreeSizes(resp, &c.cfg)
}

// minSize is the least that a server may allow to be read, written or transacted at once: MS-SMB2 2.2.4 wants 64 KiB.
const minSize = 64 << 10

// maxSize bounds what is believed of a server: a message with it and its overhead fits the transport.
const maxSize = 8 << 20

func (n *negotiated) agreeSizes(resp *wire.NegotiateResponse, cfg *Config) error {
	limit := uint32(maxSize)
	if !n.largeMTU {
		limit = creditUnit
	}
	for _, size := range []uint32{resp.MaxTransactSize, resp.MaxReadSize, resp.MaxWriteSize} {
		if size < minSize {
			return protocolError("a maximum size of %d bytes", size)
		}
	}
	n.maxTransact = int(min(resp.MaxTransactSize, limit))
	n.maxRead = bounded(resp.MaxReadSize, limit, cfg.MaxRead)
	n.maxWrite = bounded(resp.MaxWriteSize, limit, cfg.MaxWrite)
	return nil
}

// bounded is the least of what is offered, what is believed, and what is wanted, if anything is.
func bounded(offered, limit uint32, wanted int) int {
	n := int(min(offered, limit))
	if wanted > 0 {
		n = min(n, wanted)
	}
	return n
}

// agreeContexts checks the contexts of 3.1.1: one of each kind at most, choosing from what was offered.
func (n *negotiated) agreeContexts(contexts []wire.NegotiateContext) error {
	seen := make(map[wire.ContextType]bool)
	for _, ctx := range contexts {
		if seen[ctx.Type] {
			return protocolError("negotiate context %d comes twice", ctx.Type)
		}
		seen[ctx.Type] = true
		var err error
		switch ctx.Type {
		case wire.ContextPreauthIntegrity:
			err = checkPreauth(ctx.Data)
		case wire.ContextEncryption:
			n.cipher, err = chosenCipher(ctx.Data)
		case wire.ContextSigning:
			n.signing, err = chosenSigning(ctx.Data)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrProtocol, err)
		}
	}
	if !seen[wire.ContextPreauthIntegrity] {
		return protocolError("no pre-authentication integrity")
	}
	return nil
}

var errNotOffered = errors.New("the server chose what was not offered")

func checkPreauth(data []byte) error {
	var caps wire.PreauthIntegrityCapabilities
	if err := caps.Decode(data); err != nil {
		return err
	}
	if len(caps.HashAlgorithms) != 1 || caps.HashAlgorithms[0] != wire.HashSHA512 {
		return errNotOffered
	}
	return nil
}

func chosenCipher(data []byte) (wire.Cipher, error) {
	var caps wire.EncryptionCapabilities
	if err := caps.Decode(data); err != nil {
		return 0, err
	}
	if len(caps.Ciphers) != 1 {
		return 0, errNotOffered
	}
	cipher := caps.Ciphers[0]
	if cipher != wire.CipherNone && !slices.Contains(offeredCiphers, cipher) {
		return 0, errNotOffered
	}
	return cipher, nil
}

func chosenSigning(data []byte) (wire.SigningAlgorithm, error) {
	var caps wire.SigningCapabilities
	if err := caps.Decode(data); err != nil {
		return 0, err
	}
	if len(caps.Algorithms) != 1 || !slices.Contains(offeredSigning, caps.Algorithms[0]) {
		return 0, errNotOffered
	}
	return caps.Algorithms[0], nil
}

// ServerTime is what the server's clock shows now, by what it told when the connection was made. It is zero if it told nothing.
func (c *Connection) ServerTime() time.Time {
	at := c.negotiated.serverTime.Time()
	if at.IsZero() {
		return at
	}
	return at.Add(time.Since(c.negotiated.localTime))
}

// Dialect is the one that was agreed on.
func (c *Connection) Dialect() wire.Dialect { return c.negotiated.dialect }

// MaxReadSize is how many bytes one READ may ask for.
func (c *Connection) MaxReadSize() int { return c.negotiated.maxRead }

// MaxWriteSize is how many bytes one WRITE may carry.
func (c *Connection) MaxWriteSize() int { return c.negotiated.maxWrite }

// MaxTransactSize is how many bytes a listing, query or control may carry at once.
func (c *Connection) MaxTransactSize() int { return c.negotiated.maxTransact }

// ServerGUID identifies the server.
func (c *Connection) ServerGUID() wire.GUID { return c.negotiated.serverGUID }
