package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"smbfs/health"
	"smbfs/integration/testenv"
)

// tool runs a subcommand of smbfs to its end.
func tool(t *testing.T, attr *syscall.SysProcAttr, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	bin := try[string](t)(testenv.Binary())
	if attr != nil {
		bin = readable(t, bin)
	}
	var out, errs strings.Builder
	cmd := exec.Command(bin, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir = "/"
	cmd.SysProcAttr = attr
	cmd.Stdout, cmd.Stderr = &out, &errs
	must(t, cmd.Start())
	limit := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer limit.Stop()
	if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// readable is a copy of the binary that other users can run. Another process writes it: a child that this one starts meanwhile could
// keep it open for writing, and nobody can run it then.
func readable(t *testing.T, bin string) string {
	t.Helper()
	dir := try[string](t)(os.MkdirTemp("", "smbfs-bin"))
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	copied := filepath.Join(dir, "smbfs")
	must(t, exec.Command("install", "-m", "755", bin, copied).Run())
	return copied
}

// nobody is the user who owns nothing.
func nobody(t *testing.T) *syscall.SysProcAttr {
	t.Helper()
	u := try[*user.User](t)(user.Lookup("nobody"))
	id := try[int](t)(strconv.Atoi(u.Uid))
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}}
}

// statusOf is what smbfs status --json says of one mount that is healthy.
func statusOf(t *testing.T, m *testenv.Mounted) health.Status {
	t.Helper()
	st, code := statusAndCode(t, m)
	if code != 0 {
		t.Fatalf("exit code %d: %+v", code, st.Notify)
	}
	return st
}

// statusInOutage is statusOf while the server may be away: what is watched here may be unseen.
func statusInOutage(t *testing.T, m *testenv.Mounted) health.Status {
	t.Helper()
	st, code := statusAndCode(t, m)
	if code > 1 || code == 1 && st.Notify.Unseen == 0 {
		t.Fatalf("exit code %d: %+v", code, st.Notify)
	}
	return st
}

func statusAndCode(t *testing.T, m *testenv.Mounted) (st health.Status, code int) {
	t.Helper()
	code, out, errs := tool(t, nil, nil, "status", "--json", m.Mountpoint)
	var list []health.Status
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 1 {
		t.Fatalf("exit code %d, %v: %s%s", code, err, out, errs)
	}
	return list[0], code
}

func socketOf(m *testenv.Mounted) string {
	return filepath.Join(health.RuntimeDirectory(os.Geteuid()), health.SocketName(m.Mountpoint))
}

// TestStatusUnseen: while a watched directory is neither notified nor compared the status says so, in words and by its exit code.
func TestStatusUnseen(t *testing.T) {
	t.Parallel()
	m, p := through(t, testenv.MustSamba(t, testenv.Options{}))
	testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
	becomes := func(code, unseen int) {
		t.Helper()
		var st health.Status
		var got int
		if !testenv.WaitUntil(stepTimeout, func() bool {
			st, got = statusAndCode(t, m)
			return got == code && st.Notify.Unseen == unseen && st.Notify.Pinned == 1
		}) {
			t.Fatalf("exit code %d, want %d: %+v", got, code, st.Notify)
		}
	}
	becomes(0, 0)
	p.Refuse(true)
	p.Reset()
	becomes(1, 1)
	if _, text, _ := tool(t, nil, nil, "status", m.Mountpoint); !strings.Contains(text, "not notified, not compared") {
		t.Errorf("the status says\n%s", text)
	}
	p.Refuse(false)
	becomes(0, 0)
}

func TestStatus(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Daemon: true})
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
	must(t, os.WriteFile(filepath.Join(s.Dir, "new"), nil, 0o644))
	must(t, w.WaitFor(stepTimeout, testenv.Seen(syscall.IN_CREATE, "new")))

	st := statusOf(t, m)
	if st.Mount.PID != m.PID || st.Mount.Mountpoint != m.Mountpoint || st.Server.Share != s.Share || st.Server.Dialect != "3.1.1" {
		t.Errorf("%+v, %+v", st.Mount, st.Server)
	}
	if len(st.Connections) != 2 || !st.Connections[0].Up || !st.Connections[1].Up || time.Since(st.Connections[1].LastReceived) > time.Minute {
		t.Errorf("%+v", st.Connections)
	}
	if st.Notify.Setting != "auto" || st.Notify.Mode != "dir" || st.Notify.Watched < 1 || st.Notify.Notifications < 1 {
		t.Errorf("%+v", st.Notify)
	}
	if l := st.Events.Latency; st.Events.Told["create"] < 1 || l.Count < 1 || l.P50 <= 0 || l.P99 < l.P50 {
		t.Errorf("%+v", st.Events)
	}
	if helpers := m.HelperPIDs(); len(helpers) != 1 || st.Helper.PID != helpers[0] || !st.Helper.Running || st.Memory.Resident < 1<<20 {
		t.Errorf("%+v, %+v; the helpers are %v", st.Helper, st.Memory, helpers)
	}

	code, out, _ := tool(t, nil, nil, "status", m.Path("new"))
	if code != 0 || !strings.HasPrefix(out, s.Source()+" on "+m.Mountpoint+"\n") || !strings.Contains(out, "SMB 3.1.1") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if _, out, _ := tool(t, nil, nil, "status"); !strings.Contains(out, " on "+m.Mountpoint+"\n") {
		t.Errorf("the mount is not among all: %s", out)
	}
	if code, _, errs := tool(t, nil, nil, "status", "/proc"); code != 1 || !strings.Contains(errs, "not in a mount of smbfs") {
		t.Errorf("of something else: %d, %s", code, errs)
	}
	must(t, m.Unmount())
	if _, err := os.Lstat(socketOf(m)); !os.IsNotExist(err) {
		t.Errorf("the socket outlives the mount: %v", err)
	}
}

