// Package replay makes system calls on smbfs's own mount, so that the kernel tells
// local watchers of changes that happened on the server.
//
// FUSE's notifications wake no inotify or fanotify watch; an ordinary call through
// the mount does. The daemon must not make it itself: a process that dies while one
// of its threads waits for its own mount can never be reaped. So the calls are made
// by a helper process, the same binary under a hidden name, which holds no FUSE
// descriptor, and between calls nothing on the mount at all.
//
// # The helper process
//
// [RunIfHelper] is the first thing main does. The helper drops what it does not need
// (descriptors, capabilities, signals) and executes itself once more, so that every
// thread of the final image is without them. Each worker is a goroutine locked to its
// thread, reading calls from a socket of its own. The end of the control socket ends
// the process. A call never works by plain path: see run.go in this package.
//
// # The daemon's side
//
// A [Helper] owns one supervisor goroutine, which owns the running process: one
// goroutine that waits for its end, one watchdog, and one goroutine per worker, which
// takes calls from Do, sends them, and reads their results. Close ends them all and
// waits. A process that cannot be ended, because a FUSE request of its is unanswered,
// keeps only the goroutine that waits for it.
//
// A worker thread is known by the pid in the header of its FUSE requests, learnt by
// one lookup of a nonce on the mount. The FUSE handlers ask [Helper.Worker] at every
// request; that takes no lock.
//
// # Lock order
//
// process.mu before registry.mu. Neither is held over a system call that can wait,
// nor while waiting for a goroutine.
//
// # Never
//
// Never call Do, Start or Close from a FUSE handler, or holding a lock that one of
// them takes: the call's own requests come back to the handlers. Never open, stat or
// list the mount in the daemon. Never keep a descriptor on the mount in the helper.
package replay
