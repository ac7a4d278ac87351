package fs

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
)

// Read answers READ. The bytes go from the socket into the buffer that go-fuse sends, or were read ahead into one.
func (f *FileSystem) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	h := f.handles.get(in.Fh)
	if h == nil {
		return nil, fuse.EBADF
	}
	ctx, done := f.within(cancel)
	defer done()
	x := extent{int64(in.Offset), int64(in.Offset) + int64(in.Size)}
	if err := h.file.back.flush(ctx, x); err != nil {
		return nil, errno(err)
	}
	if r := h.known(ctx, x, f.contentOf); r != nil {
		return r, fuse.OK
	}
	n, err := f.readOn(ctx, h, buf[:min(int(in.Size), len(buf))], int64(in.Offset))
	if err != nil {
		return nil, errno(err)
	}
	return fuse.ReadResultData(buf[:n]), fuse.OK
}

// readOn reads from the server until b is full or the file ends. An answer with less than was asked for is no end while the file is known
// to be longer: the server may answer as it likes, or a WRITE beyond may be on its way, which makes of what is missing a hole.
func (f *FileSystem) readOn(ctx context.Context, h *handle, b []byte, off int64) (n int, err error) {
	for flushed := false; ; {
		m, err := h.get(ctx, b[n:], off+int64(n))
		n += m
		switch {
		case err == nil:
			return n, nil
		case !errors.Is(err, io.EOF):
			return n, err
		case off+int64(n) >= f.contentOf(h.id).size || m == 0 && flushed:
			return n, nil
		}
		if err := h.file.back.flush(ctx, everything); err != nil {
			return n, err
		}
		flushed = true
	}
}

// known serves a READ with what was read before, if it can.
func (h *handle) known(ctx context.Context, x extent, contentOf func(cache.ID) content) fuse.ReadResult {
	if h.direct {
		return nil
	}
	h.use.RLock()
	defer h.use.RUnlock()
	is := contentOf(h.id)
	if b := h.first.serve(x, is); b != nil {
		return fuse.ReadResultData(b)
	}
	return h.ahead.serve(ctx, x, is)
}

// contentOf is what is known of a file's content.
func (f *FileSystem) contentOf(id cache.ID) content {
	e := f.tree.Object(id, time.Time{}, 0).Entry
	return content{int64(e.Size), e.Write}
}

// changed says that a file's content is not what it was: nothing that was read before is given to a READ after. It reports whether the
// kernel may have pages of it that the next OPEN would leave to it.
func (f *FileSystem) changed(id cache.ID) (kept bool) {
	if l := f.files.of(id); l != nil {
		l.changes.Add(1)
	}
	for _, h := range f.handles.of(id) {
		h.first.drop()
		h.ahead.changed()
	}
	return f.pages.drop(id)
}

// Write answers WRITE. Under a write lease the bytes are on their way to the server when it returns, otherwise the server has
// them.
func (f *FileSystem) Write(cancel <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	h := f.handles.get(in.Fh)
	if h == nil {
		return 0, fuse.EBADF
	}
	ctx, done := f.within(cancel)
	defer done()
	if err := h.failure(false); err != nil {
		return 0, errno(err)
	}
	off := in.Offset
	if h.append {
		h.file.appends.Lock()
		defer h.file.appends.Unlock()
		var err error
		if off, err = f.end(ctx, h); err != nil {
			return 0, errno(err)
		}
	}
	f.touch(h)
	f.tree.BeginSet(h.id)
	defer f.tree.EndSet(h.id)
	n, err := f.write(ctx, h, data, int64(off))
	f.changed(h.id)
	if n > 0 {
		f.tree.Wrote(h.id, off+uint64(n), time.Now())
		h.file.told.Store(0) // the kernel asks anew after its own write
	}
	if err != nil && n == 0 {
		return 0, errno(err)
	}
	return uint32(n), fuse.OK
}

// write writes behind or, without a lease for that, through.
func (f *FileSystem) write(ctx context.Context, h *handle, data []byte, off int64) (int, error) {
	if !h.direct && !h.append {
		taken, err := h.file.back.write(ctx, h, data, off, h.ownsWrites)
		if err != nil {
			return 0, err
		}
		if taken {
			return len(data), nil
		}
	}
	if err := h.file.back.flush(ctx, extent{off, off + int64(len(data))}); err != nil {
		return 0, err
	}
	return h.put(ctx, data, off)
}

// end is where an append goes. Others may have appended, and a program on the server itself without any lease being broken: nothing
// we know is the end.
func (f *FileSystem) end(ctx context.Context, h *handle) (uint64, error) {
	if err := h.file.back.flush(ctx, everything); err != nil {
		return 0, err
	}
	h.use.RLock()
	defer h.use.RUnlock()
	e, err := f.share.StatOpen(ctx, h.open)
	return e.Size, err
}

// touchEvery is how often at most the engine is told that a file is being written.
const touchEvery = 20 * time.Millisecond

// touch tells the engine that the notifications to come are of our own writing.
func (f *FileSystem) touch(h *handle) {
	now := time.Now().UnixNano()
	if last := h.touched.Load(); now-last > int64(touchEvery) && h.touched.CompareAndSwap(last, now) {
		f.engine.Touched(f.tree.Places(h.id)...)
	}
}

// Writev answers WRITE where the data comes in several pieces.
func (f *FileSystem) Writev(cancel <-chan struct{}, in *fuse.WriteIn, data [][]byte) (uint32, fuse.Status) {
	total := uint32(0)
	for _, part := range data {
		n, status := f.Write(cancel, in, part)
		total += n
		if status != fuse.OK {
			if total > 0 {
				break
			}
			return 0, status
		}
		in.Offset += uint64(n)
		if int(n) < len(part) {
			break
		}
	}
	return total, fuse.OK
}
