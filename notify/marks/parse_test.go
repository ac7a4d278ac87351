package marks

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// onLittle says that the words of the samples' handles are as this machine has them.
func onLittle() bool { n, _ := nodeOf([]byte(sampleHandle)); return n == far }

const (
	sampleDevice = "2f"
	sampleHandle = " fhandle-bytes:c fhandle-type:81 f_handle:010000008967452307000000"
	sampleParent = " fhandle-bytes:18 fhandle-type:82 f_handle:010000008967452307000000010000000100000000000000"
)

var lineTests = []struct {
	name, line string
	want       content
}{
	{"inotify", "inotify wd:1 ino:5a5a00012345 sdev:2f mask:fff ignored_mask:0" + sampleHandle, content{nodes: []uint64{far}}},
	{"with parent", "inotify wd:1 ino:1 sdev:2f mask:fff ignored_mask:0" + sampleParent, content{nodes: []uint64{far}}},
	{"fanotify", "fanotify ino:1 sdev:2f mflags:0 mask:8 ignored_mask:0" + sampleHandle, content{nodes: []uint64{far}}},
	{"fanotify, ignore only", "fanotify ino:1 sdev:2f mflags:40 mask:0 ignored_mask:8" + sampleHandle, content{}},
	{"fanotify, mask begins with 0", "fanotify ino:1 sdev:2f mflags:0 mask:08 ignored_mask:0" + sampleHandle, content{nodes: []uint64{far}}},
	{"file system", "fanotify sdev:2f mflags:0 mask:8 ignored_mask:0", content{whole: true}},
	{"file system, ignore only", "fanotify sdev:2f mflags:0 mask:0 ignored_mask:8", content{}},
	{"other file system", "fanotify sdev:2e mflags:0 mask:8 ignored_mask:0", content{}},
	{"mount", "fanotify mnt_id:1e mflags:0 mask:8 ignored_mask:0", content{mounts: []uint64{0x1e}}},
	{"mount, ignore only", "fanotify mnt_id:1e mflags:0 mask:0 ignored_mask:8", content{}},
	{"mount, no number", "fanotify mnt_id:xyz mflags:0 mask:8", content{}},
	{"mount, number too long", "fanotify mnt_id:00000000000000001 mflags:0 mask:8", content{}},
	{"head of fanotify", "fanotify flags:0 event-flags:8000", content{}},
	{"other device", "inotify wd:1 ino:1 sdev:2e mask:fff ignored_mask:0" + sampleHandle, content{}},
	{"device is a prefix", "inotify wd:1 ino:1 sdev:2f0 mask:fff ignored_mask:0" + sampleHandle, content{}},
	{"device has the prefix", "inotify wd:1 ino:1 sdev:2 mask:fff ignored_mask:0" + sampleHandle, content{}},
	{"no handle", "inotify wd:1 ino:1 sdev:2f mask:fff ignored_mask:0 ", content{nameless: 1}},
	{"handle of another type", "inotify wd:1 ino:1 sdev:2f mask:fff ignored_mask:0 fhandle-bytes:c fhandle-type:1 f_handle:010000008967452307000000", content{nameless: 1}},
	{"type with the prefix", "inotify wd:1 ino:1 sdev:2f mask:fff ignored_mask:0 fhandle-bytes:c fhandle-type:811 f_handle:010000008967452307000000", content{nameless: 1}},
	{"short handle", "inotify wd:1 ino:1 sdev:2f mask:fff ignored_mask:0 fhandle-bytes:4 fhandle-type:81 f_handle:01000000896745", content{nameless: 1}},
	{"no hexadecimal handle", "inotify wd:1 ino:1 sdev:2f mask:fff ignored_mask:0 fhandle-bytes:c fhandle-type:81 f_handle:01000000896745zz", content{nameless: 1}},
	{"node 0", "inotify wd:1 ino:1 sdev:2f mask:fff ignored_mask:0 fhandle-bytes:c fhandle-type:81 f_handle:000000000000000007000000", content{nameless: 1}},
	{"cut off", "inotify wd:1 ino:1 sdev:2f", content{}},
	{"other field", "tfd: 5 events: 19 sdev:2f mask:1" + sampleHandle, content{}},
	{"position", "pos:\t0", content{}},
	{"nothing", "", content{}},
}

