package fs

import (
	"testing"
	"time"

	"smbfs/cache"
)

func TestFirst(t *testing.T) {
	var memory firstMemory
	room := func() []byte { return append(memory.take(10)[:0], "0123456789"...) }
	attr := cache.Attr{Size: 10, Write: 7}
	now := content{10, 7}
	for _, c := range []struct {
		why     string
		attr    cache.Attr
		asked   time.Time
		changes uint64
		known   content
		read    extent
		want    string
		left    int64 // of the memory in use
	}{
		{"all, as the kernel asks for it", attr, time.Now(), 0, now, extent{0, 4096}, "0123456789", 0},
		{"a part", attr, time.Now(), 0, now, extent{0, 4}, "0123", 10},
		{"the end", attr, time.Now(), 0, now, extent{4, 4096}, "456789", 0},
		{"behind it", attr, time.Now(), 0, now, extent{10, 4096}, "", 10},
		{"not all of it", cache.Attr{Size: 11, Write: 7}, time.Now(), 0, content{11, 7}, extent{0, 4096}, "", 0},
		{"long ago", attr, time.Now().Add(-firstFor), 0, now, extent{0, 4096}, "", 0},
		{"written since", attr, time.Now(), 0, content{10, 8}, extent{0, 4096}, "", 0},
		{"changed while it was asked for", attr, time.Now(), 1, now, extent{0, 4096}, "", 0},
	} {
		h := &handle{file: &file{}}
		b := room()
		h.came(&memory, b, b, c.attr, c.asked, c.changes)
		if got := h.first.serve(c.read, c.known); string(got) != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
		if used := memory.used.Load(); used != c.left {
			t.Errorf("%s: %d bytes are in use, want %d", c.why, used, c.left)
		}
		h.first.drop()
		if used := memory.used.Load(); used != 0 {
			t.Fatalf("%s: %d bytes are in use at the end", c.why, used)
		}
	}
	if memory.take(firstTotal+1) != nil || memory.used.Load() != 0 {
		t.Error("more was taken than there is")
	}
}
