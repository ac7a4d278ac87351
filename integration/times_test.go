package integration

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"smbfs/integration/testenv"
)

// TestTimes: times that are set are those that stat shows, and one that SMB does not have is refused instead of becoming another.
func TestTimes(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	name := filepath.Join(m.Mountpoint, "f")
	must(t, os.WriteFile(name, nil, 0o644))
	for _, at := range []time.Time{
		time.Date(1969, 12, 31, 23, 59, 59, 5e8, time.UTC),
		time.Date(2106, 3, 1, 0, 0, 0, 100, time.UTC),
		time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		ts := unix.Timespec{Sec: at.Unix(), Nsec: int64(at.Nanosecond())}
		must(t, unix.UtimesNanoAt(unix.AT_FDCWD, name, []unix.Timespec{ts, ts}, 0))
		if got := try[os.FileInfo](t)(os.Stat(name)).ModTime(); !got.Equal(at) {
			t.Errorf("set to %v, got %v", at, got.UTC())
		}
	}
	before := try[os.FileInfo](t)(os.Stat(name)).ModTime()
	ts := unix.Timespec{Sec: time.Date(1600, 12, 31, 0, 0, 0, 0, time.UTC).Unix()}
	err := unix.UtimesNanoAt(unix.AT_FDCWD, name, []unix.Timespec{ts, ts}, 0)
	if after := try[os.FileInfo](t)(os.Stat(name)).ModTime(); !errors.Is(err, unix.EINVAL) || !after.Equal(before) {
		t.Errorf("1600: %v, and the time is %v, was %v", err, after, before)
	}
}
