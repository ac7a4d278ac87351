// Package marks finds which objects of a mount local programs watch.
//
// A FUSE daemon is not told of inotify_add_watch(2) or fanotify_mark(2). The kernel lists the
// marks of an inotify or fanotify descriptor in /proc/PID/fdinfo/FD, with the device and the
// file handle of each marked inode, and FUSE puts the node id into the file handle. [Scanner]
// reads those files, for the processes it may read (all as root, one's own otherwise).
//
// # What it costs, and how that is bounded
//
// The kernel formats all marks of a descriptor whenever its fdinfo is opened and read, however
// little of it is asked for, so a descriptor with many marks must be read seldom. A scan lists
// /proc and asks the CPU clock of each process: one that has not run since its last
// examination has neither opened a descriptor nor added a mark, and is left alone. What has
// run is examined again within a budget, see [Options.Share]: processes that were named by
// [Scanner.Hint] first, then new ones and those whose number of descriptors changed, then the
// rest by how long they have waited in proportion to what they cost. What is put off stays
// due. Everything is read again now and then, should a clock have missed something.
//
// # Limits
//
// An instance that several processes or descriptors share is counted once for each. A thread
// with a descriptor table of its own, and a process whose first thread has ended, are not
// seen. Mount marks are told by the mount's id in the mount namespace of the process that
// holds them.
//
// # Goroutines and locks
//
// The package starts no goroutine. A Scanner belongs to the goroutine that calls Scan; Hint
// alone may be called by any. Its mutex guards the hints only and is a leaf.
//
// # Never
//
// Never open, stat or resolve anything on the mount: /proc alone is read, and what is read of
// it sends no request to a FUSE daemon. Never take a mark or keep a descriptor of another
// process. What fdinfo says is a hint about who is interested, never a proof that nobody is.
package marks
