package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"smbfs/integration/testenv"
)

const asDemo = "SMBFS_TEST_AS_DEMO"

// TestMain lets the test program be the demo, so that it can be run to its end, interrupted, and cut off.
func TestMain(m *testing.M) {
	if os.Getenv(asDemo) != "" {
		main()
	}
	code := m.Run()
	testenv.CleanUp()
	os.Exit(code)
}

// demoCommand runs with a temporary folder of its own, in which nothing may be left.
func demoCommand(t *testing.T, local bool) (cmd *exec.Cmd, tmp string) {
	t.Helper()
	tmp, err := os.MkdirTemp("", "demo") // short: it holds Samba's sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	cmd = exec.Command("/proc/self/exe")
	if local {
		cmd.Args = append(cmd.Args, "-local")
	}
	cmd.Env = append(os.Environ(), asDemo+"=1", "TMPDIR="+tmp)
	if !local {
		bin, err := testenv.Binary()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env, testenv.BinaryEnv+"="+bin)
	}
	return cmd, tmp
}

func checkClean(t *testing.T, tmp string) {
	t.Helper()
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left in its temporary folder: %v, %v", left, err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || bytes.Contains(mounts, []byte(tmp)) {
		t.Errorf("still mounted below %s, %v:\n%s", tmp, err, mounts)
	}
	procs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(procs) == 0 {
		t.Fatal("cannot see processes", err)
	}
	for _, p := range procs {
		if b, err := os.ReadFile(p); err == nil && bytes.Contains(b, []byte(tmp)) {
			t.Errorf("still running: %s %q", p, b)
		}
	}
}

var modes = map[string]bool{"mount": false, "local": true}

func TestDemoShowsEveryEvent(t *testing.T) {
	for name, local := range modes {
		t.Run(name, func(t *testing.T) {
			cmd, tmp := demoCommand(t, local)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
			for _, s := range story {
				if !strings.Contains(string(out), s.title) {
					t.Errorf("%q is not shown:\n%s", s.title, out)
				}
			}
			if !strings.Contains(string(out), " 0 missing") {
				t.Errorf("%s", out)
			}
			table, _, _ := strings.Cut(string(out), "\n\n14")
			_, table, _ = strings.Cut(table, "change made")
			for line := range strings.Lines(table) {
				if len(line) > 100 {
					t.Errorf("wider than 100: %s", line)
				}
			}
			checkClean(t, tmp)
		})
	}
}

// TestDemoCleansUp ends the demo in the middle, by each way it can be ended.
func TestDemoCleansUp(t *testing.T) {
	for name, local := range modes {
		for _, end := range []string{"SIGINT", "SIGTERM", "output closed"} {
			t.Run(name+"/"+end, func(t *testing.T) {
				cmd, tmp := demoCommand(t, local)
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				waitOutput(t, out, story[1].title, &stderr)
				want := exitInterrupted
				switch end {
				case "SIGINT":
					_ = cmd.Process.Signal(unix.SIGINT)
				case "SIGTERM":
					_ = cmd.Process.Signal(unix.SIGTERM)
				default:
					want = exitMissing
					out.Close()
				}
				limit := time.AfterFunc(60*time.Second, func() { _ = cmd.Process.Kill() })
				_, _ = io.Copy(io.Discard, out)
				_ = cmd.Wait()
				limit.Stop()
				if code := cmd.ProcessState.ExitCode(); code != want {
					t.Errorf("exit code %d, want %d: %s", code, want, stderr.String())
				}
				checkClean(t, tmp)
			})
		}
	}
}

// waitOutput reads until the text has come.
func waitOutput(t *testing.T, r io.Reader, text string, stderr *bytes.Buffer) {
	t.Helper()
	var got []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(got, []byte(text)) {
		n, err := r.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			t.Fatalf("%q did not come, %v:\n%s%s", text, err, got, stderr.String())
		}
	}
}

// TestMissingEvent: an event that does not come is shown and counted.
func TestMissingEvent(t *testing.T) {
	var out bytes.Buffer
	p := &printer{out: &out}
	at := time.Now()
	s := step{title: "touch x", want: []want{{created, "x"}, {came | created, "y"}}}
	events := []testenv.Event{{Time: at.Add(1500 * time.Microsecond), Mask: created, Dir: ".", Name: "x"}}
	if n := p.step(s, at, events); n != 1 {
		t.Errorf("%d missing", n)
	}
	for _, says := range []string{"touch x", "CREATE x", "1.50 ms", "MISSING: MOVED_TO or CREATE y"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("%q is missing in:\n%s", says, out.String())
		}
	}
}
