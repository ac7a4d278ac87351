package smbclient

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestHostileTruncated cuts the answer of every kind of request at every length: the operation ends, in time, and not well
// where not even the fixed part is there.
func TestHostileTruncated(t *testing.T) {
	const fixed = 8 // no response's body is shorter, ECHO's and the like aside
	for name, c := range map[string]struct {
		command wire.Command
		do      func(ctx context.Context, tree *TreeConnect, o, dir *Open) error
	}{
		"create": {wire.CommandCreate, func(ctx context.Context, tree *TreeConnect, _, _ *Open) error {
			_, err := tree.Create(ctx, "g", createFile)
			return err
		}},
		"stat": {wire.CommandQueryInfo, func(ctx context.Context, tree *TreeConnect, _, _ *Open) error {
			_, err := tree.Stat(ctx, "f", false)
			return err
		}},
		"list": {wire.CommandQueryDirectory, func(ctx context.Context, _ *TreeConnect, _, dir *Open) error {
			_, err := dir.ReadDir(ctx, "")
			return err
		}},
		"lookup": {wire.CommandQueryDirectory, func(ctx context.Context, _ *TreeConnect, _, dir *Open) error {
			return lookupErr(dir.Lookup(ctx, []string{"f"}, nil))
		}},
		"read": {wire.CommandRead, func(ctx context.Context, _ *TreeConnect, o, _ *Open) error {
			_, err := o.ReadAt(ctx, make([]byte, 9), 0)
			return err
		}},
		"write": {wire.CommandWrite, func(ctx context.Context, _ *TreeConnect, o, _ *Open) error {
			_, err := o.WriteAt(ctx, []byte("012345678"), 0)
			return err
		}},
		"statfs": {wire.CommandQueryInfo, func(ctx context.Context, tree *TreeConnect, _, _ *Open) error { _, err := tree.StatFS(ctx); return err }},
		"close":  {wire.CommandClose, func(ctx context.Context, _ *TreeConnect, o, _ *Open) error { _, err := o.Close(ctx); return err }},
		"tree": {wire.CommandTreeConnect, func(ctx context.Context, tree *TreeConnect, _, _ *Open) error {
			_, err := tree.Session().TreeConnect(ctx, smbtest.Share)
			return err
		}},
		"negotiate": {wire.CommandNegotiate, nil},
		"session":   {wire.CommandSessionSetup, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for length := wire.HeaderSize; length < wire.HeaderSize+120; length += 3 {
				whole, err := cutAt(t, c.command, length, c.do)
				if whole {
					break
				}
				if err == nil && length < wire.HeaderSize+fixed {
					t.Fatalf("%d bytes were enough", length)
				}
				if errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("with %d bytes it hangs", length)
				}
			}
		})
	}
}

func lookupErr(results []LookupResult, err error) error {
	if err == nil {
		err = results[0].Err
	}
	return err
}

