package integration

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// A program in the middle of a large file, far from the server, is kept ahead. What was read ahead when a change is told is
// not what it reads after.
func TestReadAheadAtAChange(t *testing.T) {
	t.Parallel()
	const size, first = 32 << 20, 8 << 20
	s := testenv.MustSamba(t, testenv.Options{})
	far := testenv.MustDelay(t, s, 10*time.Millisecond)
	must(t, os.WriteFile(s.Path("f"), bytes.Repeat([]byte("old!"), size/4), 0o644))
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{fmt.Sprint("port=", far.Port)}})
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
	f := try[*os.File](t)(os.Open(m.Path("f")))
	defer f.Close()
	b := make([]byte, first)
	try[int](t)(io.ReadFull(f, b))
	if !bytes.Equal(b, bytes.Repeat([]byte("old!"), first/4)) {
		t.Fatal("not the content it had before the change")
	}
	must(t, writeInPlace(s.Path("f"), string(bytes.Repeat([]byte("new."), size/4))))
	must(t, w.WaitFor(stepTimeout, func(events []testenv.Event) bool { return slices.ContainsFunc(events, is(unix.IN_CLOSE_WRITE, "f")) }))
	rest := try[[]byte](t)(io.ReadAll(f))
	if !bytes.Equal(rest, bytes.Repeat([]byte("new."), (size-first)/4)) {
		t.Errorf("%d bytes after the change, old ones from %d on", len(rest), bytes.Index(rest, []byte("old!")))
	}
}
