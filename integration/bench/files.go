package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// phase is one measured pass over the small files.
type phase struct {
	what string
	goal float64 // the least ratio to rclone mount
	do   func(dir string, files int) error
}

// The directory "made" is there before the mount, and nothing of it is cached;
// "own" is made through the mount.
var phases = []phase{
	{"create small files", 2, func(dir string, files int) error {
		data := make([]byte, 1024)
		return eachFile(filepath.Join(dir, "own"), files, func(name string) error { return os.WriteFile(name, data, 0o644) })
	}},
	{"list with attributes, cold", 1, func(dir string, files int) error {
		entries, err := os.ReadDir(filepath.Join(dir, "made"))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if _, err := e.Info(); err != nil {
				return err
			}
		}
		if len(entries) != files {
			return fmt.Errorf("listed %d of %d files", len(entries), files)
		}
		return nil
	}},
	{"stat, after the list", 0, func(dir string, files int) error { // the kernel's own cache, of both: it says nothing of them
		return eachFile(filepath.Join(dir, "made"), files, func(name string) error { _, err := os.Lstat(name); return err })
	}},
	{"open, read, close", 2, func(dir string, files int) error {
		return eachFile(filepath.Join(dir, "made"), files, func(name string) error { _, err := os.ReadFile(name); return err })
	}},
	{"unlink", 2, func(dir string, files int) error {
		return eachFile(filepath.Join(dir, "own"), files, os.Remove)
	}},
}

func eachFile(dir string, files int, do func(string) error) error {
	for i := range files {
		if err := do(filepath.Join(dir, fmt.Sprintf("file-%05d", i))); err != nil {
			return err
		}
	}
	return nil
}

// smallFiles measures all phases on a fresh mount of each side per run.
func (b *bench) smallFiles() error {
	return b.filePhases("", b.files, onSmbfs("smbfs"), onRclone)
}

// filePhases measures the phases at places.
func (b *bench) filePhases(suffix string, files int, places ...place) error {
	var lines []line
	for _, p := range phases {
		lines = append(lines, line{p.what + suffix, "files/s", map[string]float64{onRclone.name: p.goal}})
	}
	var sides []side
	for _, p := range places {
		sides = append(sides, b.doing(p, func() (func(), error) { return b.madeFiles(files) }, func(dir string) ([]float64, error) {
			return timePhases(dir, files)
		}))
	}
	return b.compare(lines, sides...)
}

// madeFiles makes the two folders on the server.
func (b *bench) madeFiles(files int) (undo func(), err error) {
	if undo, err = b.folders("own", "made"); err != nil {
		return nil, err
	}
	err = eachFile(b.samba.Path("made"), files, func(name string) error { return os.WriteFile(name, []byte("x"), 0o644) })
	if err != nil {
		undo()
	}
	return undo, err
}

func timePhases(dir string, files int) ([]float64, error) {
	var rates []float64
	for _, p := range phases {
		start := time.Now()
		if err := p.do(dir, files); err != nil {
			return nil, fmt.Errorf("%s: %w", p.what, err)
		}
		rates = append(rates, float64(files)/time.Since(start).Seconds())
	}
	return rates, nil
}
