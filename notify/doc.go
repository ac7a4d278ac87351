// Package notify turns what a server notifies into changes that are told here.
//
// A [Engine] keeps a CHANGE_NOTIFY request outstanding on each directory in use. A notification
// is a hint and never an event: the engine asks the server what is true now, by name or by
// listing the directory, and gives the answers to the [cache.Tree]. What the tree then derives
// is told by a [Teller]: the file system, through the replay helper.
//
// # Goroutines
//
// The engine owns a fixed number of goroutines, which Close ends and waits for: workers that
// arm and look at directories, and tellers that take steps from the tree and carry them out. A directory has no goroutine. Completions of requests are delivered by the
// connection's own goroutine and only note what has to be looked at.
//
// # Locks
//
// Engine.mu guards the watches. It is never held over the network, over a call of the Teller,
// or while the tree is asked to do anything that could call back; the tree's own lock is a leaf.
//
// # Never
//
// Never wait for a Teller in a FUSE handler: [Engine.Use] and [Engine.Look] return at once, and
// [Engine.Release] waits for the server alone.
package notify
