package replay

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// DeviceOf returns the device number (st_dev) of the file system mounted at mountpoint,
// an absolute path without symbolic links, from /proc/self/mountinfo. It does not touch
// the mount. If several are mounted there it is the uppermost.
func DeviceOf(mountpoint string) (uint64, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return 0, fmt.Errorf("device of %s: %w", mountpoint, err)
	}
	defer f.Close()
	dev, err := findDevice(f, mountpoint)
	if err != nil {
		return 0, fmt.Errorf("device of %s: %w", mountpoint, err)
	}
	return dev, nil
}

// findDevice reads mountinfo as proc_pid_mountinfo(5) has it: mount id, parent id,
// major:minor, root, mount point, … Later lines are mounted over earlier ones.
func findDevice(r io.Reader, mountpoint string) (uint64, error) {
	var dev uint64
	found := false
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if fields := strings.Fields(line); len(fields) >= 5 && unescape(fields[4]) == mountpoint {
			d, ok := parseDevice(fields[2])
			if !ok {
				return 0, fmt.Errorf("mountinfo: device %q", fields[2])
			}
			dev, found = d, true
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	if !found {
		return 0, ErrNotMounted
	}
	return dev, nil
}

func parseDevice(s string) (uint64, bool) {
	a, b, ok := strings.Cut(s, ":")
	major, err1 := strconv.ParseUint(a, 10, 32)
	minor, err2 := strconv.ParseUint(b, 10, 32)
	return unix.Mkdev(uint32(major), uint32(minor)), ok && err1 == nil && err2 == nil
}

// unescape undoes the kernel's mangling of space, tab, newline and backslash as \ooo.
func unescape(s string) string {
	if !strings.ContainsRune(s, '\\') {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b = append(b, byte(n))
				i += 3
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
