package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"smbfs/integration/testenv"
)

// table gathers the lines of the result.
type table struct {
	rows [][]string
}

func (t *table) add(what, ours, peer, ratio, target string, met bool) {
	verdict := "yes"
	if !met {
		verdict = "**no**"
	}
	t.rows = append(t.rows, []string{what, ours, peer, ratio, target, verdict})
	fmt.Fprintln(os.Stderr, "  "+strings.Join(t.rows[len(t.rows)-1], " | "))
}

// markdown is the page; ran says how the run went.
func (t *table) markdown(c config, ran string) string {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\n")
	fmt.Fprintf(&b, "Written by `make bench`, `%s`: medians of %d paired runs on a private smbd on loopback; %d MiB sequential, %d random operations, %d files, %d changes. "+
		"A ratio is smbfs to its peer in the same run, more is better; medians of ratios are taken per pair. %s.\n\n",
		strings.Join(append([]string{"go run ./integration/bench"}, os.Args[1:]...), " "), c.runs, c.bytes>>20, c.ops, c.files, c.changes, ran)
	writeRows(&b, []string{"what", "smbfs", "peer", "ratio", "target", "met"}, t.rows)
	b.WriteString("\n")
	for _, v := range versions() {
		b.WriteString("- " + v + "\n")
	}
	return b.String()
}

// writeRows writes rows under their columns' names.
func writeRows(b *strings.Builder, columns []string, rows [][]string) {
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(columns)
	line(slices.Repeat([]string{"---"}, len(columns)))
	for _, r := range rows {
		line(r)
	}
}

// heading begins a section. What has one of its own is kept when the table above is written anew: the notes, which people write by hand.
const (
	heading      = "\n## "
	notesHeading = heading + "Notes\n"
)

// writeTable writes the table to a file.
func writeTable(name, text string) error {
	old, err := written(name)
	if err != nil {
		return err
	}
	if i := strings.Index(old, heading); i >= 0 {
		text += old[i:]
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

// writeSection writes a section, which begins with its heading, in the place of the one it had before, or ahead of the notes.
func writeSection(name, text string) error {
	old, err := written(name)
	if err != nil {
		return err
	}
	title, _, _ := strings.Cut(text[len(heading):], "\n")
	before, rest, found := strings.Cut(old, heading+title+"\n")
	switch i := strings.Index(rest, heading); {
	case !found:
		before, rest = old, ""
		if i := strings.Index(old, notesHeading); i >= 0 {
			before, rest = old[:i], old[i:]
		}
	case i >= 0:
		rest = rest[i:]
	default:
		rest = ""
	}
	return os.WriteFile(name, []byte(before+text+rest), 0o644)
}

// written is what a file has, nothing if it is not there.
func written(name string) (string, error) {
	old, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return string(old), nil
}

// versions describe the machine and the programs.
func versions() []string {
	first := func(name string, args ...string) string {
		out, err := exec.Command("timeout", append([]string{"10", name}, args...)...).CombinedOutput()
		if err != nil {
			return name + ": " + err.Error()
		}
		line, _, _ := strings.Cut(string(out), "\n")
		return strings.TrimSpace(line)
	}
	bin, err := testenv.Binary()
	if err != nil {
		bin = "smbfs"
	}
	return []string{
		fmt.Sprintf("machine: %s, %d processors, %s of memory", cpuModel(), runtime.NumCPU(), memoryTotal()),
		"kernel: " + first("uname", "-sr"),
		"smbfs: " + first(bin, "--version"),
		"Samba: " + first("smbclient", "--version"),
		"rclone: " + first("rclone", "version"),
		"Go: " + runtime.Version(),
	}
}

func procField(file, name string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// loadAverage is that of the last minute.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(data), " ")
	return one
}

func cpuModel() string    { return procField("/proc/cpuinfo", "model name") }
func memoryTotal() string { return procField("/proc/meminfo", "MemTotal") }
