package share

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"slices"

	"smbfs/cache"
)

// unflushed is what was written to a file, and acknowledged, since the last FLUSH: enough to recognise it on the server. If a server that went
// away and came back still has all of it, nothing was lost, whatever happened to it.
type unflushed struct {
	extents  []extent
	end      int64 // of the last extent
	size     int64 // that the file has to have; -1: nobody has set it
	hopeless bool  // it cannot be recognised any more
}

// extent is content by its checksum: what a crash leaves instead is zeros, or what was there before, and no adversary's choice.
type extent struct {
	off, n int64
	sum    uint32 // CRC-32C
}

const (
	// mostExtents bounds what is remembered of scattered writes.
	mostExtents = 1024
	// mostProof bounds what is read back, in bytes.
	mostProof = 1 << 30
	// proofStep is how much of it is read at a time.
	proofStep = 4 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func nothingUnflushed() unflushed { return unflushed{size: -1} }

// wrote takes a write that was acknowledged.
func (u *unflushed) wrote(p []byte, off int64) {
	n := int64(len(p))
	if u.hopeless || n == 0 {
		return
	}
	if u.size >= 0 {
		u.size = max(u.size, off+n)
	}
	if last := len(u.extents) - 1; last >= 0 && off == u.end && !u.overlaps(off, n) {
		e := &u.extents[last]
		e.n, e.sum = e.n+n, crc32.Update(e.sum, castagnoli, p)
		u.end += n
		return
	}
	u.overwritten(off, n)
	u.extents = append(u.extents, extent{off, n, crc32.Checksum(p, castagnoli)})
	u.end = off + n
	u.hopeless = u.hopeless || len(u.extents) > mostExtents
}

func (u *unflushed) overlaps(off, n int64) bool {
	return slices.ContainsFunc(u.extents, func(e extent) bool { return e.off < off+n && off < e.off+e.n })
}

// overwritten forgets what was in a range.
func (u *unflushed) overwritten(off, n int64) {
	u.extents = slices.DeleteFunc(u.extents, func(e extent) bool {
		within := e.off >= off && e.off+e.n <= off+n
		u.hopeless = u.hopeless || !within && e.off < off+n && off < e.off+e.n
		return within
	})
	u.end = -1
}

// failed takes a write of which it is not known how far it came.
func (u *unflushed) failed(off, n int64) { u.overwritten(off, n) }

// resized takes a change of the file's size.
func (u *unflushed) resized(size int64) {
	u.overwritten(size, 1<<62)
	u.size = size
}

// errNotThere says that the server has something else than what was written.
var errNotThere = errors.New("what was written is not there")

// isThere reads back what was written, through a file that is open for reading, and described by e.
func (u *unflushed) isThere(ctx context.Context, f *File, e cache.Entry) error {
	total := int64(0)
	for _, x := range u.extents {
		total += x.n
	}
	if u.hopeless || total > mostProof || u.size >= 0 && int64(e.Size) != u.size {
		return errNotThere
	}
	buf := make([]byte, min(total, proofStep))
	for _, x := range u.extents {
		sum := uint32(0)
		for done := int64(0); done < x.n; {
			part := buf[:min(x.n-done, proofStep)]
			if _, err := f.ReadAt(ctx, part, x.off+done); err != nil && !errors.Is(err, io.EOF) {
				return err
			} else if err != nil {
				return errNotThere
			}
			sum = crc32.Update(sum, castagnoli, part)
			done += int64(len(part))
		}
		if sum != x.sum {
			return errNotThere
		}
	}
	return nil
}

// prove ends the doubt if what was written is on the server. It must not be called under f.mu.
func (f *File) prove(ctx context.Context) {
	f.mu.Lock()
	u, doubt, where, id := f.unflushed, f.doubt, f.where, f.seen.FileID
	u.extents = slices.Clone(u.extents)
	version, before := f.written, f.disproved
	f.mu.Unlock()
	path, ok := where()
	if !doubt || !ok || before == version {
		return
	}
	r, e, err := f.share.Open(ctx, path, Opening{Read: true})
	if err == nil {
		defer func() { _, _ = r.Close(ctx) }()
		if err = errReplaced; e.FileID == id {
			err = u.isThere(ctx, r, e)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && f.written == version {
		f.doubt = false
		return
	}
	if ctx.Err() == nil {
		f.disproved = version
	}
	f.share.work.log.Warn("the server may have lost what was written before it went away", "path", path, "err", err)
}
