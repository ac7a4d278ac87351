package testenv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// errOverflow: the kernel dropped events because the reader was too slow.
var errOverflow = errors.New("event queue overflow")

// inotifyMask is everything but OPEN, ACCESS and CLOSE_NOWRITE.
const inotifyMask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_CLOSE_WRITE |
	unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF

// inotify holds a descriptor's watches. It belongs to the watcher's reader.
type inotify struct {
	fd   int
	root string
	mask uint32
	dirs map[int32]string // by watch descriptor
	from Event            // the last MOVED_FROM of a directory
}

// WatchInotify starts a recursive inotify watcher on a directory.
func WatchInotify(root string, o WatchOptions) (*Watcher, error) {
	return watchInotify(root, inotifyMask|unix.IN_ONLYDIR, o)
}

// WatchFile watches one file or directory itself, as `tail -f` and editors do.
// Its events have the path ".".
func WatchFile(name string) (*Watcher, error) {
	return watchInotify(name, inotifyMask, WatchOptions{Flat: true})
}

func watchInotify(root string, mask uint32, o WatchOptions) (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("inotify_init: %w", err)
	}
	k := &inotify{fd: fd, root: root, mask: mask, dirs: map[int32]string{}}
	return (&Watcher{root: root, fd: fd, kind: k}).start(o)
}

func (k *inotify) mark(dir string) error {
	wd, err := unix.InotifyAddWatch(k.fd, filepath.Join(k.root, dir), k.mask)
	if err != nil {
		return fmt.Errorf("inotify_add_watch: %w", err)
	}
	k.dirs[int32(wd)] = dir
	return nil
}

// read decodes struct inotify_event, see inotify(7).
func (k *inotify) read(buf []byte) ([]Event, error) {
	n, err := unix.Read(k.fd, buf)
	if err == unix.EAGAIN || err == unix.EINTR {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read inotify: %w", err)
	}
	now := time.Now()
	var out []Event
	for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		wd := int32(binary.NativeEndian.Uint32(b))
		mask := binary.NativeEndian.Uint32(b[4:])
		cookie := binary.NativeEndian.Uint32(b[8:])
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:size], []byte{0})
		b = b[size:]
		if mask&unix.IN_Q_OVERFLOW != 0 {
			return out, errOverflow
		}
		dir, known := k.dirs[wd]
		if mask&unix.IN_IGNORED != 0 {
			delete(k.dirs, wd)
			continue
		}
		if !known {
			continue
		}
		isDir := mask&unix.IN_ISDIR != 0 || len(name) == 0
		for _, bit := range split(mask) {
			e := Event{Time: now, Mask: bit, Dir: dir, Name: string(name), Cookie: cookie, IsDir: isDir}
			out = append(out, e)
			k.lookAhead(e)
		}
	}
	return out, nil
}

// lookAhead renames watches while a batch is decoded: events that follow a directory's MOVED_TO in the same read are under its new name already. Its
// MOVED_FROM may have come with the read before.
func (k *inotify) lookAhead(e Event) {
	switch {
	case !e.IsDir:
	case e.Mask == unix.IN_MOVED_FROM:
		k.from = e
	case e.Mask == unix.IN_MOVED_TO && e.Cookie == k.from.Cookie:
		k.renamed(k.from.Path(), e.Path())
	}
}

func (k *inotify) forget(dir string) {
	for wd, d := range k.dirs {
		if below(d, dir) {
			delete(k.dirs, wd)
		}
	}
}

func (k *inotify) renamed(from, to string) {
	for wd, d := range k.dirs {
		if below(d, from) {
			k.dirs[wd] = to + d[len(from):]
		}
	}
}
