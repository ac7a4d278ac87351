package replay

import (
	"fmt"
	"reflect"
	"syscall"
	"testing"
	"time"
)

const (
	dirMode  = syscall.S_IFDIR | 0o755
	fileMode = syscall.S_IFREG | 0o644
)

// eventRow is one call and everything that a watcher of some paths sees of it.
type eventRow struct {
	name  string
	call  Call
	watch []string
	want  []string
	ghost string // gone for all but the workers before the call
}

var someTime = time.Unix(1_700_000_000, 123_456_700)

// The tree that every row starts from: dirs d, d/sub, e; files d/f, d/g.
var eventRows = []eventRow{
	{name: "mknod", call: Call{Op: Mknod, Dir: "d", Name: "new", Mode: 0o644},
		watch: []string{"d"}, want: []string{"d CREATE new"}},
	{name: "mknod in the root", call: Call{Op: Mknod, Name: "new", Mode: 0o644},
		watch: []string{""}, want: []string{"/ CREATE new"}},
	{name: "mknod of what others see already", call: Call{Op: Mknod, Dir: "d", Name: "f"},
		watch: []string{"d", "d/f"}, want: []string{"d CREATE f"}},
	{name: "mkdir", call: Call{Op: Mkdir, Dir: "d", Name: "new", Mode: 0o755},
		watch: []string{"d"}, want: []string{"d CREATE|ISDIR new"}},
	{name: "symlink", call: Call{Op: Symlink, Dir: "d", Name: "new", Target: "../some where"},
		watch: []string{"d"}, want: []string{"d CREATE new"}},
	{name: "link of a watched file", call: Call{Op: Link, Dir: "d", Name: "f", NewDir: "e", NewName: "new"},
		watch: []string{"d", "e", "d/f"}, want: []string{"d/f ATTRIB", "e CREATE new"}},
	{name: "link", call: Call{Op: Link, Dir: "d", Name: "f", NewDir: "e", NewName: "new"},
		watch: []string{"d", "e", "d/g"}, want: []string{"e CREATE new"}},
	{name: "unlink", call: Call{Op: Unlink, Dir: "d", Name: "f"},
		watch: []string{"d"}, want: []string{"d DELETE f"}},
	{name: "unlink of a watched file", call: Call{Op: Unlink, Dir: "d", Name: "f"},
		watch: []string{"d", "d/f"},
		want:  []string{"d/f ATTRIB", "d/f DELETE_SELF", "d/f IGNORED", "d DELETE f"}},
	{name: "unlink of what is gone for others", call: Call{Op: Unlink, Dir: "d", Name: "f"}, ghost: "d/f",
		watch: []string{"d"}, want: []string{"d DELETE f"}},
	{name: "rmdir", call: Call{Op: Rmdir, Dir: "d", Name: "sub"},
		watch: []string{"d", "d/sub"},
		want:  []string{"d/sub DELETE_SELF", "d/sub IGNORED", "d DELETE|ISDIR sub"}},
	{name: "rename", call: Call{Op: Rename, Dir: "d", Name: "f", NewDir: "d", NewName: "h"},
		watch: []string{"d", "d/f"},
		want:  []string{"d MOVED_FROM f #1", "d MOVED_TO h #1", "d/f MOVE_SELF"}},
	{name: "rename across directories", call: Call{Op: Rename, Dir: "d", Name: "f", NewDir: "e", NewName: "f"},
		watch: []string{"d", "e"}, want: []string{"d MOVED_FROM f #1", "e MOVED_TO f #1"}},
	{name: "rename onto a watched file", call: Call{Op: Rename, Dir: "d", Name: "f", NewDir: "d", NewName: "g"},
		watch: []string{"d", "d/g"},
		want: []string{"d MOVED_FROM f #1", "d MOVED_TO g #1", "d/g ATTRIB",
			"d/g DELETE_SELF", "d/g IGNORED"}},
	{name: "rename of a directory", call: Call{Op: Rename, Dir: "d", Name: "sub", NewDir: "e", NewName: "sub"},
		watch: []string{"d", "e", "d/sub"},
		want:  []string{"d MOVED_FROM|ISDIR sub #1", "e MOVED_TO|ISDIR sub #1", "d/sub MOVE_SELF"}},
	{name: "modify", call: Call{Op: Modify, Dir: "d", Name: "f", Mtime: someTime},
		watch: []string{"d", "d/f"}, want: []string{"d MODIFY f", "d/f MODIFY"}},
	{name: "attrib", call: Call{Op: Attrib, Dir: "d", Name: "f", Atime: someTime, Mtime: someTime},
		watch: []string{"d", "d/f"}, want: []string{"d ATTRIB f", "d/f ATTRIB"}},
	{name: "attrib of a directory", call: Call{Op: Attrib, Dir: "d", Name: "sub", Atime: someTime, Mtime: someTime},
		watch: []string{"d", "d/sub"}, want: []string{"d ATTRIB|ISDIR sub", "d/sub ATTRIB|ISDIR"}},
	{name: "close after write", call: Call{Op: CloseWrite, Dir: "d", Name: "f"},
		watch: []string{"d"}, want: []string{"d OPEN f", "d CLOSE_WRITE f"}},
}

// TestEvents holds the table of events, with dentries that are looked up every time and
// with such as stay for an hour.
func TestEvents(t *testing.T) {
	for _, timeout := range []time.Duration{0, time.Hour} {
		for _, row := range eventRows {
			t.Run(fmt.Sprintf("%s, timeout %v", row.name, timeout), func(t *testing.T) {
				testEvents(t, timeout, row)
			})
		}
	}
}

func testEvents(t *testing.T, timeout time.Duration, row eventRow) {
	r := newRig(t, timeout, Config{Workers: 1, CloseWriters: 1})
	for _, d := range []string{"d", "d/sub", "e"} {
		r.fs.add(d, dirMode)
	}
	for _, f := range []string{"d/f", "d/g", "e/x"} {
		r.fs.add(f, fileMode)
	}
	w := r.watch(row.watch...)
	for _, p := range []string{"d/f", "d/new", "new"} { // in the dentry cache, some negative
		r.actor("stat", r.path(p))
	}
	if row.ghost != "" {
		r.fs.makeGhost(row.ghost)
	}
	w.events() // those of the preparation
	r.mustDo(row.call)
	if got := w.events(); !reflect.DeepEqual(got, row.want) {
		t.Errorf("events\n got %q\nwant %q", got, row.want)
	}
	for _, s := range r.fs.calls() {
		if !s.worker || !s.expected {
			t.Errorf("a call that is not the replay: %+v", s)
		}
	}
	if row.call.Op == Modify {
		if n := r.fs.get("d/f"); !n.mtime.Equal(someTime) || n.atime.Equal(someTime) {
			t.Errorf("times after modify: %v, %v", n.atime, n.mtime)
		}
	}
}
