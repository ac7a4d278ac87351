package integration

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// TestLazyUnmount: a mount that was detached with a file open goes on being served, and everything ends when
// the file is closed; by umount -l, and by SIGTERM, which detaches what is in use.
func TestLazyUnmount(t *testing.T) {
	t.Parallel()
	for name, detach := range map[string]func(m *testenv.Mounted) error{
		"fusermount3 -uz": func(m *testenv.Mounted) error {
			return exec.Command("fusermount3", "-u", "-z", m.Mountpoint).Run()
		},
		"SIGTERM": func(m *testenv.Mounted) error { return syscall.Kill(m.PID, syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := plainSamba(t)
			dir := folder(t, s)
			m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Point: t.TempDir(), Path: "/" + dir})
			f := try[*os.File](t)(os.Create(m.Path("f")))
			defer f.Close()
			processes := append(m.HelperPIDs(), m.PID)
			must(t, detach(m))
			if !testenv.WaitUntil(10*time.Second, func() bool { return !testenv.IsMounted(m.Mountpoint) }) {
				t.Fatal("still in the mount table")
			}
			try[int](t)(f.WriteString("written after the end"))
			must(t, f.Sync())
			if back, err := os.ReadFile(s.Path(dir, "f")); err != nil || string(back) != "written after the end" {
				t.Errorf("the server has %q, %v", back, err)
			}
			if !testenv.Alive(m.PID) {
				t.Error("the daemon has ended with a file open")
			}
			must(t, f.Close())
			for _, pid := range processes {
				if !testenv.WaitUntil(15*time.Second, func() bool { return !testenv.Alive(pid) }) {
					t.Errorf("process %d is left", pid)
				}
			}
		})
	}
}

// TestReadyMeansMounted: at READY=1 the mount works, and its status says where it stands.
func TestReadyMeansMounted(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	must(t, os.WriteFile(s.Path(dir, "f"), []byte("hello"), 0o644))
	address := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"}
	manager := try[*net.UnixConn](t)(net.ListenUnixgram("unixgram", address))
	defer manager.Close()
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + dir, Env: []string{"NOTIFY_SOCKET=" + address.Name}})
	message := func() string {
		must(t, manager.SetReadDeadline(time.Now().Add(stepTimeout)))
		b := make([]byte, 4096)
		return string(b[:try[int](t)(manager.Read(b))])
	}
	if got := message(); got != "READY=1" {
		t.Fatalf("first message %q", got)
	}
	wantContent(t, m.Path("f"), "hello")
	if got := message(); !strings.HasPrefix(got, "STATUS=//127.0.0.1/share/"+dir+": connected") {
		t.Errorf("second message %q", got)
	}
	must(t, syscall.Kill(m.PID, syscall.SIGTERM))
	if got := message(); !strings.HasPrefix(got, "STOPPING=1\n") {
		t.Errorf("last message %q", got)
	}
}