// cutAt does something while the answers to a command are cut. It reports whether they were no longer than that.
func cutAt(t *testing.T, command wire.Command, length int, do func(ctx context.Context, tree *TreeConnect, o, dir *Open) error) (whole bool, err error) {
	t.Helper()
	server := smbtest.NewServer(smbtest.Options{})
	defer server.Close()
	server.Tree.WriteFile("f", []byte("0123456789"))
	cut := do == nil
	whole = true
	cfg := scriptedConfig(server)
	cfg.Dial = throughTheMiddle(server, func(h *wire.Header, fromServer bool, msg []byte) []byte {
		if !fromServer || !cut || h.Command != command || h.Status == wire.StatusMoreProcessingRequired || len(msg) <= length {
			return msg
		}
		whole = false
		return msg[:length]
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := Connect(ctx, cfg)
	if err != nil {
		return whole, err
	}
	defer s.Close()
	if do == nil {
		return whole, nil
	}
	tree, err := s.TreeConnect(ctx, smbtest.Share)
	if err != nil {
		t.Fatal(err)
	}
	o, dir := mustCreate(t, tree, "f", createFile), mustCreate(t, tree, "", openDir)
	cut = true
	err = do(ctx, tree, o, dir)
	return whole, err
}

// TestHostileCounts are counts and offsets in answers that cannot be.
func TestHostileCounts(t *testing.T) {
	le := binary.LittleEndian
	body := func(status wire.Status, b smbtest.Body, change func(b []byte)) smbtest.Hook {
		return func(r *smbtest.Request) {
			resp := r.Response(status, b)
			change(resp.Body)
			resp.Send()
		}
	}
	read := &wire.ReadResponse{Data: make([]byte, 100)}
	for _, c := range []struct {
		name    string
		command wire.Command
		hook    smbtest.Hook
	}{
		{"READ whose data overlaps the header", wire.CommandRead, body(wire.StatusSuccess, read, func(b []byte) { b[2] = 16 })},
		{"READ whose data overlaps the body", wire.CommandRead, body(wire.StatusSuccess, read, func(b []byte) { b[2] = 64 + 4 })},
		{"READ whose data begins behind it", wire.CommandRead, body(wire.StatusSuccess, read, func(b []byte) { b[2] = 255 })},
		{"READ of a negative length", wire.CommandRead, body(wire.StatusSuccess, read, func(b []byte) { le.PutUint32(b[4:], 1<<31) })},
		{"READ of all ones", wire.CommandRead, body(wire.StatusSuccess, read, func(b []byte) { le.PutUint32(b[4:], 1<<32-1) })},
		{"WRITE of more than was sent", wire.CommandWrite, body(wire.StatusSuccess, &wire.WriteResponse{Count: 101}, func([]byte) {})},
		{"WRITE of all ones", wire.CommandWrite, body(wire.StatusSuccess, &wire.WriteResponse{Count: 1<<32 - 1}, func([]byte) {})},
		{"listing that overlaps the header", wire.CommandQueryDirectory, body(wire.StatusSuccess, listing("a"), func(b []byte) { le.PutUint16(b[2:], 8) })},
		{"listing of all ones", wire.CommandQueryDirectory, body(wire.StatusSuccess, listing("a"), func(b []byte) { le.PutUint32(b[4:], 1<<32-1) })},
		{"listing whose entry points at itself", wire.CommandQueryDirectory, body(wire.StatusSuccess, listing("a", "b"), func(b []byte) { le.PutUint32(b[8:], 1) })},
		{"listing whose entry points behind it", wire.CommandQueryDirectory, body(wire.StatusSuccess, listing("a", "b"), func(b []byte) { le.PutUint32(b[8:], 1<<31) })},
		{"listing with a name of all ones", wire.CommandQueryDirectory, body(wire.StatusSuccess, listing("a"), func(b []byte) { le.PutUint32(b[8+60:], 1<<32-1) })},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := scripted(t, smbtest.Options{})
			tree := scriptedTree(t, server, scriptedConfig(server))
			o, dir := mustCreate(t, tree, "f", createFile), mustCreate(t, tree, "", openDir)
			server.Hook(c.command, c.hook)
			var err error
			switch c.command {
			case wire.CommandRead:
				_, err = o.ReadAt(testContext(t), make([]byte, 100), 0)
			case wire.CommandWrite:
				_, err = o.WriteAt(testContext(t), make([]byte, 100), 0)
			default:
				_, err = dir.ReadDir(testContext(t), "")
			}
			if !errors.Is(err, ErrProtocol) || !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func listing(names ...string) *wire.QueryDirectoryResponse {
	var list []wire.DirEntry
	for _, name := range names {
		list = append(list, wire.DirEntry{Name: name})
	}
	return &wire.QueryDirectoryResponse{Output: wire.AppendDirEntries(nil, list)}
}

// TestEndlessListingOfLongNames: a listing without an end is given up before it takes more memory than a listing may.
func TestEndlessListingOfLongNames(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	dir := mustCreate(t, tree, "", openDir)
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("%0250d", i))
	}
	endless, parts := listing(names...), 0
	server.Hook(wire.CommandQueryDirectory, func(r *smbtest.Request) {
		parts++
		r.Reply(wire.StatusSuccess, endless)
	})
	const most = 4 << 20
	tree.session.conn.maxListBytes = most
	if _, err := dir.ReadDir(testContext(t), ""); !errors.Is(err, ErrListingTooLong) {
		t.Fatalf("got %v", err)
	}
	if bytes := parts * 40 * 250; bytes > most {
		t.Errorf("%d bytes of names were taken, want %d at most", bytes, most)
	}
}

// TestSealedReplays: an encrypted message that comes again, or under another nonce, is not believed.
func TestSealedReplays(t *testing.T) {
	for name, c := range map[string]struct {
		change func(message []byte) []byte
		want   error
	}{
		"again":         {func(m []byte) []byte { return append(m, m...) }, nil}, // the second one answers nothing
		"another nonce": {func(m []byte) []byte { m[4+20] ^= 1; return m }, ErrSignature},
		"another tag":   {func(m []byte) []byte { m[4+4] ^= 1; return m }, ErrSignature},
		"another size":  {func(m []byte) []byte { m[4+36] ^= 1; return m }, ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			server := scripted(t, smbtest.Options{})
			server.Tree.WriteFile("f", []byte("0123456789"))
			cfg := scriptedConfig(server)
			cfg.Seal = true
			tree := scriptedTree(t, server, cfg)
			o := mustCreate(t, tree, "f", createFile)
			server.Hook(wire.CommandRead, func(r *smbtest.Request) {
				resp := r.Response(wire.StatusSuccess, &wire.ReadResponse{Data: []byte("0123456789")})
				resp.Transmit = func(conn *smbtest.Conn, message []byte) { conn.WriteRaw(c.change(message)) }
				resp.Send()
			})
			for range 2 {
				_, err := o.ReadAt(testContext(t), make([]byte, 10), 0)
				if err != nil && c.want == nil || !errors.Is(err, c.want) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
			}
		})
	}
}

// TestBreakStorm: breaks without end, whose acknowledgements are never answered, do not make goroutines without end.
func TestBreakStorm(t *testing.T) {
	server := smbtest.NewServer(smbtest.Options{})
	defer server.Close()
	tree := scriptedTree(t, server, scriptedConfig(server))
	id := wire.FileID{Persistent: 1, Volatile: 2}
	server.Hook(wire.CommandCreate, func(r *smbtest.Request) {
		r.Reply(wire.StatusSuccess, &wire.CreateResponse{OplockLevel: wire.OplockBatch, FileID: id})
	})
	server.Hook(wire.CommandOplockBreak, func(*smbtest.Request) {})
	mustCreate(t, tree, "f", createFile)
	before := runtime.NumGoroutine()
	conn, highest := server.Conns()[0], 0
	broken := &wire.OplockBreakNotification{OplockBreak: wire.OplockBreak{OplockLevel: wire.OplockNone, FileID: id}}
	for i := 0; i < 3*maxBreaks && tree.session.conn.Err() == nil; i++ {
		conn.Notify(wire.CommandOplockBreak, broken)
		if i%1000 == 0 {
			highest = max(highest, runtime.NumGoroutine()-before)
		}
	}
	eventually(t, func() bool { return errors.Is(tree.session.conn.Err(), ErrProtocol) })
	if highest > maxBreaks+100 {
		t.Errorf("%d goroutines", highest)
	}
}

// TestStrayAnswers: answers to nothing, without end, cost nothing that stays.
func TestStrayAnswers(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	o := mustCreate(t, tree, "f", createFile)
	if _, err := o.WriteAt(testContext(t), []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	stray := (&wire.Header{Command: wire.CommandRead, MessageID: 1 << 40, Flags: wire.FlagServerToRedir, Credits: 65535}).Append(nil)
	stray = smbtest.Message((&wire.ReadResponse{Data: []byte(strings.Repeat("x", 10_000))}).Append(stray))
	memory := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := memory()
	for range 5000 {
		server.Conns()[0].WriteRaw(stray)
	}
	if n, err := o.ReadAt(testContext(t), make([]byte, 1), 0); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if after := memory(); after > before+8<<20 {
		t.Errorf("50 MB of stray answers left %d MiB behind", (after-before)>>20)
	}
	if available, _ := tree.session.conn.credit.owned(); available > creditCap {
		t.Errorf("%d credits", available)
	}
}
