package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"smbfs/integration/testenv"
)

// What a watched directory may cost.
const (
	watchMemory = 4 << 10
	watchTime   = time.Millisecond
	watchWait   = 5 * time.Minute
)

// watches has inotifywait watch many directories, until the server notifies of every one.
func (b *bench) watches() error {
	top := filepath.Join(b.samba.Dir, "watches")
	defer os.RemoveAll(top)
	for i := range b.dirs {
		if err := os.MkdirAll(filepath.Join(top, fmt.Sprint(i/100), fmt.Sprint(i%100)), 0o755); err != nil {
			return err
		}
	}
	var memory, elapsed float64
	err := b.mounted(func(m *testenv.Mounted) error {
		before, _, err := testenv.Memory(m.PID)
		if err != nil {
			return err
		}
		start := time.Now()
		w, err := testenv.StartInotifywait(filepath.Join(m.Mountpoint, "watches"), "create")
		if err != nil {
			return err
		}
		defer w.Close()
		if err := w.WaitEstablished(watchWait); err != nil {
			return err
		}
		if err := m.WaitArmed(b.dirs+(b.dirs+99)/100+1, watchWait); err != nil {
			return err
		}
		elapsed = time.Since(start).Seconds() / float64(b.dirs)
		after, _, err := testenv.Memory(m.PID)
		memory = float64(after-before) / float64(b.dirs)
		return err
	})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("watched directory, of %d", b.dirs)
	b.table.add(what+": memory of the daemon", fmt.Sprintf("%.1f KiB", memory/(1<<10)), "", "", "under 4 KiB", memory < watchMemory)
	b.table.add(what+": time until the server notifies of it", fmt.Sprintf("%.2f ms", elapsed*1000), "", "", "under 1 ms", elapsed < watchTime.Seconds())
	return nil
}
