package fs

import (
	"sync"
	"time"

	"smbfs/cache"
)

// The kernel keeps the pages of a file when it is closed, and drops them at the next OPEN unless it is told not to. It is, where all of this
// says that they are as the server would send them now:
//
//   - the answer to that OPEN's own CREATE has the size and the times that were answered before the pages were read, and nobody else has the
//     file open, as a write lease granted with it says: while anybody has, Samba does not tell that a program on the server itself has written;
//   - the file had been at rest by then for longer than two writes may have the same time;
//   - the directory has been watched since, without a gap, and no notification was about the file that its size and times do not explain;
//   - nothing was written here.
//
// Size and times alone would not do: a program on the server can put a time back, and a server may be late to move it for another client that
// goes on writing. Notification alone would not do either: it comes a moment after the change, or is for another name of the file. A read
// lease is evidence of neither kind, since what programs on the server itself write breaks none.

const (
	// sameTime is how long after a write another one may leave the same time: two seconds where the server delays it.
	sameTime = 3 * time.Second
	// mapped is how long the time may stay as it is while a program on the server writes through a mapping: until the pages have been
	// written back. Pages read sooner after a write are believed for no longer than that.
	mapped = time.Minute
	// pagesMost bounds of how many files is kept what their pages are of.
	pagesMost = 1 << 15
)

// image is what the server said of a file before its pages were read.
type image struct {
	size          uint64
	write, change int64
	asked         time.Time     // by our clock
	rested        time.Duration // how long before that it was written last, by the server's
}

// pages are the images of the files whose pages the kernel may have.
type pages struct {
	mu   sync.Mutex
	byID map[cache.ID]image // guarded by mu
}

// keep reports whether the kernel may keep the pages that it has of a file which is being opened, and is as now says. since is when what is
// told of it began to be all that happens; zero: it is not. If they are dropped, those to come are of now.
func (p *pages) keep(id cache.ID, now image, since time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, known := p.byID[id]
	if known && was.shows(now, since) {
		return true
	}
	delete(p.byID, id)
	if since.IsZero() || now.asked.Before(since) || now.rested < sameTime {
		return false
	}
	if p.byID == nil || len(p.byID) >= pagesMost {
		p.byID = map[cache.ID]image{}
	}
	p.byID[id] = now
	return false
}

// shows reports whether pages of was are those of now.
func (was image) shows(now image, since time.Time) bool {
	return was.size == now.size && was.write == now.write && was.change == now.change &&
		!since.IsZero() && !was.asked.Before(since) && (was.rested >= mapped || now.asked.Sub(was.asked) < mapped)
}

// drop says that the pages of a file are not what they were, and reports whether they might have been kept.
func (p *pages) drop(id cache.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.byID[id]
	delete(p.byID, id)
	return known
}

// has reports whether the next OPEN may have the pages kept.
func (p *pages) has(id cache.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.byID[id]
	return known
}

// sizeAt has the kernel ask for the size of a file that is being opened if the one it believes may not be that of the answer to the CREATE: a
// read would end there. A notification about attributes alone waits for nothing where the inode is in use, so that a handler may send it.
func (f *FileSystem) sizeAt(id cache.ID, now time.Time, a cache.Attr) {
	v := f.tree.Object(id, now, 0)
	if v.Entry.Size != a.Size || f.tree.Settled(id, now, f.opts.AttrTimeout) {
		_ = f.server.InodeNotify(uint64(id), -1, 0)
	}
}

// keepPages decides for an OPEN whose CREATE was sent at asked, and answered with a. alone says that nobody had the file open then.
func (f *FileSystem) keepPages(id cache.ID, a cache.Attr, asked time.Time, alone bool) bool {
	clock := f.share.Clock()
	places := f.tree.Places(id)
	if !alone || clock.IsZero() || len(places) != 1 {
		f.pages.drop(id)
		return false
	}
	rested := clock.Add(-time.Since(asked)).Sub(at(a.Write))
	return f.pages.keep(id, image{a.Size, a.Write, a.Change, asked, rested}, f.engine.CoherentSince(places[0].Dir))
}
