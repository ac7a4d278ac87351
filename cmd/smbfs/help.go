package main

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// version is set by the Makefile (-ldflags -X main.version=...); without it the build's own information is used.
var version string

// versionName is the version alone.
func versionName() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

func versionText() string {
	v, rev := version, ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if v == "" {
			v = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && version == "" { // the Makefile's version names the commit already
				rev = " (" + s.Value[:min(12, len(s.Value))] + ")"
			}
		}
		return fmt.Sprintf("smbfs %s%s %s", v, rev, info.GoVersion)
	}
	return "smbfs " + v
}

const usageText = `smbfs mounts an SMB3 share and turns remote changes into local inotify and fanotify events.

Usage: smbfs [-f] [-v] [-o option,...] //host[:port]/share[/path] /mountpoint
       smbfs status [--json] [--watch] [MOUNT...]   how your mounts do
       smbfs watch [--json] [--server] PATH         events as they come
       smbfs doctor [-o option,...] //host/share    what a server notifies, and how fast

  -f             stay in the foreground, log to standard error
  -v             log every notification and every event
  -o option,...  mount options, see below; may be repeated
  -r, -w         the same as -o ro and -o rw
  -s             pass over unknown mount options
  -n, -t TYPE    accepted for mount(8)
  --fake         check arguments, mount point and credentials, and mount nothing
                 (-f when called as mount.smbfs or mount.fuse.smbfs)
  --help, --version

Without -f the command returns 0 when the mount works, otherwise it prints one line
and returns 1 (wrong usage), 2 (this system) or 32 (the mount failed).
Unmount with umount or fusermount3 -u.

The password comes from password=, credentials=, the environment (PASSWD, PASSWD_FD,
PASSWD_FILE), or else is asked for.
`

// helpText is --help: the usage and the table of options.
func helpText() string {
	var b strings.Builder
	b.WriteString(usageText)
	for _, group := range optionGroups {
		fmt.Fprintf(&b, "\n%s:\n", group)
		for i := range optionTable {
			if o := &optionTable[i]; o.group == group {
				writeOption(&b, o)
			}
		}
	}
	return b.String()
}

func writeOption(b *strings.Builder, o *option) {
	const indent, width = 26, 92
	lines := wrap(o.help, width-indent)
	labels := wrap(o.label(), width-2)
	for _, l := range labels[:len(labels)-1] {
		fmt.Fprintf(b, "  %s\n", l)
	}
	last := labels[len(labels)-1]
	if len(last) > indent-4 {
		fmt.Fprintf(b, "  %s\n", last)
		last = ""
	}
	for i, l := range lines {
		if i > 0 {
			last = ""
		}
		fmt.Fprintf(b, "  %-*s%s\n", indent-2, last, l)
	}
}

// wrap breaks text at blanks into lines of at most width bytes.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
