// Package testenv builds the surroundings that tests, benchmarks and the demo
// need: a private Samba server, a mount made by the real smbfs binary, watchers
// that write down what the kernel tells, and a second SMB client that shares no
// code with this project.
//
// Nothing here imports package testing. Each part is started by a function that
// returns an error and is ended by a method; tb.go wraps them for tests.
//
// Goroutines: a Watcher has one reader, which Close stops and waits for. A
// Process has one goroutine that waits for the child. Both are owned by the
// value that the starting function returned.
//
// What must never be done here: stat, open or list a mount in order to find out
// whether it is there. A mount whose daemon hangs would take the caller with it;
// /proc/self/mountinfo answers without asking the daemon.
package testenv
