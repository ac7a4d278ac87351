package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// How much later than the raw notification the event may come, in milliseconds: at the median, and at
// the 99th of a hundred.
const (
	eventMedian = 0.3
	eventP99    = 2.0
)

// latencies are times from a change on the server, in milliseconds.
type latencies struct {
	raw   []float64 // to the notification's arrival at an independent client
	event []float64 // to the watcher's event
	above []float64 // from that arrival to the event
}

// latency makes files on the server one after the other and takes the time until
// a watcher of the mount is told, beside the arrival of the raw notification.
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
	raw, err := testenv.StartRawNotify(b.samba, dir)
	if err != nil {
		return err
	}
	defer raw.Close()
	var l latencies
	err = b.mounted(func(m *testenv.Mounted) error {
		w, err := testenv.WatchInotify(m.Path(dir), testenv.WatchOptions{})
		if err != nil {
			return err
		}
		defer w.Close()
		l, err = b.changes(m, dir, w, raw)
		return err
	})
	if err != nil {
		return err
	}
	with := fmt.Sprintf(", %d directories watched: median, p95, p99", b.watched+1)
	b.table.add("change on the server to the event"+with, three(l.event), "raw notification at smbclient: "+three(l.raw), "", "none", true)
	b.table.add("event after the raw notification"+with, three(l.above), "", "", fmt.Sprintf("median under %.1f ms, p99 under %.0f ms", eventMedian, eventP99),
		median(l.above) < eventMedian && quantile(l.above, 0.99) < eventP99)
	return nil
}

func three(v []float64) string {
	return fmt.Sprintf("%.2f, %.2f, %.2f ms", median(v), quantile(v, 0.95), quantile(v, 0.99))
}

// changes measures b.changes changes; the first ones, until both sides are armed,
// do not count.
func (b *bench) changes(m *testenv.Mounted, dir string, w *testenv.Watcher, raw *testenv.RawNotify) (latencies, error) {
	var l latencies
	for i := range 100 {
		_, err := one(b.samba.Path(dir), fmt.Sprint("warm-up-", i), w, raw, 500*time.Millisecond)
		if err == nil && i >= 5 {
			break
		}
		if i == 99 {
			return l, fmt.Errorf("changes are not told: %w", err)
		}
	}
	if err := b.rested(m); err != nil {
		return l, err
	}
	for i := range b.config.changes {
		if err := b.interrupted(); err != nil {
			return l, err
		}
		t, err := one(b.samba.Path(dir), fmt.Sprintf("change-%05d", i), w, raw, 10*time.Second)
		if err != nil {
			return l, fmt.Errorf("change %d: %w", i, err)
		}
		l.raw = append(l.raw, t[0])
		l.event = append(l.event, t[1])
		l.above = append(l.above, t[1]-t[0])
	}
	return l, nil
}

// rested waits until the directories that are watched have been compared as often as they are after they were armed: that takes
// some ten seconds, and goes on beside everything else.
func (b *bench) rested(m *testenv.Mounted) error {
	if err := m.WaitArmed(b.watched+1, time.Minute); err != nil {
		return err
	}
	var before int64
	for range 60 {
		st, err := m.Status()
		if err != nil {
			return err
		}
		if before > 0 && st.Notify.Listings-before <= int64(b.watched/50) {
			return nil
		}
		before = st.Notify.Listings
		time.Sleep(time.Second)
	}
	return errors.New("directories are listed again and again")
}

// one makes one empty file and waits for both arrivals.
func one(server, name string, w *testenv.Watcher, raw *testenv.RawNotify, timeout time.Duration) (times [2]float64, err error) {
	from := w.Len()
	var event time.Time
	start := time.Now()
	fd, err := unix.Open(server+"/"+name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, 0o644)
	if err != nil {
		return times, err
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
		return times, err
	}
	if !testenv.WaitUntil(timeout, func() bool { return !raw.Arrival(name).IsZero() }) {
		return times, errors.New("no raw notification")
	}
	ms := func(t time.Time) float64 { return float64(t.Sub(start).Microseconds()) / 1000 }
	return [2]float64{ms(raw.Arrival(name)), ms(event)}, nil
}

// storm makes files on the server as fast as it can, and takes the time until the watcher has been told of the last of them.
func (b *bench) storm() error {
	const dir = "storm"
	var rates []float64
	for range b.runs {
		undo, err := b.folders(dir)
		if err != nil {
			return err
		}
		err = b.mounted(func(m *testenv.Mounted) error {
			rate, err := b.burst(m.Path(dir), b.samba.Path(dir))
			rates = append(rates, rate)
			return err
		})
		undo()
		if err != nil {
			return err
		}
	}
	b.table.add(fmt.Sprintf("events of %d files made on the server at once", b.files), figure(median(rates), "events/s"), "", "", "none", true)
	return nil
}

func (b *bench) burst(watched, server string) (float64, error) {
	w, err := testenv.WatchInotify(watched, testenv.WatchOptions{Flat: true})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	time.Sleep(time.Second) // the watch is armed
	start := time.Now()
	if err := eachFile(server, b.files, func(name string) error { return os.WriteFile(name, nil, 0o644) }); err != nil {
		return 0, err
	}
	count := func(events []testenv.Event) (n int) {
		for _, e := range events {
			if e.Mask == unix.IN_CREATE {
				n++
			}
		}
		return n
	}
	if err := w.WaitFor(2*time.Minute, func(events []testenv.Event) bool { return count(events) >= b.files }); err != nil {
		return 0, err
	}
	return float64(b.files) / time.Since(start).Seconds(), nil
}
