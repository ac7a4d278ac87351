package smbtest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"smbfs/smbclient/wire"
)

// TestViolations shows that the server notices what tests rely on it to notice.
func TestViolations(t *testing.T) {
	echo := func(h wire.Header) []byte { return (&wire.EchoRequest{}).Append(h.Append(nil)) }
	for _, c := range []struct {
		name     string
		messages [][]byte
		want     string // "": nothing
	}{
		{"as it should be", [][]byte{
			echo(wire.Header{Command: wire.CommandEcho}),
			echo(wire.Header{Command: wire.CommandEcho, MessageID: 1}),
		}, ""},
		{"message id used twice", [][]byte{
			echo(wire.Header{Command: wire.CommandEcho}),
			echo(wire.Header{Command: wire.CommandEcho}),
		}, "outside the window"},
		{"beyond the window", [][]byte{echo(wire.Header{Command: wire.CommandEcho, MessageID: 1})}, "outside the window"},
		{"charge beyond the window", [][]byte{echo(wire.Header{Command: wire.CommandEcho, CreditCharge: 2})}, "outside the window"},
		{"encrypted", [][]byte{(&wire.TransformHeader{}).Append(nil)}, "without a key"},
		{"compound", [][]byte{echo(wire.Header{Command: wire.CommandEcho, NextCommand: 5})}, "NextCommand"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewServer(Options{})
			conn, err := s.Dial(context.Background(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range c.messages {
				if _, err := conn.Write(Message(m)); err != nil {
					t.Fatal(err)
				}
				if readMessage(conn) != nil {
					break // the server hung up, as it may
				}
			}
			_ = conn.Close()
			s.Close()
			got := strings.Join(s.Violations(), "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Fatalf("violations %q", got)
			}
		})
	}
}

func readMessage(conn net.Conn) error {
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head[:])))
	return err
}

// TestTree is about changes made on the server itself.
func TestTree(t *testing.T) {
	tree := newTree()
	steps := []struct {
		name string
		done bool
		want bool
	}{
		{"mkdir", tree.Mkdir("d"), true},
		{"mkdir again", tree.Mkdir("D"), false},
		{"write", tree.WriteFile(`d\f`, []byte("x")), true},
		{"write below a file", tree.WriteFile(`d\f\g`, nil), false},
		{"rename", tree.Rename(`d\F`, "g"), true},
		{"rename what has gone", tree.Rename(`d\f`, "h"), false},
		{"rename onto a directory", tree.Rename("g", "d"), false},
		{"remove", tree.Remove("d"), true},
		{"remove again", tree.Remove("d"), false},
	}
	for _, s := range steps {
		if s.done != s.want {
			t.Errorf("%s: %v", s.name, s.done)
		}
	}
	if got, ok := tree.ReadFile("G"); !ok || string(got) != "x" {
		t.Errorf("%q, %v", got, ok)
	}
}