func TestParseLine(t *testing.T) {
	if !onLittle() {
		t.Log("big-endian machine: the samples' node ids are read otherwise")
	}
	for _, test := range lineTests {
		var got content
		got.parseLine([]byte(test.line), []byte(sampleDevice+" "))
		if !onLittle() && len(got.nodes) == len(test.want.nodes) {
			got.nodes = test.want.nodes
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	line, device := []byte(lineTests[0].line), []byte(sampleDevice+" ")
	c := content{nodes: make([]uint64, 0, 8)}
	if n := testing.AllocsPerRun(100, func() { c.reset(); c.parseLine(line, device) }); n != 0 {
		t.Errorf("%v allocations for a line", n)
	}
}

func TestDeviceField(t *testing.T) {
	for _, test := range []struct {
		major, minor uint32
		want         string
	}{
		{0, 0x2f, "2f "}, {0, 0x1234, "1234 "}, {0xfe, 0, "fe00000 "}, {8, 1, "800001 "}, {0xfff, 0xfffff, "ffffffff "},
	} {
		if got := string(deviceField(unix.Mkdev(test.major, test.minor))); got != test.want {
			t.Errorf("%d:%d is %q, want %q", test.major, test.minor, got, test.want)
		}
	}
}

// The lines are the same however the reads cut them; what has no end is no line.
func TestLines(t *testing.T) {
	text := "one\n\nthree " + strings.Repeat("x", 20) + "\nfour\ncut off"
	want := strings.Split(text, "\n")[:4]
	for size := 1; size <= len(text); size++ {
		p := &proc{chunk: make([]byte, 40)}
		r := strings.NewReader(text)
		var got []string
		err := p.lines(func(b []byte) (int, error) {
			n, err := r.Read(b[:min(size, len(b))])
			if err == io.EOF {
				err = nil
			}
			return n, err
		}, func(line []byte) { got = append(got, string(line)) })
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("reads of %d: %q, %v; want %q", size, got, err, want)
		}
	}
}

func TestParseEntriesGarbage(t *testing.T) {
	for _, b := range [][]byte{nil, make([]byte, 18), make([]byte, 64), bytes.Repeat([]byte{0xff}, 64)} {
		parseEntries(b, func(n int, _ uint64) { t.Errorf("% x has the entry %d", b, n) })
	}
}

// FuzzParse: garbage neither panics nor gives marks that are not in it.
func FuzzParse(f *testing.F) {
	for _, test := range lineTests {
		f.Add([]byte(test.line+"\n"), uint8(7))
	}
	f.Add([]byte("fanotify  sdev:2f  mask:\ninotify wd: sdev:2f  fhandle-type:81  f_handle:\n"), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		p := &proc{chunk: make([]byte, 512)}
		r := bytes.NewReader(data)
		var c content
		err := p.lines(func(b []byte) (int, error) {
			n, err := r.Read(b[:min(int(size)+1, len(b))])
			if err == io.EOF {
				err = nil
			}
			return n, err
		}, func(line []byte) { c.parseLine(line, []byte(sampleDevice+" ")) })
		if err != nil {
			t.Fatal(err)
		}
		ours := bytes.Count(data, []byte(" sdev:"+sampleDevice+" "))
		if marks := len(c.nodes) + c.nameless; marks > ours {
			t.Errorf("%d marks in %d lines of the device", marks, ours)
		}
		if mounts := bytes.Count(data, mountMark); len(c.mounts) > mounts {
			t.Errorf("%d mounts in %d lines", len(c.mounts), mounts)
		}
		for _, node := range c.nodes {
			if node == 0 {
				t.Error("node 0")
			}
		}
	})
}
