package auth

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/oiweiwei/go-msrpc/ssp/gssapi"
	"github.com/oiweiwei/go-msrpc/ssp/spnego"
)

// accepted is a NegTokenResp of accept-completed and nothing else, as a server
// sends that makes no mechListMIC. RFC 4178 4.2.2.
var accepted = []byte{0xa1, 7, 0x30, 5, 0xa0, 3, 0x0a, 1, 0}

const secret = "Tr0ub4dor&3 ünïcode"

func newNTLM(t *testing.T, c Credentials) Mechanism {
	t.Helper()
	m, err := NewNTLM(c, "cifs/server.example")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNTLM(t *testing.T) {
	for _, c := range []Credentials{
		{User: "user", Domain: "DOM", Password: NewSecret(secret), Workstation: "WS"},
		{User: `DOM\user`, Password: NewSecret(secret)},
		{User: "user", Password: NewSecret(secret)},
		{User: "USER", Domain: "dom", Password: NewSecret(secret), Guest: true},
	} {
		t.Run(c.String(), func(t *testing.T) {
			m, a := newNTLM(t, c), newAcceptor("user", c.accountDomain(), secret)
			tr, err := talk(t, m, a)
			if err != nil {
				t.Fatal(err)
			}
			out, err := m.Init(context.Background(), tr.final)
			if err != nil || out != nil || !m.Complete() {
				t.Fatalf("final token: %x, %v, complete %v", out, err, m.Complete())
			}
			if key := m.SessionKey(); len(key) < minSessionKey || !bytes.Equal(key, a.key()) {
				t.Errorf("keys differ or are short: %d bytes", len(key))
			}
			if _, err := m.Init(context.Background(), tr.final); !errors.Is(err, ErrUsed) {
				t.Errorf("used again: %v", err)
			}
		})
	}
}

func (c Credentials) accountDomain() string {
	_, domain := c.account()
	return domain
}

// TestNTLMAuthenticate looks at the message itself. MS-NLMP 2.2.1.3: the MIC is
// at offset 72; 2.2.2.1: target information.
func TestNTLMAuthenticate(t *testing.T) {
	m := newNTLM(t, Credentials{User: "user", Password: NewSecret(secret), Workstation: "WS"})
	tr, err := talk(t, m, newAcceptor("user", "", secret))
	if err != nil {
		t.Fatal(err)
	}
	var resp spnego.NegTokenResp
	if err := resp.Unmarshal(context.Background(), tr.authenticate); err != nil {
		t.Fatal(err)
	}
	if len(resp.MechListMIC) != 16 {
		t.Errorf("mechListMIC of %d bytes", len(resp.MechListMIC))
	}
	msg := resp.ResponseToken
	if mic := msg[72:88]; bytes.Equal(mic, make([]byte, 16)) {
		t.Error("no MIC")
	}
	pairs := avPairs(t, field(t, msg, 20))
	if got, want := pairs[9], utf16le("cifs/server.example"); !bytes.Equal(got, want) {
		t.Errorf("target name %q", got)
	}
	if got, ok := pairs[10]; !ok || !bytes.Equal(got, make([]byte, 16)) {
		t.Errorf("channel bindings %x, want 16 zeros", got)
	}
	if flags := pairs[6]; len(flags) != 4 || flags[0]&2 == 0 {
		t.Errorf("flags %x do not tell of the MIC", flags)
	}
	for _, token := range [][]byte{tr.negotiate, tr.authenticate} {
		if bytes.Contains(token, []byte(secret)) || bytes.Contains(token, utf16le(secret)) {
			t.Error("password in a token")
		}
	}
}

func utf16le(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// field is the payload that the length and offset at at describe.
func field(t *testing.T, msg []byte, at int) []byte {
	t.Helper()
	n, off := int(binary.LittleEndian.Uint16(msg[at:])), int(binary.LittleEndian.Uint32(msg[at+4:]))
	if off+n > len(msg) {
		t.Fatalf("field at %d ends at %d of %d", at, off+n, len(msg))
	}
	return msg[off : off+n]
}

// avPairs reads the pairs of a NTLMv2_RESPONSE. MS-NLMP 2.2.2.7 and 2.2.2.8:
// 16 bytes of proof and 28 of the client challenge come first.
func avPairs(t *testing.T, resp []byte) map[uint16][]byte {
	t.Helper()
	pairs := map[uint16][]byte{}
	for p := resp[44:]; len(p) >= 4; {
		id, n := binary.LittleEndian.Uint16(p), int(binary.LittleEndian.Uint16(p[2:]))
		if id == 0 {
			break
		}
		if 4+n > len(p) {
			t.Fatalf("pair %d of %d bytes in %d", id, n, len(p))
		}
		pairs[id], p = p[4:4+n], p[4+n:]
	}
	return pairs
}

// TestNTLMNonASCII: NEGOTIATE carries no names, so those that no OEM code page
// has do no harm.
func TestNTLMNonASCII(t *testing.T) {
	c := Credentials{User: "Łukasz 語", Domain: "ДОМ", Password: NewSecret(secret), Workstation: "ワーク"}
	m, a := newNTLM(t, c), newAcceptor(c.User, c.Domain, secret)
	tr, err := talk(t, m, a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Init(context.Background(), tr.final); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.SessionKey(), a.key()) {
		t.Error("keys differ")
	}
}

func TestNTLMWrongPassword(t *testing.T) {
	m := newNTLM(t, Credentials{User: "user", Password: NewSecret(secret + "x")})
	tr, err := talk(t, m, newAcceptor("user", "", secret))
	if err == nil {
		t.Fatal("acceptor let a wrong password in")
	}
	if _, err = m.Init(context.Background(), tr.final); !errors.Is(err, ErrRejected) {
		t.Errorf("rejected exchange: %v", err)
	}
	if m.Complete() || m.SessionKey() != nil {
		t.Error("complete after a rejection")
	}
	if strings.Contains(err.Error(), secret) {
		t.Error("password in the error")
	}
}

func TestNTLMAnonymous(t *testing.T) {
	for _, c := range []Credentials{{Anonymous: true, User: "x", Password: NewSecret(secret)}, {Guest: true, User: "x"}, {Guest: true}} {
		m := newNTLM(t, c)
		// The acceptor wants a MIC of everybody; an anonymous logon has none.
		tr, _ := talk(t, m, newAcceptor("user", "", secret))
		var resp spnego.NegTokenResp
		if err := resp.Unmarshal(context.Background(), tr.authenticate); err != nil {
			t.Fatal(err)
		}
		if user, nt := field(t, resp.ResponseToken, 36), field(t, resp.ResponseToken, 20); len(user)+len(nt) != 0 {
			t.Errorf("anonymous logon sends user %x, response %x", user, nt)
		}
		if _, err := m.Init(context.Background(), accepted); err != nil || !m.Complete() {
			t.Errorf("%v, complete %v", err, m.Complete())
		}
	}
	if _, err := NewNTLM(Credentials{Password: NewSecret(secret)}, ""); err == nil {
		t.Error("a password without a user accepted")
	}
}

// TestFinalToken: the server's mechListMIC is checked if it is there; a server
// that leaves it out, or sends no token at all, is taken at its word, which the
// signature of its SESSION_SETUP response has to bear out.
func TestFinalToken(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func([]byte) []byte
		want   error
	}{
		{"as sent", func(b []byte) []byte { return b }, nil},
		{"changed MIC", func(b []byte) []byte { b[len(b)-8] ^= 1; return b }, ErrToken},
		{"no MIC", func([]byte) []byte { return accepted }, nil},
		{"none", func([]byte) []byte { return nil }, nil},
		{"cut", func(b []byte) []byte { return b[:len(b)-1] }, ErrToken},
		{"reject", func([]byte) []byte { return []byte{0xa1, 7, 0x30, 5, 0xa0, 3, 0x0a, 1, 2} }, ErrRejected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newNTLM(t, Credentials{User: "user", Password: NewSecret(secret)})
			tr, err := talk(t, m, newAcceptor("user", "", secret))
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.Init(context.Background(), tt.change(tr.final))
			if !errors.Is(err, tt.want) || m.Complete() != (tt.want == nil) {
				t.Errorf("%v, complete %v; want %v", err, m.Complete(), tt.want)
			}
		})
	}
}

