package smbclient

import (
	"bytes"
	"crypto/rand"
	"sync/atomic"
	"testing"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// cloner is a scripted server whose file system clones blocks of 4 KiB, of "from" into "to".
type cloner struct {
	*smbtest.Server
	refuses  wire.Status // instead
	clones   atomic.Int32
	requests atomic.Int32 // IOCTLs of any kind
}

func newCloner(t *testing.T, able bool) *cloner {
	c := &cloner{Server: scripted(t, smbtest.Options{})}
	c.Hook(wire.CommandQueryInfo, func(r *smbtest.Request) {
		var in wire.QueryInfoRequest
		if able && in.Decode(r.Body) == nil && in.Type == wire.InfoFilesystem && in.Class == wire.ClassFsAttribute {
			r.Alter(func(body []byte) { body[8+3] |= byte(wire.FsSupportsBlockRefcounting >> 24) })
		}
		r.Serve()
	})
	c.Hook(wire.CommandIoctl, func(r *smbtest.Request) {
		var in wire.IoctlRequest
		if c.requests.Add(1); in.Decode(r.Body) != nil || in.CtlCode != wire.FsctlDuplicateExtentsToFile {
			r.Serve()
			return
		}
		c.clones.Add(1)
		if c.refuses != 0 {
			r.Reply(c.refuses, nil)
			return
		}
		r.Reply(c.clone(in.Input), &wire.IoctlResponse{CtlCode: in.CtlCode, FileID: in.FileID})
	})
	return c
}

func (c *cloner) clone(input []byte) wire.Status {
	const block = 4096
	var d wire.DuplicateExtents
	from, _ := c.Tree.ReadFile("from")
	to, _ := c.Tree.ReadFile("to")
	if d.Decode(input) != nil || d.SourceFileOffset%block != 0 || d.TargetFileOffset%block != 0 || d.ByteCount%block != 0 || d.ByteCount == 0 ||
		d.SourceFileOffset+d.ByteCount > uint64(len(from)) || d.TargetFileOffset+d.ByteCount > uint64(len(to)) {
		return wire.StatusInvalidParameter
	}
	copy(to[d.TargetFileOffset:], from[d.SourceFileOffset:d.SourceFileOffset+d.ByteCount])
	c.Tree.WriteFile("to", to)
	return wire.StatusSuccess
}

// opened returns both files.
func (c *cloner) opened(t *testing.T, from, to []byte) (src, dst *Open) {
	c.Tree.WriteFile("from", from)
	c.Tree.WriteFile("to", to)
	tree := scriptedTree(t, c.Server, scriptedConfig(c.Server))
	return mustCreate(t, tree, "from", createFile), mustCreate(t, tree, "to", createFile)
}

// Whole blocks are cloned, in one request, whether the target has to grow or not; nothing of a target behind the range is touched.
func TestClone(t *testing.T) {
	content := make([]byte, 1<<20+100)
	_, _ = rand.Read(content)
	for _, c := range []struct {
		name        string
		to          []byte
		from, at, n int64
		cloned      int64
	}{
		{"a whole file", nil, 0, 0, 1<<20 + 100, 1 << 20},
		{"a piece, into a hole", []byte("begin"), 8192, 4096, 300 << 10, 300 << 10},
		{"into the middle", bytes.Repeat([]byte("."), 2<<20), 4096, 8192, 512 << 10, 512 << 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := newCloner(t, true)
			src, dst := server.opened(t, content, c.to)
			n, err := dst.CopyRange(testContext(t), src, c.from, c.at, c.n)
			if n != c.cloned || err != nil {
				t.Fatalf("%d bytes, %v", n, err)
			}
			want := append(bytes.Clone(c.to), make([]byte, max(0, int(c.at+n)-len(c.to)))...)
			copy(want[c.at:], content[c.from:c.from+n])
			if got, _ := server.Tree.ReadFile("to"); !bytes.Equal(got, want) {
				t.Errorf("the target has %d bytes and differs from the %d wanted", len(got), len(want))
			}
			if server.clones.Load() != 1 || server.requests.Load() != 1 {
				t.Errorf("%d clones in %d requests", server.clones.Load(), server.requests.Load())
			}
		})
	}
}

// What cannot be cloned is copied, and a server that cannot is not asked again.
func TestCloneRefused(t *testing.T) {
	content := make([]byte, 1<<20)
	for _, c := range []struct {
		name       string
		able       bool
		refuses    wire.Status
		from, at   int64
		n          int64
		asked      int32
		askedTwice int32
	}{
		{"no block cloning", false, 0, 0, 0, 1 << 20, 0, 0},
		{"little", true, 0, 0, 0, cloneLeast - 1, 0, 0},
		{"not at a block", true, 0, 1, 0, 512 << 10, 0, 0},
		{"not to a block", true, 0, 0, 100, 512 << 10, 0, 0},
		{"this not", true, wire.StatusNotSupported, 0, 0, 1 << 20, 1, 2},
		{"never", true, wire.StatusInvalidDeviceRequest, 0, 0, 1 << 20, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := newCloner(t, c.able)
			server.refuses = c.refuses
			src, dst := server.opened(t, content, nil)
			for _, asked := range []int32{c.asked, c.askedTwice} {
				before := server.requests.Load() - server.clones.Load()
				if _, err := dst.CopyRange(testContext(t), src, c.from, c.at, c.n); err == nil {
					t.Error("the server has copied, which it cannot")
				}
				if server.clones.Load() != asked {
					t.Errorf("%d clones, want %d", server.clones.Load(), asked)
				}
				if server.requests.Load()-server.clones.Load() == before {
					t.Error("it was not asked to copy")
				}
			}
		})
	}
}
