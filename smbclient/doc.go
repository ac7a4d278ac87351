// Package smbclient is an SMB 2.1 to 3.1.1 client (MS-SMB2): connection, session, share, open file, with many requests in
// flight, change notification and cancellation. It knows nothing of the file system built on it.
//
//	session, err := smbclient.Connect(ctx, smbclient.Config{Address: "host:445", Credentials: creds})
//	tree, err := session.TreeConnect(ctx, "share")
//	file, err := tree.Create(ctx, `dir\name`, smbclient.CreateParams{...})
//	n, err := file.ReadAt(ctx, p, 0)
//
// # Life and death
//
// A [Connection] dies once, with one error, and is never revived: [Connection.Done] is closed, every request ends with that error,
// which matches net.ErrClosed. Who wants to go on connects anew, with the same ClientGUID, and
// can take up the opens that the server has kept ([TreeConnect.Reconnect]). Nothing is global but pooled memory: connections are
// independent of each other.
//
// The end of a context ends the wait and nothing else. The request is cancelled on the server (CANCEL), stays registered until
// its final response, so that its credits are booked, and what a CREATE opened after all is closed. Memory that was given to
// a call is not touched any more once the call has returned.
//
// # Goroutines
//
// Each Connection has four, which Close stops and waits for:
//
//   - the receive loop reads messages, checks and decrypts them and ends requests. It waits for nothing but the socket.
//   - the timer sends ECHO and finds requests that have waited too long.
//   - the canceller sends CANCEL for abandoned requests.
//   - the dispatcher calls the callbacks of StartChangeNotify.
//
// Besides, a goroutine lives for a short time where a context ended in the middle of a write (it writes the rest, from a copy),
// for a CREATE that succeeded after it was abandoned, for an ECHO, and for the break of an oplock. There is none per request:
// the caller's own goroutine encodes, signs and writes.
//
// # Locks
//
// Connection.writer, the write mutex, is held while a message is written, and nothing else is decided under it.
// Connection.mu guards the table of requests and all other state; it is never held over the network, and no other lock is taken
// under it. creditPool.mu, queue.mu and leaseTable.mu are leaves. Who needs both takes Connection.writer first.
// validation.mu is the one lock that is held over a round trip: whoever connects a second share of a session meanwhile has to
// wait for its outcome.
//
// A deadline of the socket is a bell and not a time-out: one in the past wakes the receive loop, or a writer, to see whether its
// memory is wanted back. So the net.Conn that Config.Dial returns has to survive a deadline, as TCP connections and
// net.Pipe do.
//
// # Leases
//
// Who opens a file says which key its lease has ([CreateParams]). What is opened or changed by name carries the key that the connection
// has on that name: with another one, or none, it would break the client's own lease. A break takes effect when it is received,
// also if that is before the answer to the CREATE, and is then handed on ([Connection.OnBreak]).
//
// # Never
//
//   - block in the receive loop, or wait there for credits or for the write mutex;
//   - give out a message id and not send it: the server's window would never get past the hole;
//   - book the credits of a response twice, or not at all;
//   - touch a caller's memory after the call has returned.
package smbclient
