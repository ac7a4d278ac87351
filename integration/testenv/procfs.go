package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// processState is the state letter of /proc/PID/stat; 0 if there is no such
// process or only its zombie is left.
func processState(pid int) byte {
	f := statFields(pid)
	if len(f) == 0 || f[0] == "Z" || f[0] == "X" {
		return 0
	}
	return f[0][0]
}

// statFields are the fields of /proc/PID/stat after the command's name, which
// is in parentheses and may hold anything.
func statFields(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	s := string(b)
	return strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
}

// allPIDs are the processes that exist now.
func allPIDs() []int {
	var pids []int
	names, _ := filepath.Glob("/proc/[0-9]*")
	for _, n := range names {
		if pid, err := strconv.Atoi(filepath.Base(n)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Children are the live processes whose parent is pid, the oldest first.
func Children(pid int) []int {
	var out []int
	started := map[int]int{} // in ticks of the clock
	for _, p := range allPIDs() {
		f := statFields(p)
		if len(f) > 1 && f[1] == strconv.Itoa(pid) && processState(p) != 0 {
			out = append(out, p)
			started[p], _ = strconv.Atoi(f[min(19, len(f)-1)])
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return started[a] - started[b] })
	return out
}

// HelperPIDs are the replay helpers of the mount: the daemon's live children.
func (m *Mounted) HelperPIDs() []int { return Children(m.PID) }

// findDaemon is the process that holds a FUSE descriptor and has the mount
// point among its arguments; 0 if there is none.
func findDaemon(point string) int {
	for _, pid := range allPIDs() {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if slices.Contains(strings.Split(string(args), "\x00"), point) && holdsFuse(pid) {
			return pid
		}
	}
	return 0
}

func holdsFuse(pid int) bool {
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err == nil && target == "/dev/fuse" {
			return true
		}
	}
	return false
}

// Memory is a process's resident memory in bytes, now and at its highest, from
// VmRSS and VmHWM of /proc/PID/status.
func Memory(pid int) (now, peak int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		kib, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			now = kib << 10
		case "VmHWM:":
			peak = kib << 10
		}
	}
	return now, peak, nil
}

// Alive says whether the process exists and is more than a zombie.
func Alive(pid int) bool { return processState(pid) != 0 }
