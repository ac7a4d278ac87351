package health

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// source is a Source with a fixed status.
type source struct{ Recorder }

func (*source) Status() Status { return someStatus() }

const point = "/mnt/media"

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serveIn serves in a new directory until the test ends.
func serveIn(t *testing.T) (dir string, src *source, log *lockedBuffer) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "smbfs")
	src, log = new(source), new(lockedBuffer)
	s, err := Serve(dir, point, src, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return dir, src, log
}

// converse sends a line and returns a reader of the answer.
func converse(t *testing.T, dir, line string) (*net.UnixConn, *bufio.Scanner) {
	t.Helper()
	c, err := dial(dir, point, os.Geteuid())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(line + "\n")); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewScanner(c)
}

func next(t *testing.T, lines *bufio.Scanner) response {
	t.Helper()
	var r response
	if !lines.Scan() {
		t.Fatalf("the daemon hung up: %v", lines.Err())
	}
	if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStatusOverTheSocket(t *testing.T) {
	dir, _, _ := serveIn(t)
	_, lines := converse(t, dir, `{"op":"status"}`)
	r := next(t, lines)
	if r.Status == nil || r.Status.Text() != func() string { s := someStatus(); return s.Text() }() {
		t.Errorf("%+v", r)
	}
	if lines.Scan() {
		t.Errorf("there is more: %s", lines.Text())
	}
}

func TestBadRequests(t *testing.T) {
	dir, _, _ := serveIn(t)
	for _, line := range []string{"", "x", "[]", `{"op":"reboot"}`, `{"op":1}`, `{"op":"` + strings.Repeat("x", 2*maxRequest) + `"}`} {
		c, lines := converse(t, dir, line)
		// What the server did not read of an endless line resets the connection.
		if lines.Scan() {
			var r response
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil || r.Error == "" {
				t.Errorf("%.40q: %s", line, lines.Bytes())
			}
		} else if len(line) < maxRequest {
			t.Errorf("%.40q: no answer, %v", line, lines.Err())
		}
		c.Close()
	}
}

func TestModes(t *testing.T) {
	dir, _, _ := serveIn(t)
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, filepath.Join(dir, SocketName(point)): os.ModeSocket | 0o600} {
		if st, err := os.Lstat(path); err != nil || st.Mode() != want {
			t.Errorf("%s: %v, %v", path, st.Mode(), err)
		}
	}
}

func TestUnsafeDirectories(t *testing.T) {
	nobody := lookupNobody(t)
	for name, prepare := range map[string]func(parent, dir string) error{
		"symbolic link": func(parent, dir string) error {
			if err := os.Mkdir(parent+"/else", 0o700); err != nil {
				return err
			}
			return os.Symlink(parent+"/else", dir)
		},
		"file":            func(_, dir string) error { return os.WriteFile(dir, nil, 0o600) },
		"somebody else's": func(_, dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, nobody, nobody)) },
		"parent open to all": func(parent, _ string) error {
			return os.Chmod(parent, 0o777)
		},
		"something that is no socket": func(_, dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(filepath.Join(dir, SocketName(point)), 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "smbfs")
			if err := prepare(parent, dir); err != nil {
				t.Fatal(err)
			}
			s, err := Serve(dir, point, new(source), slog.New(slog.DiscardHandler))
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, ErrUnsafe) {
				t.Errorf("%v", err)
			}
		})
	}
}

func lookupNobody(t *testing.T) int {
	t.Helper()
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A daemon that was killed leaves its socket; the next one of the mount replaces it. One whose mount is buried under another
// does not take the other's socket away at its end.
func TestStaleAndBuried(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "smbfs")
	log := slog.New(slog.DiscardHandler)
	first, err := Serve(dir, point, new(source), log)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Serve(dir, point, new(source), log)
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	_, lines := converse(t, dir, `{"op":"status"}`)
	if r := next(t, lines); r.Status == nil {
		t.Errorf("%+v", r)
	}
	second.Close()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
	if _, err := dial(dir, point, os.Geteuid()); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("%v", err)
	}
}

// askerEnv makes the test program a client for whom the directory does not count.
const askerEnv = "SMBFS_HEALTH_TEST_ASK"

func TestMain(m *testing.M) {
	path := os.Getenv(askerEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		_, _ = c.Write([]byte(`{"op":"status"}` + "\n"))
		_, err = bufio.NewReader(c).WriteTo(os.Stdout)
	}
	if err != nil {
		os.Stdout.WriteString(err.Error())
	}
}

