package main

import (
	"fmt"
	"os"
	"time"

	"smbfs/integration/testenv"
)

// memory is the most that was resident, in bytes.
type memory struct {
	daemon, helper int64
}

// usage is the resident memory of a mount's processes, in bytes.
type usage struct {
	daemon, daemonPeak int64
	helper, helperPeak int64
}

func memoryOf(m *testenv.Mounted) (usage, error) {
	var u usage
	var err error
	if u.daemon, u.daemonPeak, err = testenv.Memory(m.PID); err != nil {
		return u, err
	}
	for _, pid := range m.HelperPIDs() {
		now, peak, err := testenv.Memory(pid)
		if err != nil {
			return u, err
		}
		u.helper += now
		u.helperPeak += peak
	}
	return u, nil
}

const (
	idleLimit = 64 << 20
	peakLimit = 128 << 20
)

// idle is what a mount needs that was used a little and then left alone.
func (b *bench) idle() error {
	var v []float64
	for range b.runs {
		err := b.mounted(func(m *testenv.Mounted) error {
			if _, err := os.ReadDir(m.Mountpoint); err != nil {
				return err
			}
			time.Sleep(2 * time.Second) // idle is what is measured
			u, err := memoryOf(m)
			v = append(v, float64(u.daemon+u.helper))
			return err
		})
		if err != nil {
			return err
		}
	}
	m := median(v)
	b.table.add("resident memory, idle, daemon and helper", mib(m), "", "", "under 64 MiB", m < idleLimit)
	return nil
}

// peak is the most that any daemon of this run had.
func (b *bench) peak() error {
	sum := b.high.daemon + b.high.helper
	b.table.add("resident memory, peak of all the above", fmt.Sprintf("daemon %s, helper %s", mib(float64(b.high.daemon)), mib(float64(b.high.helper))),
		"", "", "under 128 MiB", sum < peakLimit)
	return nil
}

func mib(bytes float64) string { return fmt.Sprintf("%.1f MiB", bytes/(1<<20)) }
