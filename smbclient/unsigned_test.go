package smbclient

import (
	"errors"
	"testing"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestUnsignedCleanup: ksmbd does not sign the end of a CHANGE_NOTIFY when its directory is closed. The request has failed; the connection has not.
// Any other end of it has to be signed.
func TestUnsignedCleanup(t *testing.T) {
	for _, status := range []wire.Status{wire.StatusNotifyCleanup, wire.StatusNotifyEnumDir} {
		server := scripted(t, smbtest.Options{})
		cfg := scriptedConfig(server)
		cfg.Sign = true
		tree := scriptedTree(t, server, cfg)
		server.Tree.Mkdir("d")
		dir := mustCreate(t, tree, "d", openDir)
		kept := make(chan *smbtest.Request, 1)
		server.Hook(wire.CommandChangeNotify, func(r *smbtest.Request) {
			r.Interim()
			kept <- r
		})
		n, err := dir.StartChangeNotify(testContext(t), NotifyParams{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		<-n.Pending()
		resp := (<-kept).Response(status, nil)
		resp.Sign, resp.Header.Credits = false, 0
		resp.Send()
		if _, err := n.Wait(testContext(t)); !errors.Is(err, ErrSignature) {
			t.Errorf("%v: %v", status, err)
		}
		if _, err := dir.Stat(testContext(t)); (err == nil) != (status == wire.StatusNotifyCleanup) {
			t.Errorf("after an unsigned %v: %v", status, err)
		}
	}
}

// TestWrongDescriptor: ksmbd signs a security descriptor without the header before it. It is not believed, and the connection goes on. A wrong
// signature of anything else that is asked for ends it.
func TestWrongDescriptor(t *testing.T) {
	for _, infoType := range []wire.InfoType{wire.InfoSecurity, wire.InfoFile} {
		server := scripted(t, smbtest.Options{})
		cfg := scriptedConfig(server)
		cfg.Sign = true
		tree := scriptedTree(t, server, cfg)
		server.Tree.WriteFile("f", nil)
		server.Hook(wire.CommandQueryInfo, func(r *smbtest.Request) {
			resp := r.Response(wire.StatusSuccess, &wire.QueryInfoResponse{Output: make([]byte, 200)})
			resp.Mutate = func(msg []byte) []byte { msg[len(msg)-1] ^= 1; return msg }
			resp.Send()
		})
		out, err := tree.QueryFile(testContext(t), "f", wire.FileReadAttributes, infoType, wire.ClassFileAll, 0, 1000)
		if !errors.Is(err, ErrSignature) || out != nil {
			t.Errorf("type %d: %d bytes, %v", infoType, len(out), err)
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
