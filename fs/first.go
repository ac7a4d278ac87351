package fs

import (
	"sync"
	"sync/atomic"
	"time"

	"smbfs/cache"
)

// The content of a small file comes with the answer to the CREATE, which saves the reader a round trip. Which file is small has to be known
// before it is opened. What came is given out once: after that it is in the kernel's page cache.

const (
	// firstMost is how large a small file is, in bytes.
	firstMost = 64 << 10
	// firstTotal bounds what all handles of a mount hold.
	firstTotal = 8 << 20
	// firstFor is how long what came with the CREATE is as good as read now.
	firstFor = time.Second
)

// firstMemory bounds it.
type firstMemory struct{ used atomic.Int64 }

func (m *firstMemory) take(n int) []byte {
	if m.used.Add(int64(n)) > firstTotal {
		m.used.Add(-int64(n))
		return nil
	}
	return make([]byte, n)
}

func (m *firstMemory) give(b []byte) { m.used.Add(-int64(cap(b))) }

// first is the content of a small file that came when it was opened.
type first struct {
	mu     sync.Mutex
	memory *firstMemory // guarded by mu
	b      []byte       // guarded by mu; nil: nothing is left
	known  content      // guarded by mu: what the server said of it then
	asked  time.Time    // guarded by mu
}

// room returns memory for the content of a file that is about to be opened, or nil if it is not to come along: it is not small, or the kernel
// may have it already.
func (f *FileSystem) room(id cache.ID) []byte {
	size := f.tree.Object(id, time.Time{}, 0).Entry.Size
	if size == 0 || size > firstMost || f.pages.has(id) || f.isDirty(id) {
		return nil
	}
	return f.first.take(int(size))
}

// came takes what has come of the content with the answer to the CREATE, b, if that is all of it. room is what there was for it, and changes
// how often the file was known to have changed when that was asked for. The handle is in the table: a change from now on drops it.
func (h *handle) came(memory *firstMemory, room, b []byte, a cache.Attr, asked time.Time, changes uint64) {
	if len(b) == 0 || uint64(len(b)) != a.Size {
		memory.give(room)
		return
	}
	h.first.fill(memory, b, content{int64(a.Size), a.Write}, asked)
	if h.file.changes.Load() != changes {
		h.first.drop()
	}
}

// fill takes b, the whole content of the file, which has the room that came from memory.
func (x *first) fill(memory *firstMemory, b []byte, known content, asked time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.memory, x.b, x.known, x.asked = memory, b, known, asked
}

// serve answers a READ, or returns nil if the server has to be asked.
func (x *first) serve(r extent, known content) []byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.b == nil {
		return nil
	}
	if known != x.known || time.Since(x.asked) > firstFor {
		x.empty()
		return nil
	}
	all := x.b
	if r.to = min(r.to, int64(len(all))); r.from >= r.to {
		return nil
	}
	if r.to == int64(len(all)) {
		x.empty()
	}
	return all[r.from:r.to]
}

// drop forgets it.
func (x *first) drop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.empty()
}

// Preconditions: mu is held.
func (x *first) empty() {
	if x.b != nil {
		x.memory.give(x.b)
		x.b = nil
	}
}
