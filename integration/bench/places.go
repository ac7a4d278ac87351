package main

import (
	"fmt"
	"os"

	"smbfs/integration/testenv"
)

// place is a folder to work in.
type place struct {
	name string
	use  func(b *bench, work func(dir string) error) error
}

// onSmbfs is a fresh mount with the options.
func onSmbfs(name string, options ...string) place {
	return place{name, func(b *bench, work func(dir string) error) error {
		return b.mounted(func(m *testenv.Mounted) error { return work(m.Mountpoint) }, options...)
	}}
}

// onRclone is a fresh mount by rclone.
var onRclone = place{"rclone mount", func(b *bench, work func(dir string) error) error {
	r, err := testenv.MountRclone(b.samba)
	if err != nil {
		return err
	}
	defer r.Close()
	return work(r.Mountpoint)
}}

// onMemory is what FUSE alone can do.
var onMemory = place{memoryName, (*bench).onMemory}

// onDisk is the server's folder itself.
var onDisk = place{"local folder", func(b *bench, work func(dir string) error) error { return work(b.samba.Dir) }}

// doing is the side that does work at a place, on what prepare makes in the server's folder.
func (b *bench) doing(p place, prepare func() (undo func(), err error), work func(dir string) ([]float64, error)) side {
	return side{p.name, func() (figures []float64, err error) {
		undo, err := prepare()
		if err != nil {
			return nil, err
		}
		defer undo()
		settle()
		err = p.use(b, func(dir string) error { figures, err = work(dir); return err })
		return figures, err
	}}
}

// mounted runs work on a fresh mount and remembers the memory it took.
func (b *bench) mounted(work func(m *testenv.Mounted) error, options ...string) error {
	if err := b.interrupted(); err != nil {
		return err
	}
	m, err := testenv.Mount(testenv.MountOptions{Samba: b.samba, Options: options})
	if err != nil {
		return err
	}
	defer m.Close()
	if err := work(m); err != nil {
		return err
	}
	used, err := memoryOf(m)
	if err != nil {
		return err
	}
	b.high.daemon = max(b.high.daemon, used.daemonPeak)
	b.high.helper = max(b.high.helper, used.helperPeak)
	return nil
}

// folders makes folders on the server and has them removed.
func (b *bench) folders(names ...string) (undo func(), err error) {
	undo = func() {
		for _, n := range names {
			os.RemoveAll(b.samba.Path(n))
		}
	}
	for _, n := range names {
		if err := os.MkdirAll(b.samba.Path(n), 0o755); err != nil {
			undo()
			return nil, fmt.Errorf("prepare: %w", err)
		}
	}
	return undo, nil
}
