package marks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The size of the benchmarks: watches in all, and processes.
const (
	benchWatches   = 200_000
	benchProcesses = 500
	benchHolders   = 100 // of the processes
)

// benchLoad is a local folder with many watches and processes, and one mount.
type benchLoad struct {
	b       *testing.B
	mnt     string
	s       *Scanner
	holders []*child
}

// newBenchLoad makes benchHolders processes with an equal part of the watches each, on local
// directories, and fills up with processes that sleep.
func newBenchLoad(b *testing.B) *benchLoad {
	b.Helper()
	raise(b, "max_user_watches", benchWatches+100_000)
	raise(b, "max_user_instances", benchHolders+1000)
	mnt, device := mount(b)
	l := &benchLoad{b: b, mnt: mnt, s: newScanner(b, device, Options{Share: DefaultShare})}
	each := benchWatches / benchHolders
	dir := b.TempDir()
	for i := range each {
		if err := os.Mkdir(filepath.Join(dir, strconv.Itoa(i)), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	for range benchHolders {
		c := startHolder(b)
		for i := range each {
			c.do("watch", filepath.Join(dir, strconv.Itoa(i)))
		}
		l.holders = append(l.holders, c)
	}
	for range benchProcesses - benchHolders {
		sleeper(b)
	}
	return l
}

func sleeper(b *testing.B) {
	b.Helper()
	cmd := exec.Command("sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}

// raise makes a limit of inotify at least n, until the benchmark ends.
func raise(b *testing.B, name string, n int) {
	b.Helper()
	path := filepath.Join("/proc/sys/fs/inotify", name)
	old, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	if have, err := strconv.Atoi(strings.TrimSpace(string(old))); err != nil || have >= n {
		return
	}
	if err := os.WriteFile(path, []byte(strconv.Itoa(n)), 0); err != nil {
		b.Fatalf("the benchmark needs %s of %d: %v", name, n, err)
	}
	b.Cleanup(func() {
		if err := os.WriteFile(path, old, 0); err != nil {
			b.Errorf("%s is left raised: %v", name, err)
		}
	})
}

// costs sums what scans cost.
type costs struct {
	total, base, peak time.Duration
	scans             int
}

func (c *costs) add(r Result) {
	c.total += r.Stats.Cost
	c.base += r.Stats.Base
	c.peak = max(c.peak, r.Stats.Cost)
	c.scans++
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// BenchmarkFull reads everything, as the first scan does.
func BenchmarkFull(b *testing.B) {
	l := newBenchLoad(b)
	var c costs
	for b.Loop() {
		s, err := New(l.s.device, Options{})
		if err != nil {
			b.Fatal(err)
		}
		c.add(scan(b, s))
		s.Close()
	}
	b.ReportMetric(ms(c.total)/float64(c.scans), "cpu-ms/scan")
}

// BenchmarkIdle scans while no holder does anything: what a scan costs as a rule.
func BenchmarkIdle(b *testing.B) {
	l := newBenchLoad(b)
	scan(b, l.s)
	var c costs
	for b.Loop() {
		c.add(scan(b, l.s))
	}
	b.ReportMetric(ms(c.total)/float64(c.scans), "cpu-ms/scan")
	b.ReportMetric(ms(c.base)/float64(c.scans), "base-cpu-ms/scan")
}

// BenchmarkOne has one holder, another each time, add a watch before each scan, scanning as
// told. late counts the watches that the next scan did not find.
func BenchmarkOne(b *testing.B) {
	l := newBenchLoad(b)
	next := scan(b, l.s).Next
	var c costs
	late := 0
	start := time.Now()
	for b.Loop() {
		node := 0x1000 + c.scans
		l.holders[c.scans%len(l.holders)].do("watch", fmt.Sprintf("%s/d%x", l.mnt, node))
		time.Sleep(next) // the pace that is measured
		r := scan(b, l.s)
		next = r.Next
		c.add(r)
		if l.s.Marked(uint64(node)) == 0 {
			late++
		}
	}
	b.ReportMetric(100*float64(c.total)/float64(time.Since(start)), "%core")
	b.ReportMetric(ms(c.total)/float64(c.scans), "cpu-ms/scan")
	b.ReportMetric(float64(late), "late")
}

// BenchmarkBusy scans as told for a minute while every holder runs between two scans, so that
// all watches are always due. The last scans find one more watch each, of a holder.
func BenchmarkBusy(b *testing.B) {
	for _, hinted := range []bool{true, false} {
		b.Run(fmt.Sprintf("hinted=%v", hinted), func(b *testing.B) {
			l := newBenchLoad(b)
			scan(b, l.s)
			for b.Loop() {
				l.busy(time.Minute, hinted)
			}
		})
	}
}

// busy adds a watch every ten seconds and reports what the scans cost, and how long the
// slowest was not found.
func (l *benchLoad) busy(length time.Duration, hinted bool) {
	var c costs
	var added, slowest time.Duration
	watches, next := 0, interval
	start := time.Now()
	for time.Since(start) < length || l.s.Marked(uint64(0x1000+watches)) == 0 {
		for _, h := range l.holders {
			h.do("nothing", "")
		}
		since := time.Since(start)
		if watches == 0 || l.s.Marked(uint64(0x1000+watches)) > 0 && since-added > 10*time.Second {
			watches++
			h := l.holders[watches%len(l.holders)]
			h.do("watch", fmt.Sprintf("%s/d%x", l.mnt, 0x1000+watches))
			if hinted {
				l.s.Hint(uint32(h.cmd.Process.Pid))
			}
			added = since
		}
		time.Sleep(next) // the pace that is measured
		r := scan(l.b, l.s)
		next = r.Next
		c.add(r)
		if len(r.Added) > 0 {
			slowest = max(slowest, time.Since(start)-added)
		}
	}
	l.b.ReportMetric(100*float64(c.total)/float64(time.Since(start)), "%core")
	l.b.ReportMetric(ms(c.base)/float64(c.scans), "base-cpu-ms/scan")
	l.b.ReportMetric(ms(c.peak), "peak-cpu-ms/scan")
	l.b.ReportMetric(slowest.Seconds(), "slowest-s")
}
