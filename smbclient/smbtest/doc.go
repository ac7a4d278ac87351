// Package smbtest is an SMB server for tests: what a real server cannot be made to do on demand.
//
// It negotiates, authenticates (NTLM, with real keys, so that signing and encryption are tested) and serves a small tree
// in memory. A hook per command sees each request before the server does, and may answer it in any way: later, twice, in another
// order, with any status, credits, header and bytes, or not at all.
//
//	server := smbtest.NewServer(smbtest.Options{})
//	defer server.Close()
//	server.Hook(wire.CommandRead, func(r *smbtest.Request) {
//		go r.Reply(wire.StatusInsufficientResources, nil) // instead of r.Serve()
//	})
//	session, err := smbclient.Connect(ctx, smbclient.Config{Dial: server.Dial, Credentials: server.Credentials()})
//
// The server checks the client: message ids out of the window that was granted, used twice, missing or wrong signatures are
// noted, and Violations returns them.
//
// # Goroutines and locks
//
// Each connection has one goroutine, which reads requests and calls hooks and handlers; Close closes the connections and waits
// for them. A hook runs on that goroutine: one that blocks holds up the requests behind. Requests may be answered from any
// goroutine. Server.mu guards the list of connections, the hooks and the notes, Tree.mu the tree and the notify requests,
// Conn.writeMu the transport; no two of them are held at once, but for writeMu under nothing.
package smbtest
