package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// costs are what the daemon took for a GiB, by what it did.
type costs struct {
	order  []string
	cpu    map[string][]float64 // seconds per GiB
	memory map[string][]float64 // bytes allocated per GiB
}

// of does work about so many bytes and notes what the process took for it.
func (c *costs) of(what string, bytes int64, pid int, metrics string, work func() error) error {
	cpu, allocated, err := taken(pid, metrics)
	if err != nil {
		return err
	}
	if err := work(); err != nil {
		return err
	}
	cpuAfter, allocatedAfter, err := taken(pid, metrics)
	if err != nil {
		return err
	}
	if c.cpu == nil {
		c.cpu, c.memory = map[string][]float64{}, map[string][]float64{}
	}
	if c.cpu[what] == nil {
		c.order = append(c.order, what)
	}
	gib := float64(bytes) / (1 << 30)
	c.cpu[what] = append(c.cpu[what], (cpuAfter-cpu)/gib)
	c.memory[what] = append(c.memory[what], (allocatedAfter-allocated)/gib)
	return nil
}

// addCosts adds a line for everything that was noted.
func (b *bench) addCosts() {
	for _, what := range b.costs.order {
		b.table.add("daemon's cost of 1 GiB: "+what, fmt.Sprintf("%.2f CPU seconds, %s allocated", median(b.costs.cpu[what]), mib(median(b.costs.memory[what]))), "", "", "none", true)
	}
}

// taken is the processor time of a process, in seconds, and what it has allocated, in bytes.
func taken(pid int, metrics string) (cpu, allocated float64, err error) {
	if cpu, err = cpuSeconds(pid); err != nil {
		return 0, 0, err
	}
	allocated, err = metric(metrics, "go_memstats_alloc_bytes_total")
	return cpu, allocated, err
}

// cpuSeconds reads utime and stime, fields 14 and 15 of proc_pid_stat(5), in hundredths of a second.
func cpuSeconds(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	s := string(stat)
	f := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	var ticks float64
	for _, field := range f[11:13] {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return ticks / 100, nil
}

// metric asks a mount's metrics on a Unix socket for one value.
func metric(socket, name string) (float64, error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", socket) },
	}}
	resp, err := client.Get("http://mount/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(io.LimitReader(resp.Body, 1<<20))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("the mount's metrics have no %s", name)
}
