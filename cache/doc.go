// Package cache holds what smbfs knows of a share: its objects, and for each name in each
// known directory two views of it.
//
//   - The truth is what the server last said.
//   - The told view is what the local kernel, and so every watcher, has been told.
//
// A remote change moves the truth at once and the told view when it is told: by [Tree.Commit],
// which runs while the kernel holds the directory's lock. A local program's own operation moves
// both as part of the operation ([Tree.Begin]), so that the notification it comes back as finds
// nothing to tell. What remains to be told is never queued as a list of past happenings; it is
// the difference between the views, and [Tree.Next] derives one step of it at a time. A change
// that came and went before it could be told therefore leaves no trace, and one that is told
// always leads to what is true.
//
// A directory that was told gone never comes back: the kernel's inode is dead after rmdir, so the
// same directory seen again is another object. What is told of a directory that moves or goes,
// and of its parents, is told by one caller of Next at a time (see Change and Done).
//
// The package is pure: no I/O, no goroutine, and time is a parameter. One mutex guards the
// whole tree; it is held for map operations only.
package cache
