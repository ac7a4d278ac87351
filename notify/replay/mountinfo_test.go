package replay

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const mountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/a\040b rw - fuse.smbfs //host/share rw
31 22 0:41 / /mnt/tab\011newline\012back\134slash rw master:3 - fuse.smbfs x rw
32 22 0:42 / /mnt/over rw - fuse.smbfs x rw
33 32 0:43 / /mnt/over rw - tmpfs x rw
34 22 0:44 / /mnt/\04 rw - tmpfs x rw
35 22 nonsense / /mnt/bad rw - tmpfs x rw
36 22 259:1048575 / /mnt/last rw - ext4 x rw`

func TestFindDevice(t *testing.T) {
	for path, want := range map[string]uint64{
		"/":                                 unix.Mkdev(8, 1),
		"/mnt/a b":                          unix.Mkdev(0, 40),
		"/mnt/tab\tnewline\nback\\slash":    unix.Mkdev(0, 41),
		"/mnt/over":                         unix.Mkdev(0, 43), // the uppermost
		`/mnt/\04`:                          unix.Mkdev(0, 44),
		"/mnt/last" /* no newline at it */ : unix.Mkdev(259, 1048575),
	} {
		if got, err := findDevice(strings.NewReader(mountinfo), path); err != nil || got != want {
			t.Errorf("%q: %#x, %v, want %#x", path, got, err, want)
		}
	}
	for _, path := range []string{"/mnt", "/mnt/a", `/mnt/a\040b`, ""} {
		if _, err := findDevice(strings.NewReader(mountinfo), path); !errors.Is(err, ErrNotMounted) {
			t.Errorf("%q: %v, want ErrNotMounted", path, err)
		}
	}
	if _, err := findDevice(strings.NewReader(mountinfo), "/mnt/bad"); err == nil {
		t.Error("a device that is none was taken")
	}
}

func FuzzFindDevice(f *testing.F) {
	f.Add(mountinfo, "/mnt/a b")
	f.Fuzz(func(t *testing.T, info, path string) {
		dev, err := findDevice(strings.NewReader(info), path)
		if err == nil && dev != 0 && !strings.Contains(info, ":") {
			t.Errorf("device %#x from %q", dev, info)
		}
	})
}
