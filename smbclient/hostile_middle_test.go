package smbclient

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// tampering changes messages on their way; nil drops one.
type tampering func(h *wire.Header, fromServer bool, msg []byte) []byte

// throughTheMiddle is a way to the server with somebody in it.
func throughTheMiddle(server *smbtest.Server, tamper tampering) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		client, near := net.Pipe()
		far, err := server.Dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		go carry(far, near, tamper, false) // both end with either connection
		go carry(near, far, tamper, true)
		return client, nil
	}
}

func carry(to, from net.Conn, tamper tampering, fromServer bool) {
	defer to.Close()
	defer from.Close()
	for {
		var size [4]byte
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return
		}
		msg := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(from, msg); err != nil {
			return
		}
		var h wire.Header
		if h.Decode(msg) == nil {
			msg = tamper(&h, fromServer, msg)
		}
		if msg == nil {
			continue
		}
		if _, err := to.Write(smbtest.Message(msg)); err != nil {
			return
		}
	}
}

// unprotect takes the signature off a message.
func unprotect(h *wire.Header, msg []byte) []byte {
	wire.PutFlags(msg, h.Flags&^wire.FlagSigned)
	clear(msg[48:64]) // the Signature (MS-SMB2 2.2.1.2)
	return msg
}

// TestManInTheMiddle: nobody on the way weakens a connection or changes what goes through it without being found out before
// a file is touched.
func TestManInTheMiddle(t *testing.T) {
	// Offsets in the bodies of MS-SMB2 2.2.3, 2.2.4, 2.2.6 and 2.2.10.
	const dialectCount, dialects, securityMode, dialectRevision, contextCount, capabilities, sessionFlags, shareFlags = 2, 36, 2, 4, 6, 24, 2, 4
	le := binary.LittleEndian
	response := func(command wire.Command, change func(h *wire.Header, msg, body []byte) []byte) tampering {
		return func(h *wire.Header, fromServer bool, msg []byte) []byte {
			if fromServer && h.Command == command {
				return change(h, msg, msg[wire.HeaderSize:])
			}
			return msg
		}
	}
	final := func(change func(h *wire.Header, msg, body []byte) []byte) tampering {
		return response(wire.CommandSessionSetup, func(h *wire.Header, msg, body []byte) []byte {
			if h.Status != wire.StatusSuccess {
				return msg
			}
			return change(h, msg, body)
		})
	}
	for _, c := range []struct {
		name   string
		max    wire.Dialect
		seal   bool
		tamper tampering
		want   []error
	}{
		{"only an old dialect is offered", wire.Dialect311, false, func(h *wire.Header, fromServer bool, msg []byte) []byte {
			if !fromServer && h.Command == wire.CommandNegotiate {
				le.PutUint16(msg[wire.HeaderSize+dialectCount:], 1) // 2.1 comes first
			}
			return msg
		}, []error{ErrDowngrade, net.ErrClosed}},
		{"the newest dialect is not offered", wire.Dialect311, false, func(h *wire.Header, fromServer bool, msg []byte) []byte {
			if !fromServer && h.Command == wire.CommandNegotiate {
				le.PutUint16(msg[wire.HeaderSize+dialectCount:], 3)
			}
			return msg
		}, []error{ErrDowngrade, net.ErrClosed}},
		{"the answer names another dialect", wire.Dialect302, false, response(wire.CommandNegotiate, func(h *wire.Header, msg, body []byte) []byte {
			le.PutUint16(body[dialectRevision:], uint16(wire.Dialect210))
			return msg
		}), []error{ErrDowngrade, ErrSignature}},
		{"the answer has no contexts", wire.Dialect311, false, response(wire.CommandNegotiate, func(h *wire.Header, msg, body []byte) []byte {
			le.PutUint16(body[contextCount:], 0)
			return msg
		}), []error{ErrProtocol}},
		{"the answer has fewer contexts", wire.Dialect311, false, response(wire.CommandNegotiate, func(h *wire.Header, msg, body []byte) []byte {
			le.PutUint16(body[contextCount:], 1) // the hash alone: no cipher
			return msg
		}), []error{ErrSignature}},
		{"encryption is taken out of the answer", wire.Dialect302, false, response(wire.CommandNegotiate, func(h *wire.Header, msg, body []byte) []byte {
			le.PutUint32(body[capabilities:], le.Uint32(body[capabilities:])&^uint32(wire.CapEncryption))
			return msg
		}), []error{ErrDowngrade}},
		{"encryption is taken out where it is demanded", wire.Dialect302, true, response(wire.CommandNegotiate, func(h *wire.Header, msg, body []byte) []byte {
			le.PutUint32(body[capabilities:], le.Uint32(body[capabilities:])&^uint32(wire.CapEncryption))
			return msg
		}), []error{ErrNoEncryption}},
		{"signing is taken out of the answer", wire.Dialect302, false, response(wire.CommandNegotiate, func(h *wire.Header, msg, body []byte) []byte {
			body[securityMode] = 0
			return msg
		}), []error{ErrDowngrade}},
		{"the session's answer loses its signature", wire.Dialect311, false, final(func(h *wire.Header, msg, body []byte) []byte {
			return unprotect(h, msg)
		}), []error{ErrSignature}},
		{"the user becomes a guest", wire.Dialect311, false, final(func(h *wire.Header, msg, body []byte) []byte {
			le.PutUint16(body[sessionFlags:], uint16(wire.SessionIsGuest))
			return unprotect(h, msg)
		}), []error{ErrGuest, ErrSignature}},
		{"the user becomes nobody", wire.Dialect302, false, final(func(h *wire.Header, msg, body []byte) []byte {
			le.PutUint16(body[sessionFlags:], uint16(wire.SessionIsNull))
			return unprotect(h, msg)
		}), []error{ErrGuest, ErrSignature}},
		{"the share's answer is changed", wire.Dialect302, false, response(wire.CommandTreeConnect, func(h *wire.Header, msg, body []byte) []byte {
			le.PutUint32(body[shareFlags:], ^le.Uint32(body[shareFlags:]))
			return msg
		}), []error{ErrSignature}},
		{"the share's answer loses its signature", wire.Dialect311, false, response(wire.CommandTreeConnect, func(h *wire.Header, msg, body []byte) []byte {
			return unprotect(h, msg)
		}), []error{ErrSignature}},
		{"the comparison of the negotiation is refused in the server's name", wire.Dialect302, false, response(wire.CommandIoctl, func(h *wire.Header, msg, body []byte) []byte {
			le.PutUint32(msg[8:], uint32(wire.StatusNotSupported))
			return unprotect(h, append(msg[:wire.HeaderSize], (&wire.ErrorResponse{}).Append(nil)...))
		}), []error{ErrSignature}},
		{"the comparison of the negotiation is dropped", wire.Dialect302, false, response(wire.CommandIoctl, func(h *wire.Header, msg, body []byte) []byte {
			return nil
		}), []error{context.DeadlineExceeded}},
		{"a file's content is changed", wire.Dialect311, false, response(wire.CommandRead, func(h *wire.Header, msg, body []byte) []byte {
			msg[len(msg)-1] ^= 1
			return msg
		}), []error{ErrSignature}},
		{"an answer is put in another's place", wire.Dialect311, false, swapReads(), []error{ErrSignature, ErrProtocol}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := smbtest.NewServer(smbtest.Options{Dialect: c.max})
			defer server.Close()
			server.Tree.WriteFile("f", bytes.Repeat([]byte("true"), 100))
			cfg := scriptedConfig(server)
			cfg.Sign, cfg.Seal = !c.seal, c.seal
			cfg.Dial = throughTheMiddle(server, c.tamper)
			ctx, cancel := context.WithTimeout(t.Context(), middlePatience)
			defer cancel()
			err := readThrough(ctx, cfg)
			if !slices.ContainsFunc(c.want, func(want error) bool { return errors.Is(err, want) }) {
				t.Fatalf("got %v, want one of %v", err, c.want)
			}
		})
	}
}

// middlePatience is how long an attack may hold a connection up.
const middlePatience = 2 * time.Second

// readThrough connects and reads a file twice.
func readThrough(ctx context.Context, cfg Config) error {
	s, err := Connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	tree, err := s.TreeConnect(ctx, smbtest.Share)
	if err != nil {
		return err
	}
	o, err := tree.Create(ctx, "f", createFile)
	if err != nil {
		return err
	}
	for off := range int64(2) {
		if _, err := o.ReadAt(ctx, make([]byte, 100), 4*off); err != nil {
			return err
		}
	}
	return nil
}

// swapReads gives the first READ's data as the second's.
func swapReads() tampering {
	var first []byte
	return func(h *wire.Header, fromServer bool, msg []byte) []byte {
		if !fromServer || h.Command != wire.CommandRead {
			return msg
		}
		if first == nil {
			first = bytes.Clone(msg)
			return msg
		}
		binary.LittleEndian.PutUint64(first[24:], h.MessageID) // MS-SMB2 2.2.1.2
		return first
	}
}