// TestStatusIsPrivate: nobody but the owner and root learns anything.
func TestStatusIsPrivate(t *testing.T) {
	t.Parallel()
	m := testenv.MustMount(t, testenv.MountOptions{Samba: plainSamba(t), Options: []string{"allow_other"}})
	for _, args := range [][]string{{"status", m.Mountpoint}, {"status", "--json", m.Mountpoint}, {"watch", m.Mountpoint}} {
		code, out, errs := tool(t, nobody(t), nil, args...)
		if code != 1 || !strings.Contains(out+errs, "only the mount's owner and root") || strings.Contains(out+errs, "3.1.1") {
			t.Errorf("%v: exit code %d: %s%s", args, code, out, errs)
		}
	}
}

// TestStatusAfterKill: a daemon that was killed leaves a socket behind, and the next one replaces it.
func TestStatusAfterKill(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Daemon: true})
	must(t, m.Kill())
	if _, err := os.Lstat(socketOf(m)); err != nil {
		t.Fatal(err)
	}
	code, out, errs := tool(t, nil, nil, "status", m.Mountpoint)
	if code != 1 || !strings.Contains(out, "no daemon answers") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	must(t, exec.Command("fusermount3", "-u", m.Mountpoint).Run())
	again := testenv.MustMount(t, testenv.MountOptions{Samba: s, Point: m.Mountpoint})
	if st := statusOf(t, again); st.Mount.PID != again.PID {
		t.Errorf("%+v", st.Mount)
	}
}

// watching is smbfs watch under way.
type watching struct {
	cmd   *exec.Cmd
	lines chan string
	wg    sync.WaitGroup
}

func startWatching(t *testing.T, args ...string) *watching {
	t.Helper()
	w := &watching{cmd: exec.Command(try[string](t)(testenv.Binary()), append([]string{"watch"}, args...)...), lines: make(chan string, 4096)}
	stdout := try[io.ReadCloser](t)(w.cmd.StdoutPipe())
	stderr := try[io.ReadCloser](t)(w.cmd.StderrPipe())
	must(t, w.cmd.Start())
	ready := bufio.NewReader(stderr)
	line, err := ready.ReadString('\n')
	if err != nil || !strings.Contains(line, "watching") {
		t.Fatalf("%v: %s", err, line)
	}
	w.wg.Go(func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			w.lines <- lines.Text()
		}
		close(w.lines)
	})
	t.Cleanup(func() { w.stop(t) })
	return w
}

// stop ends it as Ctrl-C does.
func (w *watching) stop(t *testing.T) {
	if w.cmd.ProcessState != nil {
		return
	}
	_ = w.cmd.Process.Signal(syscall.SIGINT)
	w.wg.Wait()
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("smbfs watch: %v", err)
	}
}

// until waits for a line, and gives all up to it.
func (w *watching) until(t *testing.T, done func(string) bool) []string {
	t.Helper()
	var seen []string
	limit := time.After(stepTimeout)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				t.Fatalf("smbfs watch ended after %q", seen)
			}
			if strings.Contains(line, ".armed") { // CLOSE_WRITE comes when a file has rested
				continue
			}
			if seen = append(seen, line); done(line) {
				return seen
			}
		case <-limit:
			t.Fatalf("waited in vain; there were %q", seen)
		}
	}
}

// armed waits until the notifications of a directory arrive: a server says that it watches before it does.
func armed(t *testing.T, server, mount string) {
	t.Helper()
	w := testenv.MustWatch(t, testenv.WatchInotify, mount, testenv.WatchOptions{Flat: true})
	for i := range 100 {
		name := fmt.Sprintf(".armed%d", i)
		must(t, os.WriteFile(filepath.Join(server, name), nil, 0o644))
		if w.WaitFor(time.Second, testenv.Seen(syscall.IN_CREATE, name)) == nil {
			return
		}
	}
	t.Fatal("nothing is notified")
}

