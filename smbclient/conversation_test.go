package smbclient

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"smbfs/smbclient/auth"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

var update = flag.Bool("update", false, "record the conversation with a real server anew")

// recorded is what a real smbd said in a conversation, each message with the transport's header, and in front of that a byte: how many
// messages of the client's it had been told before. The session is a guest's: nothing in it is signed, so it can be said again.
const recorded = "testdata/conversation"

// converse is the client's part: everything it does of a kind. It goes on after errors. It returns
// what it did and the names that were listed.
func converse(ctx context.Context, cfg Config) (done, listed []string) {
	note := func(what string, err error) bool {
		if err != nil {
			what += ": " + errorKind(err)
		}
		done = append(done, what)
		return err == nil
	}
	s, err := Connect(ctx, cfg)
	if !note("connect", err) {
		return done, nil
	}
	defer s.Close()
	tree, err := s.TreeConnect(ctx, smbdShare)
	if !note("tree connect", err) {
		return done, nil
	}
	dir, entries, err := tree.CreateAndList(ctx, "", openDir, "")
	note("create and list", err)
	for _, e := range entries {
		listed = append(listed, e.Name)
	}
	if dir != nil {
		entries, err := dir.ReadDir(ctx, "")
		note("list", err)
		for _, e := range entries {
			listed = append(listed, e.Name)
		}
		_, err = dir.Lookup(ctx, []string{"a", "absent"}, nil)
		note("lookup", err)
	}
	_, err = tree.Stat(ctx, "a", false)
	note("stat", err)
	if o, err := tree.Create(ctx, "new", createFile); note("create", err) {
		converseFile(ctx, o, note)
	}
	if dir != nil {
		n, err := dir.StartChangeNotify(ctx, NotifyParams{}, nil)
		if note("change notify", err) {
			note("rename", tree.Rename(ctx, "new", "newer", false))
			_, err := n.Wait(ctx)
			note("notified", err)
		}
		_, err = dir.Close(ctx)
		note("close directory", err)
	}
	note("remove", tree.Remove(ctx, "newer", false))
	_, err = tree.StatFS(ctx)
	note("statfs", err)
	note("echo", s.Connection().Echo(ctx))
	note("disconnect", tree.Disconnect(ctx))
	note("logoff", s.Logoff(ctx))
	return done, listed
}

func converseFile(ctx context.Context, o *Open, note func(string, error) bool) {
	const room = 64
	memory := bytes.Repeat([]byte{0x5a}, 2*room)
	_, err := o.WriteAt(ctx, []byte("0123456789"), 0)
	note("write", err)
	note("flush", o.Flush(ctx))
	_, err = o.ReadAt(ctx, memory[:room:room], 0)
	note("read", err)
	if len(bytes.Trim(memory[room:], "\x5a")) > 0 {
		panic("written beyond the memory that was given")
	}
	_, err = o.Close(ctx)
	note("close", err)
}

// errorKind is an error without what differs from run to run.
func errorKind(err error) string {
	if status, ok := StatusOf(err); ok {
		return status.String()
	}
	return err.Error()
}

// recorder stands between a client and a real server and keeps what the server says.
type recorder struct {
	mu    sync.Mutex
	heard int    // guarded by mu
	said  []byte // guarded by mu
}

func (r *recorder) note(_ *wire.Header, fromServer bool, msg []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if fromServer {
		r.said = append(append(r.said, byte(r.heard)), smbtest.Message(msg)...)
	} else {
		r.heard++
	}
	return msg
}

func (r *recorder) dial(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		far, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		client, near := net.Pipe()
		go carry(far, near, r.note, false)
		go carry(near, far, r.note, true)
		return client, nil
	}
}

// nextSaid is how many bytes of a recording are its next message, with what is in front of it.
func nextSaid(said []byte) int {
	if len(said) < 5 {
		return len(said)
	}
	return min(len(said), 5+int(binary.BigEndian.Uint32(said[1:])&0xffffff))
}

func conversationConfig() Config {
	return Config{Address: "server:445", Credentials: auth.Credentials{Guest: true}, MaxDialect: wire.Dialect302}
}

// whole is the conversation when nothing is changed: everything succeeds, but for reading beyond the end of a short file.
const whole = "connect, tree connect, create and list, list, lookup, stat, create, write, flush, read: EOF, close, change notify, rename, notified, close directory, remove, statfs, echo, disconnect, logoff"

// TestConversation: a real smbd says what was recorded of one, and the recording leads a client through all of it.
func TestConversation(t *testing.T) {
	server := startSmbd(t, " map to guest = bad user\n guest account = root", " guest ok = yes")
	if err := os.WriteFile(filepath.Join(server.root, "a"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	var r recorder
	cfg := conversationConfig()
	cfg.Dial = r.dial(server.addr)
	done, _ := converse(testContext(t), cfg)
	if got := strings.Join(done, ", "); got != whole {
		t.Fatalf("with a real server: %s", got)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(recorded), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(recorded, r.said, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	said, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	done, _ = converse(testContext(t), sayAgain(said, 10*time.Second))
	if got := strings.Join(done, ", "); got != whole {
		t.Fatalf("with the recording: %s", got)
	}
}

// sayAgain is a client's configuration for a server that says one message after the other, each when it has heard what it had heard then,
// or a while has gone by: a message that was changed may be an answer to nothing.
func sayAgain(said []byte, patience time.Duration) Config {
	cfg := conversationConfig()
	cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		heard := make(chan struct{}, 1000)
		go func() { // ends with the connection
			defer close(heard)
			for skipMessage(server) == nil {
				heard <- struct{}{}
			}
		}()
		go say(server, said, heard, patience)
		return client, nil
	}
	return cfg
}

func skipMessage(r io.Reader) error {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, r, int64(binary.BigEndian.Uint32(size[:])))
	return err
}

// say ends with what there is to say, or with the client.
func say(conn net.Conn, said []byte, heard <-chan struct{}, patience time.Duration) {
	defer conn.Close()
	for count := 0; len(said) > 0; {
		n := nextSaid(said)
		for late := time.After(patience); count < int(said[0]); count++ {
			select {
			case _, ok := <-heard:
				if !ok {
					return
				}
				continue
			case <-late:
			}
			break
		}
		if _, err := conn.Write(said[1:n]); err != nil {
			return
		}
		said = said[n:]
	}
}

// FuzzConversation has a server say what a real one has said, changed: the client comes to an end, in time, writes nowhere it
// may not, and hands on no name that is more than a name.
func FuzzConversation(f *testing.F) {
	said, err := os.ReadFile(recorded)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(said)
	for at := 0; at < len(said); { // each message missing, and each said twice
		n := nextSaid(said[at:])
		f.Add(append(bytes.Clone(said[:at]), said[at+n:]...))
		f.Add(append(bytes.Clone(said[:at+n]), said[at:]...))
		at += n
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		done, listed := converse(ctx, sayAgain(said, 3*time.Millisecond))
		if ctx.Err() != nil {
			t.Fatalf("it hangs after %s", strings.Join(done, ", "))
		}
		for _, name := range listed {
			if name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
				t.Errorf("the name %q", name)
			}
		}
	})
}
