package integration

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// reads counts the READs that the mount has sent.
func reads(t *testing.T, m *testenv.Mounted) int64 {
	t.Helper()
	return statusOf(t, m).Connections[0].Requests["READ"]
}

// restful gives a file on the server content, and a time at which two writes are told apart.
func restful(t *testing.T, name, content string, age time.Duration) {
	t.Helper()
	must(t, os.WriteFile(name, []byte(content), 0o644))
	when := time.Now().Add(-age)
	must(t, os.Chtimes(name, when, when))
}

// settled reads the file until that takes no READ any more.
func settled(t *testing.T, m *testenv.Mounted, name, want string) {
	t.Helper()
	if !testenv.WaitUntil(90*time.Second, func() bool { // a comparison, which is made every minute, may have to say so first
		before := reads(t, m)
		wantContent(t, name, want)
		return reads(t, m) == before
	}) {
		st := statusOf(t, m)
		t.Fatalf("the pages of a file at rest do not survive its being closed; status: %+v, %+v", st.Files, st.Notify)
	}
}

// TestPagesSurviveClose: what was read of a file stays in the page cache when it is closed and opened again, and not longer than the file is
// the same. Whoever writes, the next open after it shows that.
func TestPagesSurviveClose(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	on := s.Path(root, "f")
	restful(t, on, "content-00", time.Hour)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + root})
	peer := testenv.MustPeer(t, s)
	try[[]os.DirEntry](t)(os.ReadDir(m.Mountpoint)) // has it watched
	settled(t, m, m.Path("f"), "content-00")
	for i := range 20 { // on the server's own disk, with times of long ago, which differ
		want := fmt.Sprintf("content-%02d", i)
		restful(t, on, want, time.Duration(60+i)*time.Minute)
		wantContent(t, m.Path("f"), want)
	}
	settled(t, m, m.Path("f"), "content-19")
	func() { // while somebody else has it open: see TestFactWritesAreHidden
		defer try[io.Closer](t)(peer.Open(root + "/f")).Close()
		for i := range 10 {
			want := fmt.Sprintf("CONTENT-%02d", i)
			restful(t, on, want, time.Duration(90+i)*time.Minute)
			wantContent(t, m.Path("f"), want)
		}
	}()
	must(t, peer.WriteFile(root+"/f", []byte("by a peer!"), 0o644))
	wantContent(t, m.Path("f"), "by a peer!")
	must(t, os.WriteFile(m.Path("f"), []byte("from here."), 0o644))
	wantContent(t, m.Path("f"), "from here.")
	restful(t, on, "long ago..", time.Hour)
	settled(t, m, m.Path("f"), "long ago..")
	must(t, os.Truncate(m.Path("f"), 4))
	wantContent(t, m.Path("f"), "long")
}

// TestPagesOfOtherContent: what no stat shows is told by a notification, which drops the pages of a file that nobody has open.
func TestPagesOfOtherContent(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	on := s.Path(root, "f")
	restful(t, on, "before", time.Hour)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + root})
	peer := testenv.MustPeer(t, s)
	try[[]os.DirEntry](t)(os.ReadDir(m.Mountpoint))
	becomes := func(want string) {
		t.Helper()
		var got string
		if !testenv.WaitUntil(stepTimeout, func() bool { got = string(try[[]byte](t)(os.ReadFile(m.Path("f")))); return got == want }) {
			t.Fatalf("the mount shows %q for %q", got, want)
		}
	}
	settled(t, m, m.Path("f"), "before")
	when := try[os.FileInfo](t)(os.Stat(on)).ModTime()
	f := try[*os.File](t)(os.OpenFile(on, os.O_RDWR, 0))
	defer f.Close()
	try[int](t)(f.WriteAt([]byte("behind"), 0))
	must(t, os.Chtimes(on, when, when)) // the time is put back
	becomes("behind")

	settled(t, m, m.Path("f"), "behind")
	g := try[interface {
		io.WriterAt
		io.Closer
	}](t)(peer.OpenFile(root+"/f", os.O_RDWR, 0)) // and stays open: the server is late to move the time
	defer g.Close()
	try[int](t)(g.WriteAt([]byte("PEER"), 0))
	becomes("PEERnd")
}

// TestPagesUnwatched: where changes are not notified, an open asks for the content.
func TestPagesUnwatched(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	restful(t, s.Path(root, "f"), "before", time.Hour)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + root, Options: strings.Fields("notify=off")})
	for range 3 {
		before := reads(t, m)
		wantContent(t, m.Path("f"), "before")
		if reads(t, m) == before {
			t.Error("nothing was read")
		}
	}
}
