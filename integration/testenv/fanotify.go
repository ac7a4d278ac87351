package testenv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// fanotifyMask asks for what inotifyMask asks for; a rename is one event with
// both names.
const fanotifyMask = unix.FAN_CREATE | unix.FAN_DELETE | unix.FAN_MODIFY | unix.FAN_ATTRIB | unix.FAN_CLOSE_WRITE |
	unix.FAN_RENAME | unix.FAN_DELETE_SELF | unix.FAN_MOVE_SELF | unix.FAN_ONDIR | unix.FAN_EVENT_ON_CHILD

// fanotify holds a group's directory marks. It belongs to the watcher's reader.
type fanotify struct {
	fd     int
	root   string
	dirs   map[string]string // by file handle
	cookie uint32            // of the last rename told
}

// WatchFanotify starts a recursive watcher with fanotify directory marks.
func WatchFanotify(root string, o WatchOptions) (*Watcher, error) {
	const flags = unix.FAN_CLASS_NOTIF | unix.FAN_REPORT_DFID_NAME | unix.FAN_CLOEXEC | unix.FAN_NONBLOCK
	fd, err := unix.FanotifyInit(flags|unix.FAN_UNLIMITED_QUEUE|unix.FAN_UNLIMITED_MARKS, unix.O_RDONLY)
	if errors.Is(err, unix.EPERM) { // an ordinary user's group has limits
		fd, err = unix.FanotifyInit(flags, unix.O_RDONLY)
	}
	if err != nil {
		return nil, fmt.Errorf("fanotify_init: %w", err)
	}
	k := &fanotify{fd: fd, root: root, dirs: map[string]string{}}
	return (&Watcher{root: root, fd: fd, kind: k}).start(o)
}

// mark opens the directory once, so that the mark and the handle are the same
// directory's even when names move.
func (k *fanotify) mark(dir string) error {
	f, err := os.Open(filepath.Join(k.root, dir))
	if err != nil {
		return err
	}
	defer f.Close()
	h, _, err := unix.NameToHandleAt(int(f.Fd()), "", unix.AT_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("name_to_handle_at: %w", err)
	}
	k.dirs[handleKey(h.Type(), h.Bytes())] = dir
	if err := unix.FanotifyMark(k.fd, unix.FAN_MARK_ADD|unix.FAN_MARK_ONLYDIR, fanotifyMask, int(f.Fd()), ""); err != nil {
		return fmt.Errorf("fanotify_mark: %w", err)
	}
	return nil
}

func handleKey(kind int32, handle []byte) string {
	return strconv.Itoa(int(kind)) + ":" + string(handle)
}

// fanotifyMeta is struct fanotify_event_metadata's length, see fanotify(7).
const fanotifyMeta = 24

func (k *fanotify) read(buf []byte) ([]Event, error) {
	n, err := unix.Read(k.fd, buf)
	if err == unix.EAGAIN || err == unix.EINTR {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read fanotify: %w", err)
	}
	now := time.Now()
	var out []Event
	for b := buf[:n]; len(b) >= fanotifyMeta; {
		size := int(binary.NativeEndian.Uint32(b))
		mask := binary.NativeEndian.Uint64(b[8:])
		if mask&unix.FAN_Q_OVERFLOW != 0 {
			return out, errOverflow
		}
		if size < fanotifyMeta || size > len(b) {
			return out, fmt.Errorf("fanotify: event of %d bytes", size)
		}
		out = append(out, k.decode(now, mask, b[fanotifyMeta:size])...)
		b = b[size:]
	}
	return out, nil
}

// place is a directory and a name in it, from an information record.
type place struct{ dir, name string }

func (k *fanotify) decode(now time.Time, mask uint64, info []byte) []Event {
	isDir := mask&unix.FAN_ONDIR != 0
	at := k.records(info)
	event := func(bit uint32, p place, cookie uint32) Event {
		return Event{Time: now, Mask: bit, Dir: p.dir, Name: p.name, Cookie: cookie, IsDir: isDir}
	}
	var out []Event
	if p, ok := at[unix.FAN_EVENT_INFO_TYPE_DFID_NAME]; ok {
		for _, bit := range split(uint32(mask &^ (unix.FAN_RENAME | unix.FAN_ONDIR))) {
			out = append(out, event(bit, p, 0))
		}
	}
	if mask&unix.FAN_RENAME == 0 {
		return out
	}
	k.cookie++
	from, left := at[unix.FAN_EVENT_INFO_TYPE_OLD_DFID_NAME]
	to, arrived := at[unix.FAN_EVENT_INFO_TYPE_NEW_DFID_NAME]
	if left {
		out = append(out, event(unix.IN_MOVED_FROM, from, k.cookie))
	}
	if arrived {
		out = append(out, event(unix.IN_MOVED_TO, to, k.cookie))
	}
	if left && arrived && isDir { // later events of this read are under the new name
		k.renamed(filepath.Join(from.dir, from.name), filepath.Join(to.dir, to.name))
	}
	return out
}

// records decodes struct fanotify_event_info_fid records with names, by their
// type: header (type, pad, u16 length), fsid, struct file_handle, name.
func (k *fanotify) records(info []byte) map[byte]place {
	const header, fsid, handleHead = 4, 8, 8
	out := map[byte]place{}
	for len(info) >= header {
		size := int(binary.NativeEndian.Uint16(info[2:]))
		if size < header || size > len(info) {
			break
		}
		rec, kind := info[header:size], info[0]
		info = info[size:]
		if len(rec) < fsid+handleHead {
			continue
		}
		rec = rec[fsid:]
		length := int(binary.NativeEndian.Uint32(rec))
		handleType := int32(binary.NativeEndian.Uint32(rec[4:]))
		rec = rec[handleHead:]
		if length > len(rec) {
			continue
		}
		dir, known := k.dirs[handleKey(handleType, rec[:length])]
		if !known {
			continue
		}
		name, _, _ := bytes.Cut(rec[length:], []byte{0})
		if string(name) == "." {
			name = nil
		}
		out[kind] = place{dir, string(name)}
	}
	return out
}

func (k *fanotify) forget(dir string) {
	for h, d := range k.dirs {
		if below(d, dir) {
			delete(k.dirs, h)
		}
	}
}

func (k *fanotify) renamed(from, to string) {
	for h, d := range k.dirs {
		if below(d, from) {
			k.dirs[h] = to + d[len(from):]
		}
	}
}
