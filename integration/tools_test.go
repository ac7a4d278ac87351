package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// A program is something that people watch folders with. What it prints is kept.
type program struct {
	name    string
	install string // how to get it on Debian, for the failure's message
	command func(root string, dirs []string) *exec.Cmd
	leave   []string // lines with these words are not compared: not changes, or of no kind that all its releases print
}

// Debian's packages, not what a user may have put in front of them.
const (
	debianPython = "/usr/bin/python3"
	debianNode   = "NODE_PATH=/usr/share/nodejs"
)

var programs = []program{
	{"gio", "libglib2.0-bin", func(_ string, dirs []string) *exec.Cmd {
		return exec.Command("gio", append([]string{"monitor"}, dirs...)...)
	}, nil},
	{"fsnotify", "", func(root string, _ []string) *exec.Cmd {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), fsnotifyEnv+"="+root)
		return cmd
	}, nil},
	{"chokidar", "nodejs node-chokidar", func(root string, _ []string) *exec.Cmd {
		cmd := exec.Command("node", "testdata/print_chokidar.js", root)
		cmd.Env = append(os.Environ(), debianNode)
		return cmd
	}, nil},
	{"watchdog", "python3-watchdog", func(root string, _ []string) *exec.Cmd {
		return exec.Command(debianPython, "testdata/print_watchdog.py", root)
	}, []string{"opened", "closed_no_write"}},
	// An import folder: what has been written is taken up at once, and must be whole then.
	{"inotifywait", "inotify-tools", func(root string, _ []string) *exec.Cmd {
		return exec.Command("sh", "-c", `inotifywait -q -m -r -e close_write --format %w%f "$1" | while read -r f; do echo "$f $(cat "$f")"; done`, "sh", root)
	}, nil},
}

// What happens on the server, in front of programs that watch top and top/d; new directories are followed by those that do such things.
// A file is made empty and written to in a step of its own: between the two, chokidar's own look at the file is a matter of luck.
var (
	toolSetup = []string{"mkdir d", "write d/old hello", "write keep hello"}
	toolSteps = []string{
		"write f", "append f hello", "append f more", "mv f g", "mv g d/g", // a document, filed
		"write d/old goodbye", "chmod 0444 d/old",
		"write keep.tmp", "append keep.tmp new", "mv keep.tmp keep", // an editor saves
		"mkdir e", "write e/h", "append e/h hello", "mv e/h e/i", "rm e/i", "rmdir e",
		"rm d/g",
	}
)

// toolQuiet is how long a program must print nothing to have said all of a step: chokidar waits a tenth of a second for a removed name to come
// back, GLib holds back repeated changes.
const toolQuiet = 700 * time.Millisecond

// TestTools: a program that watches the mount prints what it prints on a local folder when the same is done there.
func TestTools(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			local, dir := t.TempDir(), folder(t, s)
			for _, step := range toolSetup {
				must(t, runStep(folderActor(local), step))
				must(t, runStep(folderActor(s.Path(dir)), step))
			}
			shown(t, m.Path(dir), s.Path(dir))
			onLocal, onMount := p.start(t, local, local), p.start(t, m.Path(dir), s.Path(dir))
			for _, step := range toolSteps {
				start := time.Now()
				must(t, runStep(folderActor(local), step))
				must(t, runStep(folderActor(s.Path(dir)), step))
				onLocal.quiet(t, start)
				want := onLocal.lines()
				if !testenv.WaitUntil(stepTimeout, func() bool { return len(onMount.lines()) >= len(want) }) {
					t.Errorf("after %q: it does not print what it does on a local folder", step)
					break
				}
				onMount.quiet(t, start)
			}
			if got, want := onMount.lines(), onLocal.lines(); !slices.Equal(got, want) || len(want) == 0 {
				t.Errorf("printed:\n  %s\non a local folder:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}

// printed is a program that runs, and what it has printed since it was found to watch.
type printed struct {
	program program
	root    string

	mu   sync.Mutex
	text strings.Builder // guarded by mu
	last time.Time       // guarded by mu: of the last output
	from int             // lines that are not counted
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
	return p.text.Write(b)
}

// start runs a program on a folder, and returns when it has printed what was done on the server in each directory.
func (p program) start(t *testing.T, root, server string) *printed {
	t.Helper()
	out := &printed{program: p, root: root, last: time.Now()}
	cmd := p.command(root, []string{root, filepath.Join(root, "d")})
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: install it with `apt-get install %s`", err, p.install)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); <-ended })
	for _, d := range []string{"", "d"} {
		out.probe(t, filepath.Join(server, d), ended)
	}
	out.quiet(t, time.Now())
	out.from = len(out.lines())
	return out
}

// probe makes files until the program prints one, and removes them.
func (p *printed) probe(t *testing.T, server string, ended <-chan struct{}) {
	t.Helper()
	var made []string
	for i := 0; ; i++ {
		name := fmt.Sprintf("probe-%s-%d", filepath.Base(server), i)
		made = append(made, filepath.Join(server, name))
		must(t, os.WriteFile(made[i], nil, 0o644))
		if testenv.WaitUntil(2*time.Second, func() bool { return p.has(name) }) {
			break
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended; install it with `apt-get install %s`:\n%s", p.program.name, p.program.install, p.all())
		default:
		}
		if i > 10 {
			t.Fatalf("%s does not watch %s:\n%s", p.program.name, server, p.all())
		}
	}
	for _, file := range made {
		must(t, os.Remove(file))
	}
}

func (p *printed) all() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func (p *printed) has(text string) bool { return strings.Contains(p.all(), text) }

// quiet waits until nothing has been printed for a while after start.
func (p *printed) quiet(t *testing.T, start time.Time) {
	t.Helper()
	silent := func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return min(time.Since(p.last), time.Since(start)) >= toolQuiet
	}
	if !testenv.WaitUntil(stepTimeout, silent) {
		t.Fatalf("%s goes on printing:\n%s", p.program.name, p.all())
	}
}

// lines are the changes printed so far, with paths relative to the root, runs of the same line as one, without what probe made.
func (p *printed) lines() []string {
	var out []string
	for line := range strings.Lines(p.all()) {
		line = strings.TrimRight(strings.ReplaceAll(line, p.root, "TOP"), "\n ")
		left := slices.ContainsFunc(p.program.leave, func(word string) bool { return strings.HasPrefix(line, word) })
		if line != "" && !left && !strings.Contains(line, "/probe-") && (len(out) == 0 || out[len(out)-1] != line) {
			out = append(out, line)
		}
	}
	return out[min(p.from, len(out)):]
}
