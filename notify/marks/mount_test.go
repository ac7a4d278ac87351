package marks

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"smbfs/notify/replay"
)

// limit is how long anything may take before the test fails.
const limit = 20 * time.Second

// nameFS has an object for every name that is d or f and a node id in hexadecimal: a
// directory or a file. The inode numbers shown are not the node ids.
type nameFS struct{ fuse.RawFileSystem }

const inoOfNode = 0x5a5a_0000_0000_0000

func (nameFS) fill(node uint64, dir bool, a *fuse.Attr) {
	a.Ino, a.Nlink, a.Mode = node^inoOfNode, 1, syscall.S_IFREG|0o644
	if dir {
		a.Mode = syscall.S_IFDIR | 0o755
	}
	a.Owner = *fuse.CurrentOwner()
}

func (f nameFS) Lookup(_ <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	node, err := strconv.ParseUint(name[1:], 16, 64)
	if err != nil || name[0] != 'd' && name[0] != 'f' {
		return fuse.ENOENT
	}
	out.NodeId, out.Generation = node, 7
	out.SetEntryTimeout(time.Hour)
	out.SetAttrTimeout(time.Hour)
	f.fill(node, name[0] == 'd', &out.Attr)
	return fuse.OK
}

// GetAttr is asked for the root alone: all others come with their LOOKUP for an hour.
func (f nameFS) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	out.SetTimeout(time.Hour)
	f.fill(in.NodeId, in.NodeId == fuse.FUSE_ROOT_ID, &out.Attr)
	return fuse.OK
}

func (nameFS) Access(<-chan struct{}, *fuse.AccessIn) fuse.Status { return fuse.OK }

func (nameFS) Open(_ <-chan struct{}, _ *fuse.OpenIn, _ *fuse.OpenOut) fuse.Status { return fuse.OK }

func (nameFS) OpenDir(<-chan struct{}, *fuse.OpenIn, *fuse.OpenOut) fuse.Status { return fuse.OK }

// mount gives the mount point of a nameFS and its device.
func mount(t testing.TB) (mnt string, device uint64) {
	t.Helper()
	dir, err := os.MkdirTemp("", "marks-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	mnt = filepath.Join(dir, "mnt")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(mnt, 0o755)); err != nil {
		t.Fatal(err)
	}
	root := os.Geteuid() == 0
	srv, err := fuse.NewServer(nameFS{fuse.NewDefaultRawFileSystem()}, mnt, &fuse.MountOptions{
		FsName: "markstest", DirectMountStrict: root, AllowOther: root,
	})
	if err != nil {
		t.Fatalf("mount (needs /dev/fuse, and fusermount3 from the package fuse3 unless root): %v", err)
	}
	go srv.Serve()
	t.Cleanup(func() { unmount(t, srv, mnt) })
	device, err = replay.DeviceOf(mnt)
	if err != nil {
		t.Fatal(err)
	}
	return mnt, device
}

func unmount(t testing.TB, srv *fuse.Server, mnt string) {
	done := make(chan error, 1)
	go func() { done <- srv.Unmount() }()
	select {
	case err := <-done:
		if err == nil {
			return
		}
		t.Errorf("unmount: %v", err)
	case <-time.After(limit):
		t.Error("the unmount hangs")
	}
	t.Logf("forcing it: %v", unix.Unmount(mnt, unix.MNT_FORCE|unix.MNT_DETACH))
}

// newScanner makes one that is not held back by its budget.
func newScanner(t testing.TB, device uint64, opts Options) *Scanner {
	t.Helper()
	if opts.Share == 0 {
		opts.Share = 1
	}
	s, err := New(device, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func (s *Scanner) scanNow() (Result, error) { return s.Scan(context.Background()) }

func scan(t testing.TB, s *Scanner) Result {
	t.Helper()
	r, err := s.scanNow()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantMarked scans until exactly these nodes are marked, and gives what all the scans added
// and removed.
func wantMarked(t testing.TB, s *Scanner, want ...uint64) (added, removed []uint64) {
	t.Helper()
	slices.Sort(want)
	var got []uint64
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		r := scan(t, s)
		added, removed = append(added, r.Added...), append(removed, r.Removed...)
		if got = s.marked(); slices.Equal(got, want) && r.Stats.Marked == len(want) {
			return added, removed
		}
	}
	t.Fatalf("marked are %x, want %x", got, want)
	return nil, nil
}

// marked gives all nodes with a mark, in order.
func (s *Scanner) marked() []uint64 {
	var nodes []uint64
	for node, n := range s.counts {
		if n > 0 {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	return nodes
}

func wantNodes(t testing.TB, what string, got []uint64, want ...uint64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s are %x, want %x", what, got, want)
	}
}
