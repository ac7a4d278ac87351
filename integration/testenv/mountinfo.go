package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// mountEntry is one line of /proc/self/mountinfo, as proc_pid_mountinfo(5) has it.
type mountEntry struct {
	major, minor int
	point        string
	fstype       string
}

// findMount is the last, that is the topmost, mount on the given directory. It
// asks the kernel's own table, never the mount.
func findMount(point string) (mountEntry, bool) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return mountEntry{}, false
	}
	var found mountEntry
	ok := false
	for line := range strings.Lines(string(data)) {
		if e, err := parseMount(line); err == nil && e.point == point {
			found, ok = e, true
		}
	}
	return found, ok
}

// IsMounted says whether something is mounted on the directory, without asking it.
func IsMounted(point string) bool {
	_, ok := findMount(point)
	return ok
}

func parseMount(line string) (mountEntry, error) {
	f := strings.Fields(line)
	sep := -1
	for i := 6; i < len(f); i++ {
		if f[i] == "-" {
			sep = i
			break
		}
	}
	if sep < 0 || len(f) < sep+2 {
		return mountEntry{}, fmt.Errorf("mountinfo: short line %q", line)
	}
	var e mountEntry
	if _, err := fmt.Sscanf(f[2], "%d:%d", &e.major, &e.minor); err != nil {
		return mountEntry{}, fmt.Errorf("mountinfo: %w", err)
	}
	e.point, e.fstype = unescapeMount(f[4]), f[sep+1]
	return e, nil
}

// unescapeMount undoes mountinfo's octal escapes of space, tab, newline and backslash.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// waitMountTable waits until done says so, looking again whenever the kernel
// says that its mount table changed, and at least ten times a second.
func waitMountTable(timeout time.Duration, done func() bool) bool {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return done()
	}
	defer f.Close()
	deadline := time.Now().Add(timeout)
	for !done() {
		if time.Now().After(deadline) {
			return false
		}
		p := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLPRI}}
		_, _ = unix.Poll(p, 100)
	}
	return true
}

const fuseConnections = "/sys/fs/fuse/connections"

// abortConnection tells the kernel to fail everything that waits for the mount
// with this device number.
func abortConnection(minor int) error {
	name := filepath.Join(strconv.Itoa(minor), "abort")
	err := os.WriteFile(filepath.Join(fuseConnections, name), []byte("1"), 0o200)
	if err == nil || !os.IsNotExist(err) {
		return err
	}
	// A container, and this machine perhaps, has no fusectl mounted.
	dir, err := os.MkdirTemp("", "fusectl")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	if err := unix.Mount("none", dir, "fusectl", 0, ""); err != nil {
		return fmt.Errorf("mount fusectl: %w", err)
	}
	defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }()
	return os.WriteFile(filepath.Join(dir, name), []byte("1"), 0o200)
}

// unmount runs fusermount3 -u, with a bound of its own.
func unmount(point string) error {
	cmd := exec.Command("timeout", "20", "fusermount3", "-u", point)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fusermount3 -u %s: %w: %s", point, err, strings.TrimSpace(string(out)))
	}
	return nil
}
