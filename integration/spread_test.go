package integration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"smbfs/integration/testenv"
)

// TestManyDirectoriesOnSeveralConnections: more directories than one connection watches are watched by two; the loss of the second is told as any
// outage is, and ends at once.
func TestManyDirectoriesOnSeveralConnections(t *testing.T) {
	t.Parallel()
	const dirs = 600
	s := testenv.MustSamba(t, testenv.Options{})
	dir := func(i int) string { return fmt.Sprintf("d%03d", i) }
	for i := range dirs {
		must(t, os.Mkdir(s.Path(dir(i)), 0o755))
	}
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	w := try[*testenv.Inotifywait](t)(testenv.StartInotifywait(m.Mountpoint, "create"))
	t.Cleanup(w.Close)
	must(t, w.WaitEstablished(stepTimeout))
	must(t, m.WaitArmed(dirs+1, stepTimeout))
	var connections []string
	for _, c := range statusOf(t, m).Connections {
		connections = append(connections, c.Purpose)
	}
	if want := []string{"work", "watch", "watch 2"}; !slices.Equal(connections, want) {
		t.Errorf("connections %v, want %v", connections, want)
	}

	all := 0
	makeAll := func(name string) {
		for i := range dirs {
			must(t, os.WriteFile(s.Path(dir(i), name), nil, 0o644))
		}
		all += dirs
	}
	wantAll := func(when string) {
		t.Helper()
		if !testenv.WaitUntil(2*stepTimeout, func() bool { n, _ := w.Told(); return n >= all }) {
			n, _ := w.Told()
			t.Errorf("%s: %d of %d files were told", when, n, all)
		}
	}
	makeAll("before")
	wantAll("on two connections")

	children := testenv.Children(s.PID()) // the last is the server's process for the last connection
	must(t, syscall.Kill(children[len(children)-1], syscall.SIGKILL))
	makeAll("meanwhile")
	wantAll("when a connection was lost")
	if !strings.Contains(m.Log(), `"connection lost" connection="watch 2"`) {
		t.Errorf("the log says nothing of the loss:\n%s", m.Log())
	}
	must(t, m.WaitArmed(dirs+1, stepTimeout))
	makeAll("after")
	wantAll("on another connection")
	if _, twice := w.Told(); twice != "" {
		t.Errorf("told twice: %s", twice)
	}
}