func TestWatchCommand(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	for _, d := range []string{"in", "out"} {
		must(t, os.Mkdir(filepath.Join(s.Dir, d), 0o755))
	}
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	for _, d := range []string{"in", "out"} {
		armed(t, filepath.Join(s.Dir, d), m.Path(d))
	}
	text, all := startWatching(t, m.Path("in")), startWatching(t, "--json", "--server", m.Mountpoint)
	must(t, os.WriteFile(filepath.Join(s.Dir, "out", "there"), nil, 0o644))
	must(t, os.WriteFile(filepath.Join(s.Dir, "in", "here"), nil, 0o644))
	created := text.until(t, func(l string) bool { return strings.Contains(l, "CREATE") })
	if want := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3}  CREATE +in/here +\[ADDED here.*\]  \d+\.\d\d ms$`); !want.MatchString(created[0]) || len(created) != 1 {
		t.Errorf("%q", created)
	}
	must(t, os.Rename(filepath.Join(s.Dir, "in", "here"), filepath.Join(s.Dir, "in", "gone")))
	moved := text.until(t, func(l string) bool { return strings.Contains(l, "MOVE ") })
	if !strings.Contains(moved[len(moved)-1], "in/here -> in/gone") || !strings.Contains(moved[len(moved)-1], "RENAMED_OLD_NAME here, RENAMED_NEW_NAME gone") {
		t.Errorf("%q", moved)
	}
	for _, l := range moved {
		if strings.Contains(l, "there") {
			t.Errorf("from outside: %s", l)
		}
	}

	var said, told bool
	all.until(t, func(l string) bool {
		var e health.Event
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		said = said || e.Kind == health.KindSaid && e.Path == "out" && len(e.Said) > 0 && e.Said[0] == health.Said{Action: "ADDED", Name: "there"}
		told = told || e.Kind == health.KindTold && e.Path == "out/there" && e.Change == "create" && e.Object == "file" && e.Latency != nil
		return said && told
	})
}

// TestWatchEndsWithTheMount: who watches is told so.
func TestWatchEndsWithTheMount(t *testing.T) {
	t.Parallel()
	m := testenv.MustMount(t, testenv.MountOptions{Samba: plainSamba(t)})
	w := startWatching(t, "--json", m.Mountpoint)
	must(t, m.Unmount())
	w.wg.Wait()
	if err := w.cmd.Wait(); err == nil || w.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%v", err)
	}
}

// scrape reads the metrics at an address.
func scrape(t *testing.T, network, address string) string {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}}
	r := try[*http.Response](t)(c.Get("http://localhost/metrics"))
	defer r.Body.Close()
	return string(try[[]byte](t)(io.ReadAll(r.Body)))
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	l := try[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	addr := l.Addr().String()
	must(t, l.Close())
	socket := filepath.Join(t.TempDir(), "metrics")
	for _, place := range []struct{ option, network, address string }{{addr, "tcp", addr}, {"unix:" + socket, "unix", socket}} {
		m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{"metrics=" + place.option}})
		armed(t, s.Dir, m.Mountpoint)
		text := scrape(t, place.network, place.address)
		for _, line := range []string{
			`^smbfs_connection_up\{connection="watch"\} 1$`, `^smbfs_notifications_total [1-9]`, `^smbfs_events_told_total\{kind="create"\} [1-9]`,
			`^smbfs_event_latency_seconds_count\{kind="create"\} [1-9]`, `^smbfs_event_latency_seconds_bucket\{kind="create",le="\+Inf"\} [1-9]`,
			`^smbfs_helper_up 1$`, `^smbfs_notify_mode\{mode="dir"\} 1$`, `^process_resident_memory_bytes `, `^go_goroutines `,
		} {
			if !regexp.MustCompile("(?m)" + line).MatchString(text) {
				t.Errorf("%s: no line %s in\n%s", place.option, line, text)
			}
		}
		if strings.Contains(text, ".armed") {
			t.Error("a file's name is among the metrics")
		}
		must(t, m.Unmount())
	}
	if _, err := os.Lstat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket outlives the mount: %v", err)
	}
}

func TestMetricsRefused(t *testing.T) {
	t.Parallel()
	busy := try[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer busy.Close()
	for address, says := range map[string]string{
		"0.0.0.0:9100": "loopback", ":9100": "loopback", "192.0.2.1:9100": "loopback", "metrics.example:9100": "loopback",
		"unix:relative": "absolute", "9100": "host:port", busy.Addr().String(): "in use",
	} {
		checkFailure(t, testenv.MountOptions{Samba: plainSamba(t), Options: []string{"metrics=" + address}}, says)
	}
}
