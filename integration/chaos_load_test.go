package integration

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// load is what goes on while faults happen. What has files of the mount open is a process of its own: this one starts the server
// again, and a child that is on its way from fork to exec closes the files that it has inherited, for which the server would have to be there.
type load struct {
	c        *chaos
	watchers map[string]*testenv.Watcher // by folder
	process  *exec.Cmd
	stdin    io.Closer
	result   bytes.Buffer // what the process says at its end; valid when it has ended
	did      chaosWork

	quit    chan struct{}
	wg      sync.WaitGroup
	changes int // on the server
}

// chaosWork is what the process did.
type chaosWork struct {
	Writers           []*chaosWriter
	Reads, ReadErrors int
	Corrupt           string // a read that gave what is not there
}

// chaosFolders are where the server's own programs work and the watchers watch.
var chaosFolders = []string{"one", "two"}

const (
	chaosStatic = 4 << 20
	chaosRecord = 8 << 10
	chaosFiles  = 500 // there are at most so many in the folders
	// chaosCalm is how long everything may take to be as it should, once the last fault is over.
	chaosCalm = 90 * time.Second
	// chaosRecovery is how long a writer may wait for its answer beyond the faults: the loss is noticed, the server is dialled, with a pause
	// of some seconds, files are taken up again, and what was in flight is sent once more.
	chaosRecovery = 45 * time.Second
)

func startLoad(t *testing.T, c *chaos) *load {
	t.Helper()
	l := &load{c: c, watchers: map[string]*testenv.Watcher{}, quit: make(chan struct{})}
	for _, dir := range chaosFolders {
		must(t, os.Mkdir(c.m.Path(dir), 0o755))
		l.watchers[dir] = testenv.MustWatch(t, testenv.WatchInotify, c.m.Path(dir), testenv.WatchOptions{})
	}
	must(t, os.WriteFile(c.samba.Path("static"), pattern(0, chaosStatic), 0o644))
	if !testenv.WaitUntil(stepTimeout, func() bool { st, err := os.Stat(c.m.Path("static")); return err == nil && st.Size() == chaosStatic }) {
		t.Fatal("the mount does not show the file to read")
	}
	l.process = &exec.Cmd{Path: "/proc/self/exe", Args: []string{chaosName, c.m.Mountpoint}, Stdout: &l.result, Stderr: os.Stderr}
	l.stdin = try[io.WriteCloser](t)(l.process.StdinPipe())
	must(t, l.process.Start())
	t.Cleanup(func() { _ = l.process.Process.Kill() })
	l.wg.Go(l.change)
	return l
}

// chaosName is the process's.
const chaosName = "integration-chaos"

// chaosMain is the process: it works on the mount until its standard input ends.
func chaosMain(mount string) error {
	var did chaosWork
	quit := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 2 {
		name := fmt.Sprint("written", i)
		w := &chaosWriter{Name: name, file: filepath.Join(mount, name)}
		did.Writers = append(did.Writers, w)
		wg.Go(func() { w.run(quit) })
	}
	wg.Go(func() { did.read(filepath.Join(mount, "static"), quit) })
	_, _ = io.Copy(io.Discard, os.Stdin)
	close(quit)
	wg.Wait()
	return json.NewEncoder(os.Stdout).Encode(&did)
}

func (l *load) String() string {
	s := fmt.Sprintf("%d reads (%d failed), %d changes on the server", l.did.Reads, l.did.ReadErrors, l.changes)
	for _, w := range l.did.Writers {
		s += fmt.Sprintf(", %s: %d KiB acknowledged by %d fsyncs, %d errors, longest wait %v", w.Name, w.Acknowledged>>10, w.Syncs, w.Errors, w.Longest.Round(time.Millisecond))
	}
	return s
}

// stop ends the load; nobody may hang.
func (l *load) stop(t *testing.T) {
	t.Helper()
	close(l.quit)
	l.wg.Wait()
	_ = l.stdin.Close()
	hangs := time.AfterFunc(chaosCalm, func() { // both say where they are: the load here, the daemon in its log
		_ = l.process.Process.Signal(syscall.SIGQUIT)
		_ = syscall.Kill(l.c.m.PID, syscall.SIGQUIT)
	})
	must(t, within(t, chaosCalm+10*time.Second, "the load", l.process.Wait))
	hangs.Stop()
	must(t, json.Unmarshal(l.result.Bytes(), &l.did))
}

