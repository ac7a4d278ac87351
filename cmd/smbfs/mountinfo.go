package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// mountEntry is a line of /proc/self/mountinfo, see proc(5).
type mountEntry struct {
	mountpoint, fstype, source string

	device string // major:minor
	root   string // what of the file system is mounted there
	owner  int    // of a FUSE mount: the user who made it
}

// mountAt finds what is mounted exactly at path: the topmost, which comes last.
func mountAt(path string) (mountEntry, bool) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return mountEntry{}, false
	}
	return findMount(string(b), path)
}

func findMount(mountinfo, path string) (found mountEntry, ok bool) {
	for line := range strings.Lines(mountinfo) {
		e, valid := parseMountinfo(line)
		if valid && e.mountpoint == path {
			found, ok = e, true
		}
	}
	return found, ok
}

func parseMountinfo(line string) (mountEntry, bool) {
	head, tail, ok := strings.Cut(line, " - ")
	f, g := strings.Fields(head), strings.Fields(tail)
	if !ok || len(f) < 5 || len(g) < 2 {
		return mountEntry{}, false
	}
	e := mountEntry{mountpoint: unescapeMount(f[4]), fstype: g[0], source: unescapeMount(g[1]), device: f[2], root: unescapeMount(f[3])}
	if len(g) > 2 {
		for o := range strings.SplitSeq(g[2], ",") {
			if id, ok := strings.CutPrefix(o, "user_id="); ok {
				e.owner, _ = strconv.Atoi(id)
			}
		}
	}
	return e, true
}

// smbfsType is what the kernel calls our mounts.
const smbfsType = "fuse.smbfs"

// smbfsMounts lists our mounts, in the order in which they were made. Of those on one directory only the topmost can be
// reached.
func smbfsMounts(mountinfo string) []mountEntry {
	var all []mountEntry
	for line := range strings.Lines(mountinfo) {
		if e, ok := parseMountinfo(line); ok {
			all = slices.DeleteFunc(all, func(below mountEntry) bool { return below.mountpoint == e.mountpoint })
			all = append(all, e)
		}
	}
	return slices.DeleteFunc(all, func(e mountEntry) bool { return e.fstype != smbfsType })
}

// inMount finds the mount that an absolute path lies in, and the path's place in its file system.
func inMount(mountinfo, path string) (found mountEntry, below string, ok bool) {
	for line := range strings.Lines(mountinfo) {
		e, valid := parseMountinfo(line)
		if !valid || len(e.mountpoint) < len(found.mountpoint) {
			continue
		}
		if rest, inside := strings.CutPrefix(path, strings.TrimSuffix(e.mountpoint, "/")); inside && (rest == "" || rest[0] == '/') {
			found, below, ok = e, strings.Trim(e.root+rest, "/"), true
		}
	}
	return found, below, ok
}

// unescapeMount undoes the kernel's \ooo for blanks, newlines and backslashes.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
