package integration

import (
	"os"
	"sync/atomic"
	"testing"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"

	"golang.org/x/sys/unix"
)

// TestAutoTree: a server that lets no directory be renamed while those below are watched, as Windows does. Own
// renames succeed all the same; after two of them one watch of everything takes the place of the others.
func TestAutoTree(t *testing.T) {
	t.Parallel()
	server, m := mountScripted(t)
	server.Tree.Mkdir(`w\d`)
	server.Tree.Mkdir(`w\d\e`)
	shown(t, m.Path("w"), m.Path("w"))
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Path("w"), testenv.WatchOptions{})
	const each = 4 // requests: of the root, w, d and e
	waiting := func(n int) {
		t.Helper()
		if !testenv.WaitUntil(stepTimeout, func() bool { return server.Tree.Waiting() == n }) {
			t.Fatalf("%d requests are outstanding, want %d", server.Tree.Waiting(), n)
		}
	}
	waiting(each)
	var refused atomic.Int32
	server.Hook(wire.CommandSetInfo, func(r *smbtest.Request) {
		if wire.InfoClass(r.Body[3]) == wire.ClassFileRename && server.Tree.Waiting() >= each { // MS-SMB2 2.2.39
			refused.Add(1)
			r.Reply(wire.StatusAccessDenied, nil)
			return
		}
		r.Serve()
	})
	must(t, os.Rename(m.Path("w/d"), m.Path("w/x")))
	waiting(each)
	must(t, os.Rename(m.Path("w/x"), m.Path("w/y")))
	waiting(1)
	if n := refused.Load(); n != 2 {
		t.Errorf("%d renames were refused, want 2", n)
	}
	start := w.Len()
	server.Tree.WriteFile(`w\y\e\f`, []byte("hello"))
	if err := w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, "y/e/f")); err != nil {
		t.Errorf("%v; told:\n%s", err, testenv.FormatEvents(w.Events()[start:]))
	}
	must(t, os.Rename(m.Path("w/y"), m.Path("w/z")))
	if n := refused.Load(); n != 2 {
		t.Errorf("%d renames were refused, want 2: those before", n)
	}
}
