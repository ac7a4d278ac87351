package integration

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"

	"smbfs/health"
	"smbfs/integration/testenv"
)

// durableSamba keeps opens for clients that are gone: these three settings are what Samba wants for it.
func durableSamba(t *testing.T) *testenv.Samba {
	t.Helper()
	return testenv.MustSamba(t, testenv.Options{Share: []string{"kernel oplocks = no", "kernel share modes = no", "posix locking = no"}})
}

// through mounts the server by way of a proxy.
func through(t *testing.T, s *testenv.Samba, options ...string) (*testenv.Mounted, *testenv.Proxy) {
	t.Helper()
	p := testenv.MustProxy(t, s)
	options = append([]string{fmt.Sprint("port=", p.Port())}, options...)
	return testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: options}), p
}

// reconnected waits until both connections have come back at least n times, and returns the status.
func reconnected(t *testing.T, m *testenv.Mounted, n int) (st health.Status) {
	t.Helper()
	if !testenv.WaitUntil(stepTimeout, func() bool {
		st = statusInOutage(t, m)
		for _, c := range st.Connections {
			if !c.Up || c.Reconnects < n {
				return false
			}
		}
		return true
	}) {
		t.Fatalf("the connections have not come back: %+v", st.Connections)
	}
	return st
}

// TestLossIsTold: what was written and did not reach the server before it was out of reach for too long is reported, by close and by fsync.
func TestLossIsTold(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	m, p := through(t, s, "echo_interval=1", "retrans=1")
	h, names := startHolder(t, m), []string{"close", "fsync"}
	for _, name := range names {
		must(t, h.create(name))
	}
	p.Set(testenv.Faults{Drop: true})
	for _, name := range names {
		must(t, h.write(name, 0, "held back")) // under the lease: the server is not waited for
	}
	p.Refuse(true)
	p.Reset()
	if err := within(t, stepTimeout, "close", func() error { return h.close("close") }); err == nil {
		t.Error("close says nothing of what never reached the server")
	}
	if err := within(t, stepTimeout, "fsync", func() error { return h.sync("fsync") }); err == nil {
		t.Error("fsync says nothing of what never reached the server")
	}
	p.Set(testenv.Faults{})
	p.Refuse(false)
	reconnected(t, m, 1)
	for _, name := range names {
		wantContent(t, s.Path(name), "")
		must(t, os.WriteFile(m.Path(name), []byte("again"), 0o644))
		wantContent(t, s.Path(name), "again")
	}
}

// TestOpenFilesSurviveReset: a writer and a reader go on over broken connections, and what they have open is what they had open.
func TestOpenFilesSurviveReset(t *testing.T) {
	t.Parallel()
	s := durableSamba(t)
	const size, piece, cuts = 24 << 20, 64 << 10, 4
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	must(t, os.WriteFile(s.Path("read"), content, 0o644))
	m, p := through(t, s)

	reader := try[*os.File](t)(os.Open(m.Path("read")))
	defer reader.Close()
	writer := try[*os.File](t)(os.Create(m.Path("written")))
	defer writer.Close()
	sum := sha256.New()
	buf := make([]byte, piece)
	for i := 0; i < size/piece; i++ {
		if i%(size/piece/cuts) == size/piece/cuts/2 {
			if p.Reset() == 0 {
				t.Error("there was no connection to break")
			}
		}
		if _, err := writer.Write(content[i*piece : (i+1)*piece]); err != nil {
			t.Fatalf("write %d: %v", i, err)
		}
		if _, err := io.ReadFull(reader, buf); err != nil {
			t.Fatalf("read %d: %v", i, err)
		}
		sum.Write(buf)
	}
	must(t, writer.Sync())
	must(t, writer.Close())
	want := sha256.Sum256(content)
	if !bytes.Equal(sum.Sum(nil), want[:]) {
		t.Error("what was read is not what is there")
	}
	if got := sha256.Sum256(try[[]byte](t)(os.ReadFile(s.Path("written")))); got != want {
		t.Error("what was written is not what is there")
	}
	st := reconnected(t, m, 1)
	t.Logf("connections %+v, files %+v", st.Connections, st.Files)
	if f := st.Files; f.Reconnected < 2 || f.Reopened != 0 || f.Lost != 0 {
		t.Errorf("open files: %+v, want all taken up again", f)
	}
}

// TestServerKilledAndRestarted: a server that was killed has kept nothing. Files are opened again by name; what had not been flushed and is not
// there any more is reported once, a file that is another one now is lost to who had it open, and all else goes on.
func TestServerKilledAndRestarted(t *testing.T) {
	t.Parallel()
	s := durableSamba(t)
	m, _ := through(t, s)
	names := []string{"flushed", "kept", "lost", "replaced"}
	for _, name := range names {
		must(t, os.WriteFile(s.Path(name), []byte("begin "), 0o644))
	}
	shown(t, m.Mountpoint, s.Dir)
	h := startHolder(t, m)
	for _, name := range names {
		must(t, h.open(name))
		must(t, h.write(name, 6, "first "))
	}
	must(t, h.sync("flushed"))
	for _, name := range names {
		if !testenv.WaitUntil(stepTimeout, func() bool { return string(try[[]byte](t)(os.ReadFile(s.Path(name)))) == "begin first " }) {
			t.Fatalf("%s never reaches the server", name)
		}
	}
	s.Kill()
	must(t, os.WriteFile(s.Path("new"), []byte("another"), 0o644))
	must(t, os.Rename(s.Path("new"), s.Path("replaced")))
	must(t, os.WriteFile(s.Path("lost"), []byte("begin "), 0o644)) // as after a crash
	must(t, s.Restart())
	reconnected(t, m, 1)

	for _, name := range []string{"flushed", "kept", "lost"} {
		if err := h.write(name, 12, "second"); err != nil {
			t.Errorf("write to %s after the restart: %v", name, err)
		}
	}
	if err := h.write("replaced", 12, "second"); !errors.Is(err, syscall.ESTALE) {
		t.Errorf("a write to a file that is gone: %v", err)
	}
	if err := h.close("lost"); !errors.Is(err, syscall.EIO) {
		t.Errorf("close of a file whose content a dead server had taken and lost: %v", err)
	}
	for _, name := range []string{"flushed", "kept"} {
		if err := h.sync(name); err != nil {
			t.Errorf("fsync of %s: %v", name, err)
		}
	}
	if err := h.sync("lost"); err == nil {
		t.Error("fsync says nothing of a write that a dead server had taken and lost")
	}
	if err := h.sync("lost"); err != nil {
		t.Errorf("it is said once; the next fsync: %v", err)
	}
	for name, want := range map[string]string{"flushed": "begin first second", "kept": "begin first second", "lost": "begin \x00\x00\x00\x00\x00\x00second", "replaced": "another"} {
		wantContent(t, s.Path(name), want)
	}
	if f := statusOf(t, m).Files; f.Reopened != 3 || f.Lost != 1 {
		t.Errorf("open files: %+v, want three opened again and one lost", f)
	}
}
