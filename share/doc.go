// Package share is one share of a server as the file system sees it: local names and paths,
// '/' separated, instead of the server's; cache entries instead of the protocol's structures.
//
// A share has two connections. One does the work. The other holds the watches, as another client
// would: a handle below a directory keeps a server from letting the connection that owns it
// rename the directory. Where many directories are watched it is joined by further ones, each another client too.
//
// # When a connection is lost
//
// Each connection is a [Line], which dials anew when it is lost. Requests for work wait for it, as long
// as its options say; those about watches fail at once, and [Share.OnWatches] tells when it is worth trying
// again. What may be repeated is repeated; what changes names asks first what became of the attempt
// whose answer was lost. A [File] is taken up again on the new connection before anybody uses that; a
// [Directory] is not: who watches has to open and compare it.
//
// # Goroutines and locks
//
// A line has one goroutine, which watches the connection and makes it anew; Line.Close ends it. Its lock, that
// of the table of files, and that of each file are leaves and never held over the network. A file's token
// (File.turn) is: it is for who takes the file up again, and all others wait for it as for the server.
//
// # Never
//
//   - keep a TreeConnect, or an Open, for longer than one operation: File and Line know the present one;
//   - repeat what changes names without looking;
//   - take the reason why the server cannot be reached for an answer about a file: see [DownError].
package share
