package integration

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"testing"
	"unsafe"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

const page = 4096

// Writes past the page cache at several places of a file are at the server together: none waits for the one before.
func TestDirectWritesTogether(t *testing.T) {
	t.Parallel()
	const writers = 8
	s := testenv.MustSamba(t, testenv.Options{})
	way := testenv.MustProxy(t, s)
	must(t, os.WriteFile(s.Path("f"), make([]byte, writers*page), 0o644))
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{fmt.Sprint("port=", way.Port())}})
	f := openFile(t, m.Path("f"), os.O_RDWR|unix.O_DIRECT, 0)
	sent := func() int64 { return statusOf(t, m).Connections[0].Requests["WRITE"] }
	before := sent()
	way.Set(testenv.Faults{Drop: true}) // no answer comes
	want := make([]byte, 0, writers*page)
	var wg sync.WaitGroup
	for i := range writers {
		b := alignedPage(byte('a' + i))
		want = append(want, b...)
		wg.Go(func() {
			if n, err := f.WriteAt(b, int64(i*page)); n != page || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
	if !testenv.WaitUntil(stepTimeout, func() bool { return sent()-before == writers }) {
		t.Errorf("%d of %d WRITEs are on their way together", sent()-before, writers)
	}
	way.Set(testenv.Faults{})
	way.Reset()
	wg.Wait()
	if got := try[[]byte](t)(os.ReadFile(s.Path("f"))); !bytes.Equal(got, want) {
		t.Error("the server has something else than was written")
	}
}

// What is written past the page cache is what others see who have the file in it, and the file can be mapped all the same.
func TestDirectIsCoherent(t *testing.T) {
	s := plainSamba(t)
	dir := folder(t, s)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + dir})
	must(t, os.WriteFile(m.Path("f"), alignedPage('a'), 0o644))
	cached := openFile(t, m.Path("f"), os.O_RDONLY, 0)
	got := make([]byte, page)
	try[int](t)(cached.ReadAt(got, 0))
	direct := openFile(t, m.Path("f"), os.O_RDWR|unix.O_DIRECT, 0)
	mapped := try[[]byte](t)(unix.Mmap(int(direct.Fd()), 0, page, unix.PROT_READ, unix.MAP_SHARED))
	defer unix.Munmap(mapped)
	if mapped[0] != 'a' {
		t.Errorf("mapped: %q", mapped[0])
	}
	want := alignedPage('b')
	try[int](t)(direct.WriteAt(want, 0))
	if _, err := cached.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("through the page cache: %q, %v", got[0], err)
	}
	if mapped[0] != 'b' {
		t.Errorf("mapped: %q", mapped[0])
	}
	try[int](t)(direct.WriteAt(want, 3*page)) // beyond the end
	if fi := try[os.FileInfo](t)(os.Stat(m.Path("f"))); fi.Size() != 4*page {
		t.Errorf("%d bytes", fi.Size())
	}
}

// alignedPage is memory that begins at a page, full of b.
func alignedPage(b byte) []byte {
	p := make([]byte, 2*page)
	skip := -int(uintptr(unsafe.Pointer(&p[0]))) & (page - 1)
	p = p[skip : skip+page]
	for i := range p {
		p[i] = b
	}
	return p
}
