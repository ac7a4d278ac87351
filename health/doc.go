// Package health says how a mount does: to whoever asks over a Unix socket, and to Prometheus.
//
// A Recorder takes the engine's traces: how long after its notification a change was told, and for those who watch, each change
// beside what the server said. A Server answers on the mount's control socket, a Metrics server on an address of the user's choice.
//
// # The control socket
//
// It is made in a directory that only the mount's owner can enter, by a name made of the mount point's; besides, the server asks
// the kernel who is at the other end, and answers the owner and root only. The protocol is one line of JSON from the client, then
// lines of JSON from the server: one for "status", any number for "watch", until one of the two hangs up.
//
// # Goroutines and locks
//
// A Server has one goroutine that accepts and one per client; Close ends and waits for all. Metrics has those of net/http, which its
// Close ends. Recorder.mu guards what has been heard and who watches; nothing is called with it held. Recorder.Trace is called on
// the engine's and the connection's goroutines.
//
// # What must never be done
//
// Wait for a client where the engine calls: each client has a buffer of a fixed size, and one that lets it fill up is sent away. Ask
// anything of the mount point: the daemon would wait for itself. Put what identifies a file into a metric's labels.
package health
