package auth

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/oiweiwei/go-msrpc/ssp/spnego"
)

// withoutVersion is a CHALLENGE as ksmbd sends it.
func withoutVersion(msg []byte) []byte {
	out := append(bytes.Clone(msg[:challengeVersion]), msg[challengePayload:]...)
	for _, field := range []int{challengeTargetName, challengeTargetInfo} {
		binary.LittleEndian.PutUint32(out[field+4:], binary.LittleEndian.Uint32(out[field+4:])-8)
	}
	return out
}

// TestChallengeWithoutVersion: a server that leaves the field out gets the answer to its challenge, with the names that it sent.
func TestChallengeWithoutVersion(t *testing.T) {
	ctx := context.Background()
	m, a := newNTLM(t, Credentials{User: "user", Password: NewSecret(secret)}), newAcceptor("user", "", secret)
	negotiate, err := m.Init(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	challenge, err := a.accept(negotiate)
	if err != nil {
		t.Fatal(err)
	}
	var resp spnego.NegTokenResp
	if err := resp.Unmarshal(ctx, challenge); err != nil {
		t.Fatal(err)
	}
	whole := resp.ResponseToken
	resp.ResponseToken = withoutVersion(whole)
	if challenge, err = resp.Marshal(ctx); err != nil {
		t.Fatal(err)
	}
	authenticate, err := m.Init(ctx, challenge)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Unmarshal(ctx, authenticate); err != nil {
		t.Fatal(err)
	}
	pairs := avPairs(t, field(t, resp.ResponseToken, 20))
	if got := pairs[1]; !bytes.Equal(got, utf16le("SRV")) { // MsvAvNbComputerName
		t.Errorf("the server is %q", got)
	}
	copy(whole[challengeVersion:challengePayload], make([]byte, 8))
	if got := withVersion(withoutVersion(whole)); !bytes.Equal(got, whole) {
		t.Errorf("%x, want %x", got, whole)
	}
}

// TestWithVersionLeaves what is whole, and what is nothing of the kind.
func TestWithVersionLeaves(t *testing.T) {
	whole := make([]byte, challengePayload+4)
	whole[challengeTargetName] = 4
	whole[challengeTargetName+4] = challengePayload
	for _, msg := range [][]byte{nil, {}, []byte("NTLMSSP"), whole, make([]byte, challengeVersion), bytes.Repeat([]byte{0xff}, 60)} {
		if got := withVersion(msg); !bytes.Equal(got, msg) {
			t.Errorf("%x became %x", msg, got)
		}
	}
}