// asNobody runs this program as nobody, asking at path.
func asNobody(t *testing.T, path string) string {
	t.Helper()
	id := uint32(lookupNobody(t))
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{askerEnv + "=" + path}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// Another user comes to no socket; and to one that lies open all the same, gets no answer.
func TestAnotherUser(t *testing.T) {
	dir, _, log := serveIn(t)
	socket := filepath.Join(dir, SocketName(point))
	for p := filepath.Dir(dir); p != os.TempDir() && len(p) > 1; p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got := asNobody(t, socket); !strings.Contains(got, "permission denied") {
		t.Errorf("through a closed directory: %s", got)
	}
	if err := errors.Join(os.Chmod(dir, 0o777), os.Chmod(socket, 0o666)); err != nil {
		t.Fatal(err)
	}
	got := asNobody(t, socket)
	if !strings.Contains(got, "owner and root") || strings.Contains(got, "media") {
		t.Errorf("through an open one: %s", got)
	}
	if !strings.Contains(log.String(), "another user") {
		t.Errorf("the log says nothing of it: %s", log.String())
	}
}

// A server that is neither the mount's owner's nor root's is not listened to.
func TestImpostor(t *testing.T) {
	dir, _, _ := serveIn(t)
	nobody := lookupNobody(t)
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if _, err := dial(dir, point, os.Geteuid()); !errors.Is(err, ErrUnsafe) {
		t.Errorf("%v", err)
	}
}

func TestWatchUntilUnmounted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "smbfs")
	src := new(source)
	s, err := Serve(dir, point, src, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, lines := converse(t, dir, `{"op":"watch","below":"a/b"}`)
	if r := next(t, lines); !r.Ready {
		t.Fatalf("%+v", r)
	}
	for _, p := range []string{"a/bb", "a/b/c", "a", "x"} {
		src.publish(&Event{Path: p})
	}
	src.publish(&Event{Path: "x", To: "a/b"})
	for _, want := range []string{"a/b/c", "x"} {
		if r := next(t, lines); r.Event == nil || r.Event.Path != want {
			t.Errorf("%+v, want %s", r, want)
		}
	}
	s.Close()
	if r := next(t, lines); r.Notice != "unmounted" {
		t.Errorf("%+v", r)
	}
}

// A client that does not read is sent away; whoever publishes does not wait for it.
func TestSlowClient(t *testing.T) {
	dir, src, log := serveIn(t)
	_, lines := converse(t, dir, `{"op":"watch"}`)
	if r := next(t, lines); !r.Ready {
		t.Fatalf("%+v", r)
	}
	e := Event{Path: strings.Repeat("x", 200)}
	published := 0
	for src.watched() {
		src.publish(&e)
		if published++; published > 1_000_000 {
			t.Fatal("a million events wait for a client that does not read")
		}
	}
	got := 0
	for {
		r := next(t, lines)
		if r.Notice != "" {
			break
		}
		got++
	}
	if got >= published {
		t.Errorf("%d of %d events came, and yet it was too slow", got, published)
	}
	for limit := time.Now().Add(10 * time.Second); !strings.Contains(log.String(), "too slow"); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("the log says: %s", log.String())
		}
	}
}

func (r *Recorder) watched() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.subs) > 0
}

// A client that hangs up is forgotten.
func TestHangUp(t *testing.T) {
	dir, src, _ := serveIn(t)
	c, lines := converse(t, dir, `{"op":"watch"}`)
	if r := next(t, lines); !r.Ready || !src.watched() {
		t.Fatalf("%+v", r)
	}
	c.Close()
	for limit := time.Now().Add(10 * time.Second); src.watched(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("the daemon goes on for a client that has gone")
		}
	}
}

func TestTooManyClients(t *testing.T) {
	dir, _, _ := serveIn(t)
	for range maxClients {
		_, lines := converse(t, dir, `{"op":"watch"}`)
		next(t, lines)
	}
	c, err := dial(dir, point, os.Geteuid())
	if err != nil && !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, ErrUnsafe) {
		t.Fatal(err)
	}
	if err == nil {
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%d bytes for one client too many", n)
		}
	}
}

func TestAskNobody(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if _, err := Ask(context.Background(), "/nowhere/at/all", os.Geteuid()); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("%v", err)
	}
}
