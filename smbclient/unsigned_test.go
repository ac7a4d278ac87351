package smbclient

import (
	"errors"
	"sync/atomic"
	"testing"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestUnsignedCleanup: ksmbd does not sign the end of a CHANGE_NOTIFY when its directory is closed. The request has failed; the connection has
// not. Somebody in between who makes that up for a directory that is open, in any session that has keys, or who ends the request in another
// way, ends the connection.
func TestUnsignedCleanup(t *testing.T) {
	for _, c := range []struct {
		name               string
		status             wire.Status
		closed, seal, goes bool
		onCreate           bool // the request travels with the CREATE
	}{
		{name: "of a directory we closed", status: wire.StatusNotifyCleanup, closed: true, goes: true},
		{name: "of a directory we closed, opened with it", status: wire.StatusNotifyCleanup, closed: true, onCreate: true, goes: true},
		{name: "of a directory that is open", status: wire.StatusNotifyCleanup},
		{name: "of a directory that is open, opened with it", status: wire.StatusNotifyCleanup, onCreate: true},
		{name: "another status", status: wire.StatusNotifyEnumDir, closed: true},
		{name: "not encrypted", status: wire.StatusNotifyCleanup, closed: true, seal: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := scripted(t, smbtest.Options{})
			cfg := scriptedConfig(server)
			cfg.Sign, cfg.Seal = !c.seal, c.seal
			tree := scriptedTree(t, server, cfg)
			server.Tree.Mkdir("d")
			kept := make(chan *smbtest.Request, 1)
			server.Hook(wire.CommandChangeNotify, func(r *smbtest.Request) {
				r.Interim()
				kept <- r
			})
			dir, n := mustWatch(t, tree, "d", c.onCreate)
			<-n.Pending()
			if c.closed {
				if _, err := dir.Close(testContext(t)); err != nil {
					t.Fatal(err)
				}
			}
			resp := (<-kept).Response(c.status, nil)
			resp.Sign, resp.Seal, resp.Header.Credits = false, false, 0
			resp.Send()
			if _, err := n.Wait(testContext(t)); !errors.Is(err, ErrSignature) {
				t.Errorf("the request ended with %v", err)
			}
			if _, err := tree.Stat(testContext(t), "d", false); (err == nil) != c.goes {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// mustWatch opens a directory and sends a CHANGE_NOTIFY on it.
func mustWatch(t *testing.T, tree *TreeConnect, name string, atOnce bool) (*Open, *NotifyRequest) {
	t.Helper()
	if atOnce {
		dir, n, err := tree.CreateAndNotify(testContext(t), name, openDir, NotifyParams{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return dir, n
	}
	dir := mustCreate(t, tree, name, openDir)
	n, err := dir.StartChangeNotify(testContext(t), NotifyParams{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return dir, n
}

// TestWrongDescriptor: ksmbd signs a security descriptor without the header before it. It is not believed, the connection goes on, and no other
// one is asked for: who alters them gets one try. A wrong signature of anything else that is asked for ends the connection.
func TestWrongDescriptor(t *testing.T) {
	for _, infoType := range []wire.InfoType{wire.InfoSecurity, wire.InfoFile} {
		server := scripted(t, smbtest.Options{})
		cfg := scriptedConfig(server)
		cfg.Sign = true
		tree := scriptedTree(t, server, cfg)
		server.Tree.WriteFile("f", nil)
		var asked atomic.Int32
		server.Hook(wire.CommandQueryInfo, func(r *smbtest.Request) {
			asked.Add(1)
			resp := r.Response(wire.StatusSuccess, &wire.QueryInfoResponse{Output: make([]byte, 200)})
			resp.Mutate = func(msg []byte) []byte { msg[len(msg)-1] ^= 1; return msg }
			resp.Send()
		})
		for range 3 {
			out, err := tree.QueryFile(testContext(t), "f", wire.FileReadAttributes, infoType, wire.ClassFileAll, 0, 1000)
			if err == nil || out != nil || infoType == wire.InfoSecurity && !errors.Is(err, ErrSignature) {
				t.Errorf("type %d: %d bytes, %v", infoType, len(out), err)
			}
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("type %d: the server was asked %d times", infoType, n)
		}
		server.Hook(wire.CommandQueryInfo, nil)
		if _, err := tree.Stat(testContext(t), "f", false); (err == nil) != (infoType == wire.InfoSecurity) {
			t.Errorf("type %d: afterwards: %v", infoType, err)
		}
	}
}

// TestUnsignedEcho: ksmbd protects no answer to an ECHO. One that is signed wrongly still ends the connection.
func TestUnsignedEcho(t *testing.T) {
	for _, seal := range []bool{false, true} {
		server := scripted(t, smbtest.Options{})
		cfg := scriptedConfig(server)
		cfg.Sign, cfg.Seal = !seal, seal
		conn := scriptedTree(t, server, cfg).session.conn
		wrong := false
		server.Hook(wire.CommandEcho, func(r *smbtest.Request) {
			resp := r.Response(wire.StatusSuccess, &wire.EchoResponse{})
			resp.Sign, resp.Seal = wrong, false
			if wrong {
				resp.Mutate = func(msg []byte) []byte { msg[len(msg)-1] ^= 1; return msg }
			}
			resp.Send()
		})
		if err := conn.Echo(testContext(t)); err != nil {
			t.Errorf("sealed %v: %v", seal, err)
		}
		wrong = true
		if err := conn.Echo(testContext(t)); !errors.Is(err, ErrSignature) {
			t.Errorf("sealed %v, with a wrong signature: %v", seal, err)
		}
	}
}
