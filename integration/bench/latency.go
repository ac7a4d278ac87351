package main

import (
	"errors"
	"fmt"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// How much later than the notification the event may come, in milliseconds: at the median, and at
// the 99th of a hundred.
const (
	eventMedian = 0.3
	eventP99    = 2.0
)

// latencies are in milliseconds.
type latencies struct {
	notified []float64 // from a change on the server to the arrival of its notification at the mount's socket
	event    []float64 // to the watcher's event
	ours     []float64 // from that arrival to the event
}

// latency makes files on the server one after the other and takes the time until a watcher of the mount has read its event, and until the
// notification had come.
func (b *bench) latency() error {
	const dir = "latency"
	names := []string{dir}
	for i := range b.watched {
		names = append(names, fmt.Sprintf("%s/watched-%04d", dir, i))
	}
	undo, err := b.folders(names...)
	if err != nil {
		return err
	}
	defer undo()
	came, err := watchArrivals(b.samba.Port)
	if err != nil {
		return err
	}
	defer came.close()
	var l latencies
	err = b.mounted(func(m *testenv.Mounted) error {
		w, err := testenv.WatchInotify(m.Path(dir), testenv.WatchOptions{})
		if err != nil {
			return err
		}
		defer w.Close()
		l, err = b.changes(m, dir, w, came)
		return err
	})
	if err != nil {
		return err
	}
	with := fmt.Sprintf(", %d directories watched: median, p95, p99", b.watched+1)
	b.table.add("change on the server to the event"+with, three(l.event), "its notification at the socket: "+three(l.notified), "", "none", true)
	b.table.add("event after the notification reached the socket"+with, three(l.ours), "", "", fmt.Sprintf("median under %.1f ms, p99 under %.0f ms", eventMedian, eventP99),
		median(l.ours) < eventMedian && quantile(l.ours, 0.99) < eventP99)
	return nil
}

func three(v []float64) string {
	return fmt.Sprintf("%.2f, %.2f, %.2f ms", median(v), quantile(v, 0.95), quantile(v, 0.99))
}

// changes measures b.changes changes; the first ones, until the watch is armed, do not count.
func (b *bench) changes(m *testenv.Mounted, dir string, w *testenv.Watcher, came *arrivals) (latencies, error) {
	var l latencies
	for i := range 100 {
		_, err := one(b.samba.Path(dir), fmt.Sprint("warm-up-", i), w, came, 500*time.Millisecond)
		if err == nil && i >= 5 {
			break
		}
		if i == 99 {
			return l, fmt.Errorf("changes are not told: %w", err)
		}
	}
	if err := m.WaitArmed(b.watched+1, time.Minute); err != nil {
		return l, err
	}
	if err := m.WaitRested(b.watched, time.Minute); err != nil {
		return l, err
	}
	for i := range b.config.changes {
		if err := b.interrupted(); err != nil {
			return l, err
		}
		t, err := one(b.samba.Path(dir), fmt.Sprintf("change-%05d", i), w, came, 10*time.Second)
		if err != nil {
			return l, fmt.Errorf("change %d: %w", i, err)
		}
		l.notified = append(l.notified, t.notified)
		l.event = append(l.event, t.event)
		l.ours = append(l.ours, t.event-t.notified)
	}
	return l, nil
}

// times are those of one change, in milliseconds after it began.
type times struct{ notified, event float64 }

// one makes one empty file and waits until the watcher is told.
func one(server, name string, w *testenv.Watcher, came *arrivals, timeout time.Duration) (t times, err error) {
	if err := came.forget(); err != nil {
		return t, err
	}
	from := w.Len()
	var event time.Time
	start := time.Now()
	fd, err := unix.Open(server+"/"+name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, 0o644)
	if err != nil {
		return t, err
	}
	unix.Close(fd)
	err = w.WaitFor(timeout, func(events []testenv.Event) bool {
		for _, e := range events[from:] {
			if e.Mask == unix.IN_CREATE && e.Name == name {
				event = e.Time
				return true
			}
		}
		return false
	})
	if err != nil {
		return t, err
	}
	notified, err := came.of(name)
	if err == nil && notified.IsZero() {
		err = errors.New("no packet of the server's has its name")
	}
	ms := func(t time.Time) float64 { return float64(t.Sub(start).Microseconds()) / 1000 }
	return times{ms(notified), ms(event)}, err
}
