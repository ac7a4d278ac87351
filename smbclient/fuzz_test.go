package smbclient

import (
	"io"
	"net"
	"testing"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// FuzzReceive feeds bytes to the receive path of a connection that has requests of several kinds outstanding: it must not panic, must not write
// beyond the memory it was given, and must end every request once when the connection ends.
func FuzzReceive(f *testing.F) {
	response := func(command wire.Command, id uint64, status wire.Status, body smbtest.Body) []byte {
		h := wire.Header{Command: command, MessageID: id, Status: status, Flags: wire.FlagServerToRedir, Credits: 3}
		if status == wire.StatusPending {
			h.Flags |= wire.FlagAsync
			h.AsyncID = 9
		}
		return body.Append(h.Append(nil))
	}
	failed := &wire.ErrorResponse{}
	read := response(wire.CommandRead, 0, wire.StatusSuccess, &wire.ReadResponse{Data: make([]byte, fuzzRead)})
	create := response(wire.CommandCreate, 1, wire.StatusSuccess, &wire.CreateResponse{})
	notify := response(wire.CommandChangeNotify, 2, wire.StatusSuccess, &wire.ChangeNotifyResponse{
		Output: wire.AppendNotifyEvents(nil, []wire.NotifyEvent{{Action: wire.ActionAdded, Name: "x"}}),
	})
	compound := append([]byte(nil), create...)
	for len(compound)%8 != 0 {
		compound = append(compound, 0)
	}
	wire.PutNextCommand(compound, uint32(len(compound)))
	compound = append(compound, notify...)
	for _, msg := range [][]byte{
		read, create, notify, compound,
		response(wire.CommandChangeNotify, 2, wire.StatusPending, failed),
		response(wire.CommandCreate, 1, wire.StatusAccessDenied, failed),
		response(wire.CommandOplockBreak, ^uint64(0), wire.StatusSuccess, &wire.OplockBreakNotification{}),
		response(wire.CommandOplockBreak, ^uint64(0), wire.StatusSuccess, &wire.LeaseBreakNotification{}),
		(&wire.TransformHeader{OriginalMessageSize: 64, Flags: 1}).Append(nil),
	} {
		f.Add(smbtest.Message(msg))
	}
	f.Add(append(smbtest.Message(read), smbtest.Message(compound)...))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzReceive(t, data) })
}

const fuzzRead = 300

func fuzzReceive(t *testing.T, data []byte) {
	client, server := net.Pipe()
	cfg := Config{Address: "server"}
	if err := cfg.complete(); err != nil {
		t.Fatal(err)
	}
	c := newConnection(cfg, client)
	c.setNegotiated(&negotiated{maxTransact: minSize, maxRead: minSize, maxWrite: minSize})
	tree := &TreeConnect{session: &Session{conn: c}}
	memory := make([]byte, fuzzRead+100)
	read := newRequest(wire.CommandRead, &wire.ReadRequest{})
	read.sink = memory[:fuzzRead]
	requests := []*request{read, (&CreateParams{}).request("f"), (&NotifyParams{}).request(wire.FileID{}, minSize)}
	go func() { _, _ = io.Copy(io.Discard, server) }()
	c.credit.answered(10, 0, 0)
	for _, r := range requests {
		if err := c.send(t.Context(), single(nil, 0, r)); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = server.Write(data)
	_ = server.Close()
	for _, r := range requests {
		select {
		case <-r.done:
		case <-time.After(20 * time.Second):
			t.Fatalf("%v never ends", r.command)
		}
	}
	if requests[1].err == nil {
		_, _ = tree.opened("f", CreateParams{}, &requests[1].response)
	}
	if requests[2].err == nil {
		_, _ = (&NotifyRequest{open: &Open{tree: tree}, conn: c, r: requests[2]}).Result()
	}
	for i, b := range memory[fuzzRead:] {
		if b != 0 {
			t.Fatalf("byte %d behind the memory was written", i)
		}
	}
	c.Close()
	available, _ := c.credit.owned()
	if n := len(c.pending); n != 0 || available < 0 {
		t.Fatalf("%d requests left, %d credits", n, available)
	}
}
