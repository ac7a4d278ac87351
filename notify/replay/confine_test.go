package replay

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestConfined looks at what a running helper still has.
func TestConfined(t *testing.T) {
	r := newRig(t, 0, Config{})
	r.mustDo(Call{Op: Mkdir, Name: "d", Mode: 0o777})
	if n := r.fs.get("d"); n.mode&0o777 != 0o777 {
		t.Errorf("mode %o: the umask is not 0", n.mode)
	}
	pid := r.h.Status().Pid
	proc := "/proc/" + strconv.Itoa(pid)
	caps := fmt.Sprintf("%016x", 0)
	if os.Geteuid() == 0 {
		caps = fmt.Sprintf("%016x", keptCapabilities)
	}
	tasks, err := filepath.Glob(proc + "/task/*/status")
	if err != nil || len(tasks) < 6 {
		t.Fatalf("threads %q: %v", tasks, err)
	}
	for _, task := range tasks {
		checkThread(t, task, caps)
	}
	for link, want := range map[string]string{"cwd": "/", "fd/0": "/dev/null", "fd/1": "/dev/null"} {
		if got, err := os.Readlink(filepath.Join(proc, link)); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", link, got, err, want)
		}
	}
	checkDescriptors(t, proc, 1+4+2+4) // the control socket and one for each worker
	if sid, err := unix.Getsid(pid); err != nil || sid != pid {
		t.Errorf("session %d, %v, want one of its own", sid, err)
	}
	if env, err := os.ReadFile(proc + "/environ"); err != nil || string(env) != helperEnv[0]+"\x00" {
		t.Errorf("environment %q, %v", env, err)
	}
}

func checkThread(t *testing.T, file, caps string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	status := map[string]string{}
	for line := range strings.Lines(string(b)) {
		k, v, _ := strings.Cut(line, ":")
		status[k] = strings.TrimSpace(v)
	}
	want := map[string]string{"CapPrm": caps, "CapEff": caps, "CapInh": "0000000000000000",
		"CapAmb": "0000000000000000", "NoNewPrivs": "1"}
	if os.Geteuid() == 0 {
		want["CapBnd"] = caps
	}
	for k, v := range want {
		if status[k] != v {
			t.Errorf("%s: %s is %s, want %s", file, k, status[k], v)
		}
	}
	blocked, err1 := strconv.ParseUint(status["SigBlk"], 16, 64)
	ignored, err2 := strconv.ParseUint(status["SigIgn"], 16, 64)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	for _, s := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGHUP, unix.SIGURG,
		unix.SIGPIPE, unix.SIGALRM, unix.SIGUSR1} {
		if (blocked|ignored)&(1<<(s-1)) == 0 {
			t.Errorf("%s: %v would interrupt", file, s)
		}
	}
}

func checkDescriptors(t *testing.T, proc string, sockets int) {
	t.Helper()
	fds, err := filepath.Glob(proc + "/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		n, err := strconv.Atoi(filepath.Base(fd))
		if err != nil {
			t.Fatal(err)
		}
		target, err := os.Readlink(fd)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(target, "socket:") {
			sockets--
		} else if n > 2 && !strings.HasPrefix(target, "anon_inode:[event") { // Go's poller
			t.Errorf("descriptor %d is %s", n, target)
		}
	}
	if sockets != 0 {
		t.Errorf("%d sockets less than expected", sockets)
	}
}

// TestHoldsNothing: between calls a plain unmount is not busy.
func TestHoldsNothing(t *testing.T) {
	r := newRig(t, 0, Config{})
	for _, c := range []Call{
		{Op: Mkdir, Name: "d"}, {Op: Mknod, Dir: "d", Name: "f"}, {Op: CloseWrite, Dir: "d", Name: "f"},
		{Op: Modify, Dir: "d", Name: "f", Mtime: someTime}, {Op: Rename, Dir: "d", Name: "f", NewName: "g"},
	} {
		r.mustDo(c)
	}
	mustRun(t, "fusermount3", "-u", r.mnt)
	if err := r.do(Call{Op: Unlink, Name: "g"}); err == nil {
		t.Error("a call went through an unmounted file system")
	}
}
