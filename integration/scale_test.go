//go:build soak

package integration

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
)

var scaleFlag = flag.Int("directories", 100_000, "directories that TestScaleScripted watches, and files that it makes in them")

// scale is a number of directories, and how many files are made in them in a burst.
type scale struct {
	dirs, files int
	wait        time.Duration // for each stage
}

func (s scale) dir(i int) string  { return fmt.Sprintf("%03d/%03d", i/1000, i%1000) }
func (s scale) file(i int) string { return fmt.Sprintf("%s/file-%d", s.dir(i%s.dirs), i) }
func (s scale) tops() int         { return (s.dirs + 999) / 1000 }

// watch has inotifywait watch all directories; every one is notified of. Then a file is made in each by turns: each is told once.
func (s scale) watch(t *testing.T, m *testenv.Mounted, create func(string) error) {
	t.Helper()
	before, start := try[int64](t)(resident(m)), time.Now()
	w := try[*testenv.Inotifywait](t)(testenv.StartInotifywait(m.Path(), "create"))
	t.Cleanup(w.Close)
	must(t, w.WaitEstablished(s.wait))
	listed := time.Since(start)
	all := s.dirs + s.tops() + 1
	must(t, m.WaitArmed(all, s.wait))
	armed, after := time.Since(start), try[int64](t)(resident(m))
	must(t, m.WaitPinned(all, s.wait))
	t.Logf("%d directories: inotifywait ready after %v, all notified of after %v (%v each), known to be watched after %v; %d bytes of memory each",
		s.dirs, listed.Round(time.Millisecond), armed.Round(time.Millisecond), armed/time.Duration(s.dirs), time.Since(start).Round(time.Millisecond), (after-before)/int64(s.dirs))
	start = time.Now()
	for i := range s.files {
		must(t, create(s.file(i)))
	}
	made := time.Since(start)
	enough := func() bool { n, _ := w.Told(); return n >= s.files }
	if !testenv.WaitUntil(s.wait, enough) {
		n, _ := w.Told()
		t.Fatalf("%d of %d files were told", n, s.files)
	}
	t.Logf("%d files made in %v, all told after %v", s.files, made.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
	time.Sleep(afterglow) // for what must not come
	if n, twice := w.Told(); n != s.files || twice != "" {
		t.Errorf("%d of %d files were told; more than once: %s", n, s.files, twice)
	}
}

func resident(m *testenv.Mounted) (int64, error) {
	now, _, err := testenv.Memory(m.PID)
	return now, err
}

// TestScaleSamba: 10,000 directories of a Samba server, watched by inotifywait, and 100,000 files.
func TestScaleSamba(t *testing.T) {
	sc := scale{dirs: 10_000, files: 100_000, wait: 5 * time.Minute}
	s := testenv.MustSamba(t, testenv.Options{})
	for i := range sc.dirs {
		must(t, os.MkdirAll(s.Path(sc.dir(i)), 0o755))
	}
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	sc.watch(t, m, func(name string) error { return os.WriteFile(s.Path(name), nil, 0o644) })
}

// TestScaleScripted: 100,000 directories, more than any real server takes on one connection, and 100,000 files.
func TestScaleScripted(t *testing.T) {
	sc := scale{dirs: *scaleFlag, files: *scaleFlag, wait: 15 * time.Minute}
	const limit = "/proc/sys/fs/inotify/max_user_watches"
	var watches int
	if _, err := fmt.Sscan(string(try[[]byte](t)(os.ReadFile(limit))), &watches); err != nil || watches < sc.dirs+sc.tops()+1 {
		t.Fatalf("%s is %d; raise it: sysctl fs.inotify.max_user_watches=%d", limit, watches, 2*sc.dirs)
	}
	server := smbtest.NewServer(smbtest.Options{})
	t.Cleanup(server.Close)
	address := try[string](t)(server.Listen())
	for i := range sc.tops() {
		server.Tree.Mkdir(filepath.Dir(sc.dir(i * 1000)))
	}
	for i := range sc.dirs {
		server.Tree.Mkdir(strings.ReplaceAll(sc.dir(i), "/", `\`))
	}
	m := testenv.MustMount(t, testenv.MountOptions{Source: "//127.0.0.1/" + smbtest.Share, Env: []string{"PASSWD=" + smbtest.Password},
		Options: []string{"port=" + address[strings.LastIndex(address, ":")+1:], "username=" + smbtest.User, "notify_max=200000"}})
	sc.watch(t, m, func(name string) error {
		if !server.Tree.WriteFile(strings.ReplaceAll(name, "/", `\`), nil) {
			return fmt.Errorf("cannot make %s", name)
		}
		return nil
	})
	if v := server.Violations(); len(v) > 0 {
		t.Error(v)
	}
}
