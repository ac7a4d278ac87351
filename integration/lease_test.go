package integration

import (
	"bytes"
	"os"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// What was written and not closed is what another client reads, which waits for it no longer than it takes to be sent.
func TestWrittenBehindIsRead(t *testing.T) {
	s := plainSamba(t)
	mnt := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	peer := testenv.MustPeer(t, s)
	dir := folder(t, s)
	shown(t, mnt.Path(dir), s.Path(dir))
	f := openFile(t, mnt.Path(dir, "f"), os.O_CREATE|os.O_RDWR, 0o644)
	var want []byte
	for i := range 20 {
		line := bytes.Repeat([]byte{byte('a' + i)}, 1+i*1000)
		want = append(want, line...)
		try[int](t)(f.Write(line))
		if fi := try[os.FileInfo](t)(os.Stat(mnt.Path(dir, "f"))); fi.Size() != int64(len(want)) {
			t.Errorf("after %d bytes stat says %d", len(want), fi.Size())
		}
	}
	own := make([]byte, len(want))
	try[int](t)(f.ReadAt(own, 0))
	if !bytes.Equal(own, want) {
		t.Error("the mount reads something else than was written")
	}
	try[int](t)(f.WriteAt([]byte("0123456789"), 500))
	copy(want[500:], "0123456789")
	began := time.Now()
	got := try[[]byte](t)(peer.ReadFile(dir + "/f"))
	if !bytes.Equal(got, want) {
		t.Errorf("the other client reads %d bytes, want %d; or they differ", len(got), len(want))
	}
	if took := time.Since(began); took > 10*time.Second { // a lease that is not given back costs 35 s
		t.Errorf("the other client waited %v", took)
	}
	// Without the lease each write is there when it returns.
	g := try[*os.File](t)(os.Open(s.Path(dir, "f")))
	defer g.Close()
	p := try[interface{ Close() error }](t)(peer.OpenFile(dir+"/f", os.O_RDWR, 0))
	defer p.Close()
	try[int](t)(f.WriteAt([]byte("through"), 7))
	b := make([]byte, 7)
	try[int](t)(g.ReadAt(b, 7))
	if string(b) != "through" {
		t.Errorf("the server has %q", b)
	}
}

// A close, an fsync, a truncation and a change of times wait for what was written before.
func TestWrittenBehindIsThere(t *testing.T) {
	s := plainSamba(t)
	mnt := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	dir := folder(t, s)
	shown(t, mnt.Path(dir), s.Path(dir))
	when := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, c := range []struct {
		name string
		end  func(name string, f *os.File) error
		want string
	}{
		{"close", func(_ string, f *os.File) error { return f.Close() }, "written"},
		{"fsync", func(_ string, f *os.File) error { return f.Sync() }, "written"},
		{"truncate", func(_ string, f *os.File) error { return f.Truncate(3) }, "wri"},
		{"truncate by name", func(name string, _ *os.File) error { return os.Truncate(name, 9) }, "written\x00\x00"},
		{"times", func(name string, _ *os.File) error { return os.Chtimes(name, when, when) }, "written"},
		{"rename", func(name string, f *os.File) error {
			if err := os.Rename(name, name+"."); err != nil {
				return err
			}
			if err := os.Rename(name+".", name); err != nil {
				return err
			}
			return f.Close()
		}, "written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := openFile(t, mnt.Path(dir, c.name), os.O_CREATE|os.O_RDWR, 0o644)
			try[int](t)(f.WriteString("written"))
			must(t, c.end(f.Name(), f))
			wantContent(t, s.Path(dir, c.name), c.want)
			if c.name == "times" {
				for _, name := range []string{f.Name(), s.Path(dir, c.name)} {
					if fi := try[os.FileInfo](t)(os.Stat(name)); !fi.ModTime().Equal(when) {
						t.Errorf("%s is of %v", name, fi.ModTime())
					}
				}
			}
		})
	}
}
