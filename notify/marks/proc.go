package marks

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Links of the descriptors with marks: fs/notify/inotify/inotify_user.c and
// fs/notify/fanotify/fanotify_user.c, with the prefix of an anonymous inode.
const (
	inotifyLink  = "anon_inode:inotify"
	fanotifyLink = "anon_inode:[fanotify]"
)

// proc reads a mounted procfs. It keeps the directory itself open and nothing else.
type proc struct {
	fd      int
	clocks  bool // its process ids are those of this process's namespace
	entries []byte
	link    [len(fanotifyLink) + 1]byte
	chunk   []byte
}

// dirBytes and chunkBytes are sizes of buffers: of directory entries, and of lines.
const (
	dirBytes   = 32 << 10
	chunkBytes = 256 << 10
)

func openProc(path string) (*proc, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("marks: open %s: %w", path, err)
	}
	p := &proc{fd: fd, entries: make([]byte, dirBytes), chunk: make([]byte, chunkBytes)}
	n, err := unix.Readlinkat(fd, "self", p.link[:])
	p.clocks = err == nil && string(p.link[:n]) == strconv.Itoa(os.Getpid())
	return p, nil
}

func (p *proc) close() error { return unix.Close(p.fd) }

// numbers calls each with the entries of a directory that are numbers, and with their inodes.
func (p *proc) numbers(fd int, each func(n int, ino uint64)) error {
	for {
		n, err := unix.Getdents(fd, p.entries)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return err
		}
		parseEntries(p.entries[:n], each)
	}
}

// parseEntries walks struct linux_dirent64, getdents(2).
func parseEntries(b []byte, each func(n int, ino uint64)) {
	const lengthAt, nameAt = unsafe.Offsetof(unix.Dirent{}.Reclen), unsafe.Offsetof(unix.Dirent{}.Name)
	for len(b) > int(nameAt) {
		length := int(binary.NativeEndian.Uint16(b[lengthAt:]))
		if length <= int(nameAt) || length > len(b) {
			return
		}
		name, _, _ := bytes.Cut(b[nameAt:length], []byte{0})
		if n, ok := number(name); ok {
			each(n, binary.NativeEndian.Uint64(b))
		}
		b = b[length:]
	}
}

func number(name []byte) (int, bool) {
	n := 0
	for _, c := range name {
		if c < '0' || c > '9' || n > 1<<29 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(name) > 0
}

// processes calls each with all that are visible. The inode tells a process from an earlier
// one with its id.
func (p *proc) processes(each func(pid int, ino uint64)) error {
	if _, err := unix.Seek(p.fd, 0, 0); err != nil {
		return fmt.Errorf("marks: list processes: %w", err)
	}
	if err := p.numbers(p.fd, each); err != nil {
		return fmt.Errorf("marks: list processes: %w", err)
	}
	return nil
}

// cpuTime is the processor time of all threads of a process, ended ones too. A process that
// is running at this moment may have used more, which then shows later.
func (p *proc) cpuTime(pid int) (time.Duration, bool) {
	if !p.clocks {
		return 0, false
	}
	// include/linux/posix-timers_types.h, make_process_cpuclock
	const cpuClockSched = 2
	return clock(int32(^pid<<3 | cpuClockSched))
}

func clock(id int32) (time.Duration, bool) {
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0, false
	}
	return time.Duration(ts.Nano()), true
}

// threadTime is the processor time of the calling thread.
func threadTime() time.Duration {
	d, _ := clock(unix.CLOCK_THREAD_CPUTIME_ID)
	return d
}

// leader gives the process that a thread belongs to, or 0: proc_pid_status(5), Tgid. A
// thread that is not a process has a directory in /proc, though it is not listed.
func (p *proc) leader(tid int) int {
	fd, err := unix.Openat(p.fd, strconv.Itoa(tid)+"/status", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	leader := 0
	p.lines(func(b []byte) (int, error) { return unix.Read(fd, b) }, func(line []byte) {
		if value, ok := bytes.CutPrefix(line, []byte("Tgid:\t")); ok {
			leader, _ = number(value)
		}
	})
	return leader
}

// fdCount is the number of descriptors of a process; 0, before Linux 6.2, says nothing.
func (p *proc) fdCount(pid int) (int64, error) {
	var st unix.Stat_t
	err := unix.Fstatat(p.fd, strconv.Itoa(pid)+"/fd", &st, 0)
	return st.Size, err
}

// descriptors lists those of a process that can have marks.
func (p *proc) descriptors(pid int) (fds []int, count int64, err error) {
	count, err = p.fdCount(pid)
	if err != nil {
		return nil, 0, err
	}
	dir, err := unix.Openat(p.fd, strconv.Itoa(pid)+"/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, err
	}
	defer unix.Close(dir)
	err = p.numbers(dir, func(fd int, _ uint64) {
		n, err := unix.Readlinkat(dir, strconv.Itoa(fd), p.link[:])
		if err != nil {
			return // closed meanwhile
		}
		if link := p.link[:n]; string(link) == inotifyLink || string(link) == fanotifyLink {
			fds = append(fds, fd)
		}
	})
	return fds, count, err
}

// read parses the fdinfo of a descriptor into c. The kernel shows all marks as of one moment.
func (p *proc) read(pid, fd int, device []byte, c *content) error {
	c.reset()
	path := strconv.Itoa(pid) + "/fdinfo/" + strconv.Itoa(fd)
	f, err := unix.Openat(p.fd, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(f)
	return p.lines(func(b []byte) (int, error) { return unix.Read(f, b) }, func(line []byte) {
		c.parseLine(line, device)
	})
}

// lines cuts what is read into lines. One that does not fit the buffer is garbage, and is
// handed on in pieces as such.
func (p *proc) lines(read func([]byte) (int, error), each func([]byte)) error {
	kept := 0
	for {
		n, err := read(p.chunk[kept:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n <= 0 {
			return nil // what has no newline is not whole
		}
		b := p.chunk[:kept+n]
		for {
			i := bytes.IndexByte(b, '\n')
			if i < 0 {
				break
			}
			each(b[:i])
			b = b[i+1:]
		}
		if len(b) == len(p.chunk) {
			b = nil
		}
		kept = copy(p.chunk, b)
	}
}

// mountIDs gives the ids that the mounts of a device have in the namespace of a process:
// proc_pid_mountinfo(5).
func (p *proc) mountIDs(pid int, device uint64) (map[uint64]bool, error) {
	fd, err := unix.Openat(p.fd, strconv.Itoa(pid)+"/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "mountinfo")
	defer f.Close()
	want := fmt.Sprintf("%d:%d", unix.Major(device), unix.Minor(device))
	ids := map[uint64]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 || fields[2] != want {
			continue
		}
		if id, err := strconv.ParseUint(fields[0], 10, 64); err == nil {
			ids[id] = true
		}
	}
	return ids, lines.Err()
}