// check compares what was promised with what is there.
func (l *load) check(t *testing.T) {
	t.Helper()
	if l.did.Corrupt != "" {
		t.Error(l.did.Corrupt)
	}
	for _, w := range l.did.Writers {
		got := try[[]byte](t)(os.ReadFile(l.c.samba.Path(w.Name)))
		if want := pattern(0, w.Acknowledged); len(got) < len(want) || !bytes.Equal(got[:len(want)], want) {
			t.Errorf("%s: %d bytes were acknowledged; of the %d on the server the first wrong one is at %d", w.Name, len(want), len(got), firstDifference(got, want))
		}
		if w.Acknowledged == 0 {
			t.Errorf("%s: nothing was acknowledged", w.Name)
		}
		rest, faults := l.c.unexplained(w.LongestEnd.Add(-w.Longest), w.LongestEnd)
		t.Logf("%s: the longest wait, %v, had these faults and %v besides: %q", w.Name, w.Longest.Round(time.Millisecond), rest.Round(time.Millisecond), faults)
		if rest > chaosRecovery {
			t.Errorf("%s waited %v longer than faults explain", w.Name, rest)
		}
	}
	for dir, w := range l.watchers {
		var model told
		equal := func() bool {
			model = replayEvents(w.Events())
			return model.differs(l.c.samba.Path(dir)) == ""
		}
		if !testenv.WaitUntil(chaosCalm, equal) {
			t.Errorf("%s, as its watcher was told: %s", dir, replayEvents(w.Events()).differs(l.c.samba.Path(dir)))
		}
		if len(model.wrong) > 0 {
			t.Errorf("%s: %d events contradict those before them: %.5q", dir, len(model.wrong), model.wrong)
		}
		if got, want := names(l.c.m.Path(dir)), names(l.c.samba.Path(dir)); got != want {
			t.Errorf("%s: the mount lists %s, the server has %s", dir, brief(got), brief(want))
		}
	}
}

// pattern is what the file has from an offset on: each 8 bytes say where they are.
func pattern(from, to int64) []byte {
	b := make([]byte, 0, to-from)
	for at := from; at < to; at += 8 {
		b = binary.LittleEndian.AppendUint64(b, uint64(at)*0x9e3779b97f4a7c15)
	}
	return b
}

func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// chaosWriter appends records to a file and has them acknowledged. What was not is written again.
type chaosWriter struct {
	Name          string
	file          string
	Acknowledged  int64
	Syncs, Errors int
	Longest       time.Duration // the longest time without an acknowledgement
	LongestEnd    time.Time
}

func (w *chaosWriter) run(quit <-chan struct{}) {
	last := time.Now()
	for f := (*os.File)(nil); ; {
		select {
		case <-quit:
			if f != nil {
				_ = f.Close()
			}
			return
		default:
		}
		var err error
		if f == nil {
			f, err = os.OpenFile(w.file, os.O_CREATE|os.O_WRONLY, 0o644)
		}
		if err == nil {
			err = w.some(f)
		}
		if err == nil {
			now := time.Now()
			if d := now.Sub(last); d > w.Longest {
				w.Longest, w.LongestEnd = d, now
			}
			last = now
			continue
		}
		w.Errors++
		if f != nil {
			_ = f.Close()
		}
		f = nil
		time.Sleep(10 * time.Millisecond) // a server that is away is not asked all the time
	}
}

// some writes a few records and has them acknowledged.
func (w *chaosWriter) some(f *os.File) error {
	end := w.Acknowledged
	for range 1 + rand.IntN(4) {
		if _, err := f.WriteAt(pattern(end, end+chaosRecord), end); err != nil {
			return err
		}
		end += chaosRecord
	}
	if err := f.Sync(); err != nil {
		return err
	}
	w.Acknowledged = end
	w.Syncs++
	return nil
}

// read reads a file that does not change, a piece anywhere at a time.
func (d *chaosWork) read(file string, quit <-chan struct{}) {
	want := pattern(0, chaosStatic)
	buf := make([]byte, 64<<10)
	for {
		select {
		case <-quit:
			return
		default:
		}
		f, err := os.Open(file)
		for range 50 {
			if err != nil {
				break
			}
			at := rand.IntN(chaosStatic - len(buf))
			var n int
			if n, err = f.ReadAt(buf, int64(at)); err == nil || errors.Is(err, io.EOF) {
				d.Reads++
				if n < len(buf) || !bytes.Equal(buf, want[at:at+len(buf)]) {
					d.Corrupt = fmt.Sprintf("%d bytes read at %d are not what is there", n, at)
				}
			}
		}
		if err != nil {
			d.ReadErrors++
			time.Sleep(10 * time.Millisecond)
		}
		if f != nil {
			_ = f.Close()
		}
	}
}

// change makes, renames and removes files on the server.
func (l *load) change() {
	var there []string // below the share
	for i := 0; ; i++ {
		select {
		case <-l.quit:
			return
		default:
		}
		fresh := filepath.Join(chaosFolders[rand.IntN(2)], fmt.Sprint("f", i))
		switch k := rand.IntN(10); {
		case len(there) < 5 || k < 5 && len(there) < chaosFiles:
			if os.WriteFile(l.c.samba.Path(fresh), nil, 0o644) == nil {
				there = append(there, fresh)
			}
		case k < 8:
			at := rand.IntN(len(there))
			if os.Rename(l.c.samba.Path(there[at]), l.c.samba.Path(fresh)) == nil {
				there[at] = fresh
			}
		default:
			at := rand.IntN(len(there))
			_ = os.Remove(l.c.samba.Path(there[at]))
			there[at] = there[len(there)-1]
			there = there[:len(there)-1]
		}
		l.changes++
		time.Sleep(5 * time.Millisecond)
	}
}
