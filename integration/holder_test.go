package integration

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// holderName is the name under which this program is one that holds written files open while their server is away. This process must not: each of its
// children, between fork and exec, closes what it has inherited, waits as close(2) does for that server, and keeps all other tests' files open.
const holderName = "integration-holder"

// holder is the program, as the tests see it. It is not used concurrently.
type holder struct {
	in  io.Writer
	out io.Reader
}

// startHolder starts the program, which ends with the test.
func startHolder(t *testing.T, m *testenv.Mounted) *holder {
	t.Helper()
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{holderName, m.Mountpoint}, Stderr: os.Stderr}
	in, out := try[io.WriteCloser](t)(cmd.StdinPipe()), try[io.ReadCloser](t)(cmd.StdoutPipe())
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &holder{in, out}
}

// do has the program carry out: "open" and "create" of a file, which stays open; "write" of text at an offset; "sync"; "close", of a copy of the
// descriptor, which is a close(2) as any other. Its error is a syscall.Errno where the program's system call failed.
func (h *holder) do(op, name string, at int64, text string) error {
	if _, err := fmt.Fprintf(h.in, "%s %q %d %q\n", op, name, at, text); err != nil {
		return err
	}
	var errno int
	if _, err := fmt.Fscanln(h.out, &errno); err != nil {
		return fmt.Errorf("%s %s: the program has no answer: %w", op, name, err)
	}
	if errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}

func (h *holder) open(name string) error   { return h.do("open", name, 0, "") }
func (h *holder) create(name string) error { return h.do("create", name, 0, "") }
func (h *holder) write(name string, at int64, text string) error {
	return h.do("write", name, at, text)
}
func (h *holder) sync(name string) error  { return h.do("sync", name, 0, "") }
func (h *holder) close(name string) error { return h.do("close", name, 0, "") }

// holderMain is the program.
func holderMain(dir string) error {
	if err := os.Chdir(dir); err != nil {
		return err
	}
	open := map[string]int{}
	in := bufio.NewReader(os.Stdin)
	for {
		var op, name, text string
		var at int64
		if _, err := fmt.Fscanf(in, "%s %q %d %q\n", &op, &name, &at, &text); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		var err error
		switch op {
		case "open":
			open[name], err = unix.Open(name, unix.O_RDWR|unix.O_CLOEXEC, 0)
		case "create":
			open[name], err = unix.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o644)
		case "write":
			_, err = unix.Pwrite(open[name], []byte(text), at)
		case "sync":
			err = unix.Fsync(open[name])
		case "close":
			var fd int
			if fd, err = unix.Dup(open[name]); err == nil {
				err = unix.Close(fd)
			}
		default:
			err = unix.ENOSYS
		}
		errno, _ := err.(syscall.Errno)
		fmt.Println(int(errno))
	}
}