// TestEarlySuccess: a server cannot skip our proof.
func TestEarlySuccess(t *testing.T) {
	for _, first := range [][]byte{accepted, nil} {
		m := newNTLM(t, Credentials{User: "user", Password: NewSecret(secret)})
		if _, err := m.Init(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Init(context.Background(), first); !errors.Is(err, ErrToken) || m.Complete() {
			t.Errorf("answer %x to NEGOTIATE: %v, complete %v", first, err, m.Complete())
		}
	}
}

// TestHint is what the NEGOTIATE response's token does to the first call.
func TestHint(t *testing.T) {
	hint := func(oids ...gssapi.OID) []byte {
		var n spnego.NegTokenInit
		for _, o := range oids {
			n.MechTypes = append(n.MechTypes, []int(o))
		}
		n.HintName = spnego.HintName
		b, err := n.Marshal(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	krb5 := gssapi.OID{1, 2, 840, 113554, 1, 2, 2}
	ntlmssp := ntlmFactory{}.Type()
	for _, tt := range []struct {
		name  string
		token []byte
		want  error
	}{
		{"none", nil, nil},
		{"NTLM", hint(ntlmssp), nil},
		{"Kerberos and NTLM", hint(krb5, ntlmssp), nil},
		{"Kerberos only", hint(krb5), ErrNoMechanism},
		{"unreadable", []byte{0x60, 0x80, 1, 2}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newNTLM(t, Credentials{User: "user", Password: NewSecret(secret)})
			token, err := m.Init(context.Background(), tt.token)
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if err == nil && token[0] != 0x60 {
				t.Errorf("first token %x is no NegTokenInit", token)
			}
		})
	}
}

// TestExchangesAreApart runs two exchanges by turns: nothing of one is seen by
// the other, and nothing is in the library's global stores.
func TestExchangesAreApart(t *testing.T) {
	ctx := context.Background()
	m1, a1 := newNTLM(t, Credentials{User: "one", Password: NewSecret("first")}), newAcceptor("one", "", "first")
	m2, a2 := newNTLM(t, Credentials{User: "two", Password: NewSecret("second")}), newAcceptor("two", "", "second")
	tr1, err1 := talk(t, m1, a1)
	tr2, err2 := talk(t, m2, a2)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if _, err := m1.Init(ctx, tr2.final); err == nil {
		t.Error("one exchange took the other's final token")
	}
	if _, err := m2.Init(ctx, tr2.final); err != nil {
		t.Error(err)
	}
	if bytes.Equal(a1.key(), a2.key()) || len(tr1.final) == 0 {
		t.Error("two exchanges with one key")
	}
	if n := len(gssapi.ListMechanisms(ctx)); n != 0 {
		t.Errorf("%d mechanisms in the global store", n)
	}
	if gssapi.GetCredential(ctx, "", nil, gssapi.InitiateOnly) != nil {
		t.Error("a credential in the global store")
	}
}

func TestInitEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m := newNTLM(t, Credentials{User: "user", Password: NewSecret(secret)})
	if _, err := m.Init(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled context: %v", err)
	}
}

// FuzzInit answers with anything at each step: an error, never a panic, never
// success before our proof.
func FuzzInit(f *testing.F) {
	a := newAcceptor("user", "", secret)
	m, err := NewNTLM(Credentials{User: "user", Password: NewSecret(secret)}, "cifs/s")
	if err != nil {
		f.Fatal(err)
	}
	first, err := m.Init(context.Background(), nil)
	if err != nil {
		f.Fatal(err)
	}
	challenge, err := a.accept(first)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(nil), challenge, accepted)
	f.Add([]byte{0x60, 0}, challenge[:len(challenge)/2], []byte{})
	f.Fuzz(func(t *testing.T, hint, challenge, final []byte) {
		ctx := context.Background()
		m, err := NewNTLM(Credentials{User: "user", Password: NewSecret(secret)}, "cifs/s")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Init(ctx, hint); err != nil {
			return
		}
		if _, err := m.Init(ctx, challenge); err != nil {
			return
		}
		if m.Complete() {
			t.Fatal("complete before our proof was sent")
		}
		_, err = m.Init(ctx, final)
		if m.Complete() && (err != nil || len(m.SessionKey()) < minSessionKey) {
			t.Errorf("complete with %v and a key of %d bytes", err, len(m.SessionKey()))
		}
	})
}
