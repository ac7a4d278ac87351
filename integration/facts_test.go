package integration

import (
	"os"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"github.com/hirochachacha/go-smb2"
)

// Facts about servers that the design leans on. If one of these fails, the server
// behaves otherwise than when the design was made, and the code that cites the
// fact is to be looked at.

// TestFactCreationTimeMoves: for an object that was made on the server itself, Samba
// 4.17 has no stored creation time and answers with the earliest of the access,
// write and change times. A write followed by a read moves all three, so the
// creation time moves under an object that is still the same one.
func TestFactCreationTimeMoves(t *testing.T) {
	s := plainSamba(t)
	p := testenv.MustPeer(t, s)
	dir := folder(t, s)
	file := s.Path(dir, "f")
	must(t, os.WriteFile(file, []byte("first"), 0o644))
	created := func() time.Time {
		info := try[os.FileInfo](t)(p.Stat(dir + "/f"))
		return info.Sys().(*smb2.FileStat).CreationTime
	}
	before, id := created(), inode(t, file)
	moved := testenv.WaitUntil(stepTimeout, func() bool {
		must(t, os.WriteFile(file, []byte("second"), 0o644))
		// What reading does to the access time depends on the mount options.
		now := time.Now()
		must(t, os.Chtimes(file, now, now))
		return created().After(before)
	})
	if inode(t, file) != id {
		t.Fatal("the file is another one")
	}
	if !moved {
		t.Error("the creation time of one and the same file stayed: Samba stores it now")
	}
}

// TestFactWritesAreHidden: while any client has a file open, Samba tells everybody the time of the last write from before that, whatever a
// program on the server itself writes.
func TestFactWritesAreHidden(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	p, dir := testenv.MustPeer(t, s), folder(t, s)
	written := func() time.Time { return try[os.FileInfo](t)(p.Stat(dir + "/f")).ModTime() }
	restful(t, s.Path(dir, "f"), "before", time.Hour)
	before := written()
	f := try[*smb2.File](t)(p.Open(dir + "/f"))
	restful(t, s.Path(dir, "f"), "behind", 2*time.Hour)
	hidden := written().Equal(before)
	must(t, f.Close())
	if !hidden || written().Equal(before) {
		t.Errorf("the write is hidden: %v, and after the close: %v", hidden, written().Equal(before))
	}
}
