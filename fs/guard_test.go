package fs

import (
	"fmt"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
)

// TestGuardHoldsOthersToTheModeShown: the user who mounted and root pass; owner, group and others
// get what the mode shown gives them.
func TestGuardHoldsOthersToTheModeShown(t *testing.T) {
	root := cache.Entry{Identity: cache.Identity{FileID: 7, Kind: cache.Directory}}
	f := &FileSystem{tree: cache.New(root, time.Second), opts: Options{UID: 10, GID: 20, DirMode: 0o751}}
	g := guard{f, 1000}
	for _, c := range []struct {
		uid, gid uint32
		want     uint32
		ok       bool
	}{
		{0, 0, wantR | wantW | wantX, true},
		{1000, 1000, wantR | wantW | wantX, true},
		{10, 99, wantR | wantW | wantX, true},
		{30, 20, wantR | wantX, true},
		{30, 20, wantW, false},
		{30, 30, wantX, true},
		{30, 30, wantR, false},
		{30, 30, wantW | wantX, false},
	} {
		t.Run(fmt.Sprintf("uid=%d,gid=%d,want=%o", c.uid, c.gid, c.want), func(t *testing.T) {
			h := &fuse.InHeader{NodeId: fuse.FUSE_ROOT_ID, Caller: fuse.Caller{Owner: fuse.Owner{Uid: c.uid, Gid: c.gid}}}
			if got := g.permits(h, c.want); got != c.ok {
				t.Errorf("permitted: %v", got)
			}
		})
	}
}

// TestGuardRefusesBeforeAsking: a refused operation never reaches the file system below, which
// here would crash for want of a server.
func TestGuardRefusesBeforeAsking(t *testing.T) {
	root := cache.Entry{Identity: cache.Identity{FileID: 7, Kind: cache.Directory}}
	f := &FileSystem{tree: cache.New(root, time.Second), opts: Options{UID: 10, GID: 20, DirMode: 0o700}}
	g := guard{f, 1000}
	h := fuse.InHeader{NodeId: fuse.FUSE_ROOT_ID, Caller: fuse.Caller{Owner: fuse.Owner{Uid: 30, Gid: 30}}}
	for name, call := range map[string]func() fuse.Status{
		"lookup":  func() fuse.Status { return g.Lookup(nil, &h, "f", &fuse.EntryOut{}) },
		"mkdir":   func() fuse.Status { return g.Mkdir(nil, &fuse.MkdirIn{InHeader: h}, "f", &fuse.EntryOut{}) },
		"mknod":   func() fuse.Status { return g.Mknod(nil, &fuse.MknodIn{InHeader: h}, "f", &fuse.EntryOut{}) },
		"create":  func() fuse.Status { return g.Create(nil, &fuse.CreateIn{InHeader: h}, "f", &fuse.CreateOut{}) },
		"unlink":  func() fuse.Status { return g.Unlink(nil, &h, "f") },
		"rmdir":   func() fuse.Status { return g.Rmdir(nil, &h, "f") },
		"rename":  func() fuse.Status { return g.Rename(nil, &fuse.RenameIn{InHeader: h, Newdir: 1}, "f", "g") },
		"symlink": func() fuse.Status { return g.Symlink(nil, &h, "t", "f", &fuse.EntryOut{}) },
		"link":    func() fuse.Status { return g.Link(nil, &fuse.LinkIn{InHeader: h}, "f", &fuse.EntryOut{}) },
		"opendir": func() fuse.Status { return g.OpenDir(nil, &fuse.OpenIn{InHeader: h}, &fuse.OpenOut{}) },
		"open":    func() fuse.Status { return g.Open(nil, &fuse.OpenIn{InHeader: h}, &fuse.OpenOut{}) },
		"access":  func() fuse.Status { return g.Access(nil, &fuse.AccessIn{InHeader: h, Mask: wantR}) },
	} {
		if got := call(); got != fuse.EACCES {
			t.Errorf("%s: %v", name, got)
		}
	}
	in := &fuse.SetAttrIn{SetAttrInCommon: fuse.SetAttrInCommon{InHeader: h, Valid: fuse.FATTR_MODE}}
	if got := g.SetAttr(nil, in, &fuse.AttrOut{}); got != fuse.EPERM {
		t.Errorf("setattr: %v", got)
	}
}
