package integration

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// chaos is a server, a mount of it, and what stands between the two.
type chaos struct {
	rnd    *rand.Rand
	long   bool
	samba  *testenv.Samba
	proxy  *testenv.Proxy
	m      *testenv.Mounted
	counts map[string]int
	faults []chaosFault // those that were
}

// chaosFault is a time for which something was wrong.
type chaosFault struct {
	name       string
	start, end time.Time
}

func newChaos(t *testing.T, rnd *rand.Rand, long bool) *chaos {
	t.Helper()
	c := &chaos{rnd: rnd, long: long, samba: durableSamba(t), counts: map[string]int{}}
	c.proxy = testenv.MustProxy(t, c.samba)
	c.m = testenv.MustMount(t, testenv.MountOptions{
		Samba: c.samba, Options: []string{fmt.Sprint("port=", c.proxy.Port()), "hard", "echo_interval=1"},
		Env: []string{"GOGC=10"}, // else most of what a collection finds are buffers kept for the next request, and what leaks does not show
	})
	return c
}

// faults are what can go wrong, in the order of their first turn.
var faults = []struct {
	name string
	do   func(c *chaos) error
}{
	{"kill -9 of the server and all its children", func(c *chaos) error {
		c.samba.Kill()
		c.pause(0, time.Second)
		return c.samba.Restart()
	}},
	{"connections reset", func(c *chaos) error { c.proxy.Reset(); return nil }},
	{"server stopped", func(c *chaos) error {
		group := -c.samba.PID()
		if err := syscall.Kill(group, syscall.SIGSTOP); err != nil {
			return err
		}
		if c.long && c.counts["server stopped"] == 1 {
			c.sleep(60*time.Second, 60*time.Second)
		} else if c.long {
			c.sleep(5*time.Second, 60*time.Second)
		} else {
			c.sleep(time.Second/2, 2*time.Second)
		}
		return syscall.Kill(group, syscall.SIGCONT)
	}},
	{"stream truncated", func(c *chaos) error {
		return c.disturb(testenv.Faults{Truncate: 1 + c.rnd.Int64N(200_000)})
	}},
	{"stream split", func(c *chaos) error { return c.disturb(testenv.Faults{Split: 1 + c.rnd.IntN(100)}) }},
	{"restart on another port", func(c *chaos) error {
		err := c.samba.Move()
		c.proxy.Target(c.samba.Addr())
		return err
	}},
	{"bytes dropped", func(c *chaos) error { return c.disturb(testenv.Faults{Drop: true}) }},
	{"bytes delayed", func(c *chaos) error {
		return c.disturb(testenv.Faults{Delay: time.Duration(c.rnd.Int64N(int64(30 * time.Millisecond)))})
	}},
	{"new connections refused", func(c *chaos) error {
		c.proxy.Refuse(true)
		c.proxy.Reset()
		c.pause(0, 2*time.Second)
		c.proxy.Refuse(false)
		return nil
	}},
	{"connections ended", func(c *chaos) error { c.proxy.Cut(); return nil }},
}

// fault does one, each kind once and then any, and leaves the load a moment.
func (c *chaos) fault(t *testing.T, i int) {
	t.Helper()
	f := faults[i%len(faults)]
	if i >= len(faults) {
		f = faults[c.rnd.IntN(len(faults))]
	}
	c.counts[f.name]++
	start := time.Now()
	if err := f.do(c); err != nil {
		t.Fatalf("fault %d, %s: %v", i, f.name, err)
	}
	c.faults = append(c.faults, chaosFault{f.name, start, time.Now()})
	c.pause(100*time.Millisecond, 2*time.Second)
}

// unexplained returns how much of a time no fault accounts for, and the faults in it.
func (c *chaos) unexplained(start, end time.Time) (rest time.Duration, names []string) {
	rest = end.Sub(start)
	for _, f := range c.faults {
		from, to := later(f.start, start), f.end
		if to.After(end) {
			to = end
		}
		if d := to.Sub(from); d > 0 {
			rest -= d
			names = append(names, fmt.Sprintf("%s for %v", f.name, d.Round(time.Millisecond)))
		}
	}
	return rest, names
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// disturb has the stream disturbed for a while.
func (c *chaos) disturb(f testenv.Faults) error {
	c.proxy.Set(f)
	c.pause(time.Second/2, 5*time.Second)
	c.proxy.Set(testenv.Faults{})
	return nil
}

// pause is a time between the two, much shorter in the short form.
func (c *chaos) pause(least, most time.Duration) {
	if !c.long {
		least, most = least/2, most/5
	}
	c.sleep(least, most)
}

// sleep is not to hope for anything: it is how long a fault lasts.
func (c *chaos) sleep(least, most time.Duration) {
	time.Sleep(least + time.Duration(c.rnd.Int64N(int64(most-least)+1)))
}
