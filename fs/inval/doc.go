// Package inval sends the kernel the FUSE notifications that can wait: for a page that is being
// read (FUSE_NOTIFY_INVAL_INODE), and for a directory's lock, which somebody holds who waits for the
// daemon (FUSE_NOTIFY_INVAL_ENTRY).
//
// The kernel's wait cannot be interrupted. A daemon that was killed in it would keep the device
// open that has to be closed for the wait to end: it could not be reaped, and whoever uses the mount would
// hang, until root aborts the connection. So they are sent by a process of their own, the same binary
// under a hidden name, which is started with the first of them. It has a clone of the device
// (FUSE_DEV_IOC_CLONE). When the daemon dies its own device is closed, and the kernel ends every
// request that the daemon had read; those it had not, the process reads and answers with ENOTCONN, until its
// notifications have returned. Then it ends, and with its clone the connection.
//
// # Goroutines
//
// A [Sender] has one goroutine for a running process: it reads the answers and, at the end, reaps it. In the
// process each notification has a thread.
//
// # Never
//
// Never send from a FUSE handler. The process never opens, stats or lists the mount.
package inval
