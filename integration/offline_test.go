package integration

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// TestOfflineCached: with offline=cached a watched directory is listed, and looked up in, while the server is away; nothing else succeeds, and
// all is as ever when the server is back.
func TestOfflineCached(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	a := folderActor(s.Dir)
	for _, step := range []string{"mkdir d", "write d/f hello", "write d/g x", "write d/old y", "mkdir unseen", "write unseen/f hello"} {
		must(t, runStep(a, step))
	}
	soft := []string{"echo_interval=1", "retrans=1", "actimeo=0"}
	m, p := through(t, s, append(soft, "offline=cached")...)
	waits, waitsProxy := through(t, s, soft...)
	for _, mount := range []string{m.Mountpoint, waits.Mountpoint} {
		armed(t, s.Dir, mount)
	}
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Path("d"), testenv.WatchOptions{})
	arm(t, w, s.Path("d"))
	must(t, w.WaitQuiet(time.Second, stepTimeout))
	before := w.Len()

	resetNetwork(t, s, p)
	resetNetwork(t, s, waitsProxy)
	s.Kill()
	down(t, m)
	down(t, waits)
	wantFromMemory(t, m)
	wantNothingElse(t, m)
	if _, err := os.ReadDir(waits.Mountpoint); !errors.Is(err, syscall.EHOSTDOWN) {
		t.Errorf("without offline=cached a listing ends with %v", err)
	}
	waits.Close()

	for _, step := range []string{"write d/new hello", "rm d/g", "mv d/old d/renamed", "append d/f more"} {
		must(t, runStep(a, step))
	}
	must(t, s.Restart())
	p.Target(s.Addr())
	p.Refuse(false)
	if st := reconnected(t, m, 1); st.Offline.Now {
		t.Errorf("the server is back; status says %+v", st.Offline)
	}
	want := []string{"CLOSE_WRITE f", "CLOSE_WRITE new", "CREATE new", "DELETE g", "MODIFY f", "MODIFY new", "MOVED old renamed"}
	told := func(events []testenv.Event) bool { return sameLines(events[before:], want) }
	if err := w.WaitFor(2*stepTimeout, told); err != nil {
		t.Errorf("%v: told:\n%s\nwant:\n%s", err, strings.Join(lines(w.Events()[before:]), "\n"), strings.Join(want, "\n"))
	}
	shown(t, m.Path("d"), s.Path("d"))
	wantContent(t, m.Path("d", "f"), "hellomore")
	for _, line := range []string{"shown as they were", "shown as they are"} {
		if n := strings.Count(m.Log(), line); n != 1 {
			t.Errorf("%q is %d times in the log:\n%s", line, n, m.Log())
		}
	}
}

// wantFromMemory asks what is in d, which is watched, again and again: each answer comes from memory, where none may be older than the question.
func wantFromMemory(t *testing.T, m *testenv.Mounted) {
	t.Helper()
	for range 3 {
		if got, want := names(m.Path("d")), "\n/f\n/g\n/old\n"; got != want {
			t.Fatalf("the directory is listed as %s, it was %s", brief(got), brief(want))
		}
		if st, err := os.Stat(m.Path("d", "f")); err != nil || st.Size() != 5 {
			t.Errorf("stat: %v, %v", st, err)
		}
		if _, err := os.Stat(m.Path("d", "absent")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a name that is not there: %v", err)
		}
	}
	st := statusInOutage(t, m)
	if st.Offline.Setting != "cached" || !st.Offline.Now || st.Offline.Answers < 3 {
		t.Errorf("status says %+v", st.Offline)
	}
}

// wantNothingElse tries what cannot be known, and what would change something.
func wantNothingElse(t *testing.T, m *testenv.Mounted) {
	t.Helper()
	f, g := m.Path("d", "f"), m.Path("d", "g")
	for what, do := range map[string]func() error{
		"listing of what was not watched": func() error { _, err := os.ReadDir(m.Path("unseen")); return err },
		"read":                            func() error { _, err := os.ReadFile(f); return err },
		"write":                           func() error { return os.WriteFile(f, []byte("new"), 0o644) },
		"exclusive create": func() error {
			_, err := os.OpenFile(m.Path("d", "made"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
			return err
		},
		"mkdir":    func() error { return os.Mkdir(m.Path("d", "made"), 0o755) },
		"rmdir":    func() error { return unix.Rmdir(m.Path("d")) },
		"remove":   func() error { return unix.Unlink(g) },
		"rename":   func() error { return os.Rename(f, g) },
		"link":     func() error { return os.Link(f, m.Path("d", "linked")) },
		"truncate": func() error { return os.Truncate(f, 1) },
		"touch":    func() error { return os.Chtimes(f, time.Now(), time.Now()) },
	} {
		if err := within(t, stepTimeout, what, do); !errors.Is(err, syscall.EHOSTDOWN) {
			t.Errorf("%s without a server: %v", what, err)
		}
	}
}
