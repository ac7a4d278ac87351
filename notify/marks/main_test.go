package marks

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is also the program that holds marks.
func TestMain(m *testing.M) {
	if os.Args[0] == holderName {
		if err := holderMain(); err != nil {
			fmt.Fprintln(os.Stderr, holderName+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const holderName = "marks-test-holder"

// holderMain does what each line says and answers it with a line, until its input ends.
func holderMain() error {
	h := newHolds()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		answer := "ok"
		verb, path, _ := strings.Cut(in.Text(), " ")
		if err := h.do(verb, path); err != nil {
			answer = verb + " " + path + ": " + err.Error()
		}
		fmt.Println(answer)
	}
	return nil
}

// holds are the marks of one process.
type holds struct {
	inotify, fanotify int
	wds               map[string]int
}

func newHolds() *holds { return &holds{-1, -1, map[string]int{}} }

func (h *holds) do(verb, path string) (err error) {
	switch verb {
	case "watch":
		return h.watch(path)
	case "unwatch":
		_, err = unix.InotifyRmWatch(h.inotify, uint32(h.wds[path]))
		return err
	case "fanotify":
		return h.mark(path, 0)
	case "fanotify-mount":
		return h.mark(path, unix.FAN_MARK_MOUNT)
	case "fanotify-filesystem":
		return h.mark(path, unix.FAN_MARK_FILESYSTEM)
	case "ignore":
		return h.mark(path, unix.FAN_MARK_IGNORED_MASK)
	case "nobody":
		return becomeNobody()
	case "scan":
		return scanAs(path)
	case "nothing":
		return nil
	case "close":
		unix.Close(h.inotify)
		unix.Close(h.fanotify)
		*h = *newHolds()
		return nil
	}
	return fmt.Errorf("what is %q", verb)
}

func (h *holds) watch(path string) (err error) {
	if h.inotify < 0 {
		if h.inotify, err = unix.InotifyInit1(unix.IN_CLOEXEC); err != nil {
			return err
		}
	}
	h.wds[path], err = unix.InotifyAddWatch(h.inotify, path, unix.IN_ALL_EVENTS)
	return err
}

func (h *holds) mark(path string, flags uint) (err error) {
	if h.fanotify < 0 {
		if h.fanotify, err = unix.FanotifyInit(unix.FAN_CLOEXEC|unix.FAN_CLASS_NOTIF, unix.O_RDONLY); err != nil {
			return err
		}
	}
	return unix.FanotifyMark(h.fanotify, unix.FAN_MARK_ADD|flags, unix.FAN_CLOSE_WRITE, unix.AT_FDCWD, path)
}

// becomeNobody gives up root, and keeps what of it is in memory readable to itself.
func becomeNobody() error {
	const nobody = 65534 // the kernel's overflow id
	if os.Geteuid() != 0 {
		return nil
	}
	if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
		return err
	}
	return syscall.Setresuid(nobody, nobody, nobody)
}

// scanAs scans for "DEVICE NODE NODE …" and wants exactly these nodes.
func scanAs(args string) error {
	fields := strings.Fields(args)
	device, err := strconv.ParseUint(fields[0], 10, 64)
	if err != nil {
		return err
	}
	s, err := New(device, Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	r, err := s.scanNow()
	if err != nil {
		return err
	}
	if got := strings.Trim(fmt.Sprint(r.Added), "[]"); got != strings.Join(fields[1:], " ") {
		return fmt.Errorf("it sees %s", got)
	}
	if r.Stats.Unreadable == 0 {
		return fmt.Errorf("it can read all %d processes", r.Stats.Processes)
	}
	return nil
}

// child is a holder.
type child struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Reader
	end func()
}

func startHolder(t testing.TB) *child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args[0] = holderName
	cmd.Stderr = os.Stderr
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd, in: in, out: bufio.NewReader(out)}
	ended := false
	c.end = func() {
		if !ended {
			ended = true
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	t.Cleanup(c.end)
	return c
}

func (c *child) do(verb, path string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, verb+" "+path+"\n"); err != nil {
		c.t.Fatal(err)
	}
	answer := make(chan string, 1)
	go func() {
		s, err := c.out.ReadString('\n')
		if err != nil {
			s = err.Error()
		}
		answer <- strings.TrimSpace(s)
	}()
	select {
	case s := <-answer:
		if s != "ok" {
			c.t.Fatalf("%s %s: %s", verb, path, s)
		}
	case <-time.After(limit):
		c.t.Fatalf("%s %s: no answer", verb, path)
	}
}
