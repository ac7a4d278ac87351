package main

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// takeArgs copies the arguments and overwrites every password in the memory that /proc/PID/cmdline shows. It must come before
// anything else that could take time.
func takeArgs() []string {
	args := make([]string, len(os.Args))
	for i, a := range os.Args {
		args[i] = strings.Clone(a)
	}
	for i, a := range args[min(1, len(args)):] {
		for _, span := range secretSpans(a) {
			wipe(os.Args[i+1], span)
		}
	}
	return args
}

// span is a part of a string, from inclusive to exclusive.
type span struct{ from, to int }

// secretSpans finds the values in one argument that are or may be passwords: pass...= anywhere in an option list, what follows
// '%' in a user name, and what stands before '@' in a share's address.
func secretSpans(arg string) []span {
	var spans []span
	if strings.HasPrefix(arg, "//") || strings.HasPrefix(arg, `\\`) {
		if at := strings.LastIndexByte(arg, '@'); at >= 0 {
			spans = append(spans, span{2, at})
		}
		return spans
	}
	start := 0
	if strings.HasPrefix(arg, "--options=") {
		start = len("--options=")
	} else if i := clusterValue(arg); i > 0 {
		start = i
	}
	for start < len(arg) {
		end := start + itemLen(arg[start:])
		if sp, ok := secretValue(arg[start:end]); ok {
			spans = append(spans, span{start + sp, end})
		}
		start = end + 1
	}
	return spans
}

// clusterValue is where the value begins in a cluster with an 'o' in it, such as -vopass=x; 0 if arg is none.
func clusterValue(arg string) int {
	if len(arg) < 2 || arg[0] != '-' || arg[1] == '-' {
		return 0
	}
	return strings.IndexByte(arg, 'o') + 1
}

func secretValue(item string) (from int, ok bool) {
	eq := strings.IndexByte(item, '=')
	if eq < 0 {
		return 0, false
	}
	if isSecretItem(item) {
		return eq + 1, true
	}
	if strings.HasPrefix(item, "user") {
		if pc := strings.IndexByte(item, '%'); pc > eq {
			return pc + 1, true
		}
	}
	return 0, false
}

// wipe overwrites a part of an argument in place. On Linux the strings of os.Args lie in the memory that the kernel set up, which
// is writable and is what /proc/PID/cmdline shows.
func wipe(s string, sp span) {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for i := sp.from; i < sp.to; i++ {
		b[i] = 'x'
	}
}

// wipeEnviron overwrites the values of the password variables in the memory that /proc/PID/environ shows: os.Unsetenv changes only
// Go's copy. It does its best; who may read that file may also read the process's memory.
func wipeEnviron() {
	env, err := os.ReadFile("/proc/self/environ")
	if err != nil {
		return
	}
	base, ok := envStart()
	if !ok {
		return
	}
	mem, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer mem.Close()
	off := int64(0)
	for v := range bytes.SplitSeq(env, []byte{0}) {
		name, value, _ := bytes.Cut(v, []byte{'='})
		if slices.Contains(passwordVars, string(name)) {
			at := base + off + int64(len(name)) + 1
			_, _ = mem.WriteAt(bytes.Repeat([]byte{'x'}, len(value)), at)
		}
		off += int64(len(v)) + 1
	}
}

// envStart is where the environment begins in memory: field 50 of /proc/self/stat, see proc(5).
func envStart() (int64, bool) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, false
	}
	_, after, ok := bytes.Cut(stat, []byte(") ")) // the first name that ends so is ours: it is set at exec and has no ')'
	fields := strings.Fields(string(after))
	const envStartField = 50 - 3 // fields counts from the third
	if !ok || len(fields) <= envStartField {
		return 0, false
	}
	n, err := strconv.ParseInt(fields[envStartField], 10, 64)
	return n, err == nil && n > 0
}
