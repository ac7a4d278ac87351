package integration

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestShortAnswers: a server that answers READs with half of what was asked for has not said that the file ends there.
func TestShortAnswers(t *testing.T) {
	t.Parallel()
	server, m := mountScripted(t)
	content := make([]byte, 1<<20+12345)
	for i := range content {
		content[i] = byte(i ^ i>>8 ^ i>>16)
	}
	server.Tree.WriteFile(`w\f`, content)
	server.Hook(wire.CommandRead, func(q *smbtest.Request) {
		length := q.Body[4:8] // MS-SMB2 2.2.19
		if n := binary.LittleEndian.Uint32(length); n > 1 {
			binary.LittleEndian.PutUint32(length, n/2)
		}
		q.Serve()
	})
	got, err := os.ReadFile(filepath.Join(m.Mountpoint, "w/f"))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%v: %d bytes of %d, the same: %v", err, len(got), len(content), bytes.HasPrefix(content, got))
	}
}

// TestReadInHole: a file that was written far beyond its end has a hole there at once, not when the WRITE has arrived.
func TestReadInHole(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	for range 20 {
		f := try[*os.File](t)(os.OpenFile(filepath.Join(m.Mountpoint, "f"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644))
		try[int](t)(f.WriteAt([]byte("x"), 100000))
		b := bytes.Repeat([]byte{1}, 10)
		if n, err := f.ReadAt(b, 50000); err != nil || !bytes.Equal(b, make([]byte, 10)) {
			t.Errorf("pread in the hole: %d bytes %v, %v", n, b, err)
		}
		must(t, f.Close())
		must(t, os.Remove(f.Name()))
	}
}

// TestSyncThroughReader: fsync through a descriptor opened for reading, as sync FILE does it, has what others have written on the server.
func TestSyncThroughReader(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Daemon: true})
	name := filepath.Join(m.Mountpoint, "f")
	w := try[*os.File](t)(os.Create(name))
	defer w.Close()
	r := try[*os.File](t)(os.Open(name))
	defer r.Close()
	flushes := statusOf(t, m).Connections[0].Requests["FLUSH"]
	try[int](t)(w.WriteString("hello"))
	must(t, unix.Fsync(int(r.Fd())))
	if b, err := os.ReadFile(filepath.Join(s.Dir, "f")); err != nil || string(b) != "hello" {
		t.Errorf("the server has %q, %v", b, err)
	}
	if n := statusOf(t, m).Connections[0].Requests["FLUSH"]; n == flushes {
		t.Error("no FLUSH was sent")
	}
}
