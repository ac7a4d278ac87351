package integration

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
	"smbfs/smbclient/wire"

	"golang.org/x/sys/unix"
)

// TestDaemonKilledInANotification: SIGKILL in the moment in which a file is read here and its
// change, made on the server, is told. The kernel drops the file's pages and waits for that read, which
// nobody answers any more: the daemon is gone all the same, and everybody who waited is let go.
func TestDaemonKilledInANotification(t *testing.T) {
	t.Parallel()
	for _, unread := range []bool{false, true} { // a second READ waits that the daemon never read from the device
		t.Run(fmt.Sprint("unread=", unread), func(t *testing.T) {
			t.Parallel()
			s := plainSamba(t)
			dir := folder(t, s)
			must(t, os.WriteFile(s.Path(dir, "f"), make([]byte, 32<<20), 0o644))
			between := standBetween(t, s)
			m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Point: t.TempDir(), Path: "/" + dir,
				Options: []string{fmt.Sprintf("port=%d", between.Port)}})
			arm(t, testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{}), s.Path(dir))
			mapped := mapFile(t, m.Path("f"))
			held := between.holdReads()
			readers := []func() error{read(t, m.Path("f"))}
			<-held
			f := try[*os.File](t)(os.OpenFile(s.Path(dir, "f"), os.O_WRONLY, 0))
			_, err := f.WriteAt([]byte("other"), 0)
			must(t, errors.Join(err, f.Close()))
			waitUninterruptible(t, m)
			helpers := m.HelperPIDs()
			if unread {
				must(t, syscall.Kill(m.PID, syscall.SIGSTOP))
				mapped.fault(t)
				readers = append(readers, mapped.Wait)
			}
			must(t, m.Kill())
			wantNothingLeft(t, m, helpers, readers)
			_ = mapped.Process.Kill()
			_ = mapped.Wait()
			if out, err := exec.Command("timeout", "10", "fusermount3", "-u", m.Mountpoint).CombinedOutput(); err != nil {
				t.Errorf("fusermount3 -u: %v: %s", err, out)
			}
		})
	}
}

// wantNothingLeft checks what a killed daemon may not leave behind.
func wantNothingLeft(t *testing.T, m *testenv.Mounted, helpers []int, readers []func() error) {
	t.Helper()
	if !m.Process().WaitTimeout(10 * time.Second) {
		t.Errorf("the daemon %d is a zombie that cannot be reaped", m.PID)
	}
	for _, pid := range helpers {
		if !testenv.WaitUntil(10*time.Second, func() bool { return !testenv.Alive(pid) }) {
			t.Errorf("process %d outlives the daemon", pid)
		}
	}
	for _, wait := range readers {
		if err := within(t, 10*time.Second, "a reader", wait); err == nil {
			t.Error("a read that nobody answered succeeded")
		}
	}
	var err error
	dead := testenv.WaitUntil(10*time.Second, func() bool { // one that is under way when the connection ends is told ECONNABORTED
		err = within(t, 10*time.Second, "stat", func() error { _, err := os.Stat(m.Path("f")); return err })
		return errors.Is(err, syscall.ENOTCONN)
	})
	if !dead {
		t.Errorf("stat of the dead mount: %v", err)
	}
}

// read starts a process that reads a file; the function waits for its end.
func read(t *testing.T, file string) (wait func() error) {
	t.Helper()
	cmd := exec.Command("dd", "if="+file, "of=/dev/null", "bs=1M")
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd.Wait
}

// mapped is a process, this very binary, that has a file mapped into its memory. A byte of that is
// read with a READ and no other request.
type mapped struct {
	*exec.Cmd
	begin io.Writer
}

const mappedName = "integration-mapped"

func mapFile(t *testing.T, name string) *mapped {
	t.Helper()
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{mappedName, name}}
	m := &mapped{cmd, try[io.Writer](t)(cmd.StdinPipe())}
	stdout := try[io.Reader](t)(cmd.StdoutPipe())
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if _, err := io.ReadFull(stdout, make([]byte, 1)); err != nil {
		t.Fatalf("map a file: %v", err)
	}
	return m
}

// fault has the process read from the middle of the file, and returns when it waits.
func (m *mapped) fault(t *testing.T) {
	t.Helper()
	try[int](t)(m.begin.Write([]byte{0}))
	if !testenv.WaitUntil(stepTimeout, func() bool { return threadWaits(m.Process.Pid) }) {
		t.Fatal("the second read does not wait")
	}
}

// mappedMain is the process: it says that the file is mapped, waits for a byte, and reads one.
func mappedMain(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return err
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	fmt.Print(".")
	if _, err := io.ReadFull(os.Stdin, make([]byte, 1)); err != nil {
		return err
	}
	fmt.Print(data[len(data)/2])
	return nil
}

// holdReads lets no answer to a READ through from now on, and tells of the first.
func (m *middle) holdReads() <-chan struct{} {
	held := make(chan struct{}, 1)
	m.Pass(func(fromServer bool, msg []byte) []byte {
		if !isResponse(fromServer, msg, wire.CommandRead) {
			return msg
		}
		select {
		case held <- struct{}{}:
		default:
		}
		return nil
	})
	return held
}

// waitUninterruptible waits until a thread of the daemon or of its children is in a wait that
// nothing interrupts: a notification to the kernel.
func waitUninterruptible(t *testing.T, m *testenv.Mounted) {
	t.Helper()
	waits := func() bool { return slices.ContainsFunc(append(m.HelperPIDs(), m.PID), threadWaits) }
	if !testenv.WaitUntil(stepTimeout, waits) {
		t.Fatal("no notification to the kernel waits")
	}
}

// threadWaits tells whether a thread of the process is in a wait that no signal but SIGKILL ends, if any does.
func threadWaits(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return slices.ContainsFunc(threads, func(thread string) bool {
		b, _ := os.ReadFile(thread)
		return strings.Contains(string(b), ") D ") // no name here holds a parenthesis
	})
}
