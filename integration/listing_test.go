package integration

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// TestListingAtEvent: a listing that the kernel keeps, since it was read a moment ago, shows a change when that is told.
func TestListingAtEvent(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	root := folder(t, s)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + root})
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
	list := func() (names []string) {
		for _, e := range try[[]os.DirEntry](t)(os.ReadDir(m.Mountpoint)) {
			names = append(names, e.Name())
		}
		return names
	}
	must(t, os.Mkdir(s.Path(root, "sub"), 0o755))
	must(t, w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, "sub")))
	for i := range 15 {
		name, other := fmt.Sprintf("f%d", i), fmt.Sprintf("g%d", i)
		for _, step := range []struct {
			do     func() error
			mask   uint32
			name   string
			exists bool
		}{
			{func() error { return os.WriteFile(s.Path(root, name), nil, 0o644) }, unix.IN_CREATE, name, true},
			{func() error { return os.Rename(s.Path(root, name), s.Path(root, other)) }, unix.IN_MOVED_TO, other, true},
			{func() error { return os.Rename(s.Path(root, other), s.Path(root, "sub", other)) }, unix.IN_MOVED_FROM, other, false},
			{func() error { return os.Mkdir(s.Path(root, "d"+name), 0o755) }, unix.IN_CREATE, "d" + name, true},
			{func() error { return os.Remove(s.Path(root, "d"+name)) }, unix.IN_DELETE, "d" + name, false},
		} {
			if before := list(); !slices.Equal(before, list()) || slices.Contains(before, step.name) == step.exists {
				t.Fatalf("before: %q", before)
			}
			must(t, step.do())
			must(t, w.WaitFor(stepTimeout, testenv.Seen(step.mask, step.name)))
			if after := list(); slices.Contains(after, step.name) != step.exists {
				t.Fatalf("round %d: at the event of %s the listing is %q", i, step.name, after)
			}
		}
		must(t, os.Remove(m.Path("sub", other))) // by a local program
		if left := try[[]os.DirEntry](t)(os.ReadDir(m.Path("sub"))); len(left) != 0 {
			t.Fatalf("left in sub: %v", left)
		}
	}
}
