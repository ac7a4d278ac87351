package integration

import (
	"bytes"
	"crypto/rand"
	"os"
	"testing"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// TestCopyFileRange: copy_file_range(2) within the mount is the server's work; no content travels.
func TestCopyFileRange(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	content := make([]byte, 20<<20+4321) // more than one request takes
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	must(t, os.WriteFile(s.Path(root, "from"), content, 0o644))
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + root})
	before := statusOf(t, m).Connections[0]
	from := try[*os.File](t)(os.Open(m.Path("from")))
	defer from.Close()
	to := try[*os.File](t)(os.Create(m.Path("to")))
	copyRange(t, from, to, 0, 0, len(content))
	const off, size = 12345, 3<<20 + 1
	copyRange(t, from, to, off, int64(len(content)), size) // a piece from the middle behind the end
	must(t, to.Close())
	after := statusOf(t, m).Connections[0]

	want := append(bytes.Clone(content), content[off:off+size]...)
	if got := try[[]byte](t)(os.ReadFile(s.Path(root, "to"))); !bytes.Equal(got, want) {
		t.Errorf("the server's copy has %d bytes and differs from the %d wanted", len(got), len(want))
	}
	if n := after.Requests["READ"] + after.Requests["WRITE"] - before.Requests["READ"] - before.Requests["WRITE"]; n != 0 {
		t.Errorf("the copy took %d READs and WRITEs", n)
	}
	if n := after.Requests["IOCTL"] - before.Requests["IOCTL"]; n < 4 {
		t.Errorf("%d IOCTLs were sent", n)
	}
	if got := try[[]byte](t)(os.ReadFile(m.Path("to"))); !bytes.Equal(got, want) {
		t.Errorf("through the mount the copy has %d bytes and differs from the %d wanted", len(got), len(want))
	}
}

// TestCopyFileRangeOntoItself: one handle is source and target.
func TestCopyFileRangeOntoItself(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	must(t, os.WriteFile(s.Path(root, "f"), []byte("0123456789"), 0o644))
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + root})
	f := try[*os.File](t)(os.OpenFile(m.Path("f"), os.O_RDWR, 0))
	defer f.Close()
	copyRange(t, f, f, 2, 10, 5)
	if got := try[[]byte](t)(os.ReadFile(s.Path(root, "f"))); string(got) != "012345678923456" {
		t.Errorf("the file has %q", got)
	}
}

// TestCopyFileRangeOfNewData: what was just written, to either file, may not be on the server yet when the copy is asked for.
func TestCopyFileRangeOfNewData(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + root})
	for i := range 20 {
		from := try[*os.File](t)(os.Create(m.Path("from")))
		to := try[*os.File](t)(os.Create(m.Path("to")))
		data := bytes.Repeat([]byte{byte('a' + i)}, 5000)
		for _, w := range []struct {
			f    *os.File
			data []byte
		}{{to, bytes.Repeat([]byte("."), 7000)}, {from, data}} {
			if _, err := w.f.Write(w.data); err != nil {
				t.Fatal(err)
			}
		}
		copyRange(t, from, to, 0, 1000, len(data))
		must(t, from.Close())
		must(t, to.Close())
		want := append(append(bytes.Repeat([]byte("."), 1000), data...), bytes.Repeat([]byte("."), 1000)...)
		if got := try[[]byte](t)(os.ReadFile(s.Path(root, "to"))); !bytes.Equal(got, want) {
			t.Fatalf("round %d: the server has %d bytes, %.20q at 1000, want %d, %.20q", i, len(got), got[min(1000, len(got)):], len(want), want[1000:])
		}
	}
}

// copyRange copies n bytes, in as many calls as it takes.
func copyRange(t *testing.T, from, to *os.File, off, at int64, n int) {
	t.Helper()
	for n > 0 {
		k, err := unix.CopyFileRange(int(from.Fd()), &off, int(to.Fd()), &at, n, 0)
		if err != nil || k == 0 {
			t.Fatalf("copy_file_range with %d bytes to go: %d, %v", n, k, err)
		}
		n -= k
	}
}
