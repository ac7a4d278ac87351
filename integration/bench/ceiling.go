package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// memoryFile has content that costs nothing: what is read is always the same piece, and what is written goes nowhere. A
// file system of it shows what FUSE and the kernel take by themselves.
type memoryFile struct {
	fs.Inode
	size atomic.Int64
}

var memoryPiece [ioSize]byte

// memoryDir is a directory of such files.
type memoryDir struct{ fs.Inode }

var (
	_ fs.NodeOpener    = (*memoryFile)(nil)
	_ fs.NodeReader    = (*memoryFile)(nil)
	_ fs.NodeWriter    = (*memoryFile)(nil)
	_ fs.NodeGetattrer = (*memoryFile)(nil)
	_ fs.NodeSetattrer = (*memoryFile)(nil)
	_ fs.NodeCreater   = (*memoryDir)(nil)
	_ fs.NodeUnlinker  = (*memoryDir)(nil)
)

// Create implements fs.NodeCreater.
func (d *memoryDir) Create(ctx context.Context, _ string, _, _ uint32, _ *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	return d.NewPersistentInode(ctx, &memoryFile{}, fs.StableAttr{Mode: syscall.S_IFREG}), nil, 0, 0
}

// Unlink implements fs.NodeUnlinker.
func (d *memoryDir) Unlink(context.Context, string) syscall.Errno { return 0 }

// Open implements fs.NodeOpener.
func (f *memoryFile) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, 0
}

// Read implements fs.NodeReader.
func (f *memoryFile) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n := min(int64(len(dest)), int64(len(memoryPiece)), max(0, f.size.Load()-off))
	return fuse.ReadResultData(memoryPiece[:n]), 0
}

// Write implements fs.NodeWriter.
func (f *memoryFile) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	f.size.Store(max(f.size.Load(), off+int64(len(data))))
	return uint32(len(data)), 0
}

// Getattr implements fs.NodeGetattrer.
func (f *memoryFile) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size = syscall.S_IFREG|0o644, uint64(f.size.Load())
	return 0
}

// Setattr implements fs.NodeSetattrer.
func (f *memoryFile) Setattr(ctx context.Context, h fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		f.size.Store(int64(size))
	}
	return f.Getattr(ctx, h, out)
}

// onMemory is FUSE's own ceiling: a file "big" to be read, one "written", and the folders of the small files.
func (b *bench) onMemory(work func(dir string) error) error {
	dir, err := os.MkdirTemp("", "memory-mnt")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	root, believed := &fs.Inode{}, time.Hour
	server, err := fs.Mount(dir, root, &fs.Options{EntryTimeout: &believed, AttrTimeout: &believed, MountOptions: fuse.MountOptions{
		FsName: "memory", Name: "bench", MaxWrite: ioSize, MaxReadAhead: ioSize, MaxBackground: 128, DisableSplice: true, DirectMount: os.Geteuid() == 0,
	}})
	if err != nil {
		return err
	}
	defer server.Unmount()
	addMemoryFile(root, "big", b.bytes)
	addMemoryFile(root, "written", 0)
	for _, name := range []string{"own", "made"} {
		d := root.NewPersistentInode(context.Background(), &memoryDir{}, fs.StableAttr{Mode: syscall.S_IFDIR})
		root.AddChild(name, d, true)
		if name == "made" {
			err = eachFile("", b.files, func(name string) error { addMemoryFile(d, name, 1); return nil })
		}
	}
	readAheadAsOurs(dir)
	return errors.Join(err, work(dir))
}

func addMemoryFile(dir *fs.Inode, name string, size int64) {
	f := &memoryFile{}
	f.size.Store(size)
	dir.AddChild(name, dir.NewPersistentInode(context.Background(), f, fs.StableAttr{Mode: syscall.S_IFREG}), true)
}

// readAheadAsOurs has the kernel read ahead as on a mount of ours. Only root may.
func readAheadAsOurs(dir string) {
	var st unix.Stat_t
	if unix.Stat(dir, &st) == nil {
		name := fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", unix.Major(st.Dev), unix.Minor(st.Dev))
		_ = os.WriteFile(name, []byte("4096"), 0)
	}
}

const memoryName = "FUSE over memory"

// memoryStreams is the ceiling of sequential reading and writing.
func (b *bench) memoryStreams() side {
	return side{memoryName, func() ([]float64, error) {
		figures := []float64{none, untried, none}
		err := b.onMemory(func(dir string) (err error) {
			if err := b.fetch(); err != nil {
				return err
			}
			if figures[0], err = readFile(filepath.Join(dir, "big"), b.bytes); err != nil {
				return err
			}
			if err := b.fetch(); err != nil {
				return err
			}
			figures[2], err = writePieces(filepath.Join(dir, "written"), b.bytes, ioSize)
			return err
		})
		return figures, err
	}}
}
