// Package fs is the FUSE file system: it answers the kernel's requests for one share, and tells
// the kernel of remote changes.
//
// It speaks go-fuse's raw protocol rather than its node tree. Where things are is recorded in
// [cache.Tree] alone, in two views; a second tree, which could not hold two, would have to be
// kept in step with moves that have not been told yet. A FUSE node id is a cache.ID.
//
// # Two kinds of callers
//
// Every request goes through a gate. One that comes from a thread of the replay helper is
// answered from the expectation that the thread has at that moment and nothing else, without
// asking the server: see replayed.go. All others are local programs' requests: their results go
// into both views of the tree, so that the notifications they come back as change nothing.
//
// # Rules
//
//   - A handler never waits for a replay, nor for a notification to the kernel, nor for a lock
//     that one of those needs: the kernel holds a directory's lock while it waits for the handler. SETLK, for
//     which it holds none, waits until it has dropped a file's pages, as long as its caller does.
//   - Notifications to the kernel are sent by the notify engine's tellers, never by handlers, but for one of
//     attributes that waits for nothing (sizeAt); those that can wait are sent by a process of their own: see package inval.
//   - A handler may wait for the server. It can be interrupted: see wait.go.
//   - The daemon never opens, stats or lists its own mount.
//   - ENOSYS makes the kernel give up an operation for good: it is never answered to the helper.
//
// # Reading ahead
//
// Each handle has a readahead, whose READs run in goroutines of its own, which RELEASE ends and waits for. What it has is
// used as long as the tree knows of no other size or time than when it was asked for, and dropped by dropAll, before the
// kernel is told to drop its pages, and by own writes.
//
// # Listing ahead
//
// The order in which programs ask for directories is remembered (walks). A listing that is made for somebody takes those that came next
// along, in goroutines which Wait waits for; whoever asks for one of them meanwhile waits for that listing.
//
// # Leases and writing behind
//
// All handles of one file share a file: its lease key, and its writeback. While the lease lets it, a WRITE is answered when it has been
// gathered; goroutines of the writeback carry it to the server, and RELEASE waits for the last of them. What sets a size, and
// what reads there, waits first; what sets times goes behind it, in one message with the last of what was written. From the first gathered byte to the last answer the tree counts the file as being
// changed (BeginSet), so that no answer of the server's is taken for somebody else's change. The break of a lease waits for
// the writes, and for nothing of the kernel's.
//
// # Locks of programs
//
// Those of fcntl(2) and flock(2) are kept with the file, and on the server by the open of who has them: see lock.go. Who changes
// what is locked on the server has the file's turn, which is a token and no mutex, since it is held over the network. handle.use is taken under it.
//
// # Locks
//
// The table of handles and each handle have a lock of their own; neither is held over the
// network. readahead.mu is taken under none of these but handle.use; handle.use is only tried under
// writeback.mu, and who waits for a writeback holds no handle.use: what it waits for needs that. files.mu, first.mu, pages.mu and locks.mu are leaves, walks.mu
// is one but for the tree's. The tree's lock is a leaf.
// waits.mu is taken under patience.mu, and is a leaf.
package fs
