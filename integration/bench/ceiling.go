package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// memoryFile has content that costs nothing: what is read is always the same piece, and what is written goes nowhere. A
// file system of it shows what FUSE and the kernel take by themselves.
type memoryFile struct {
	fs.Inode
	size atomic.Int64
	data [ioSize]byte
}

var (
	_ fs.NodeOpener    = (*memoryFile)(nil)
	_ fs.NodeReader    = (*memoryFile)(nil)
	_ fs.NodeWriter    = (*memoryFile)(nil)
	_ fs.NodeGetattrer = (*memoryFile)(nil)
	_ fs.NodeSetattrer = (*memoryFile)(nil)
)

// Open implements fs.NodeOpener.
func (f *memoryFile) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, 0
}

// Read implements fs.NodeReader.
func (f *memoryFile) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n := min(int64(len(dest)), int64(len(f.data)), max(0, f.size.Load()-off))
	return fuse.ReadResultData(f.data[:n]), 0
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

// onMemory is FUSE's own ceiling: a file "big" to be read, and one "written".
func (b *bench) onMemory(work func(dir string) error) error {
	dir, err := os.MkdirTemp("", "memory-mnt")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	root := &fs.Inode{}
	server, err := fs.Mount(dir, root, &fs.Options{MountOptions: fuse.MountOptions{
		FsName: "memory", Name: "bench", MaxWrite: ioSize, MaxReadAhead: ioSize, MaxBackground: 128, DisableSplice: true, DirectMount: os.Geteuid() == 0,
	}})
	if err != nil {
		return err
	}
	defer server.Unmount()
	for _, name := range []string{"big", "written"} {
		f := &memoryFile{}
		if name == "big" {
			f.size.Store(b.bytes)
		}
		root.AddChild(name, root.NewPersistentInode(context.Background(), f, fs.StableAttr{Mode: syscall.S_IFREG}), true)
	}
	readAheadAsOurs(dir)
	return work(dir)
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
		figures := []float64{none, none, none}
		err := b.onMemory(func(dir string) (err error) {
			if figures[0], err = readFile(filepath.Join(dir, "big"), b.bytes); err != nil {
				return err
			}
			figures[2], err = writePieces(filepath.Join(dir, "written"), b.bytes, ioSize)
			return err
		})
		return figures, err
	}}
}
