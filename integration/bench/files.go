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
		listed := 0
		for _, folder := range foldersOf(files) {
			entries, err := os.ReadDir(filepath.Join(dir, "made", folder))
			if err != nil {
				return err
			}
			for _, e := range entries {
				if _, err := e.Info(); err != nil {
					return err
				}
			}
			listed += len(entries)
		}
		if listed != files {
			return fmt.Errorf("listed %d of %d files", listed, files)
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

// perFolder is how many files are in one folder: for a new name Samba looks through the whole of it.
const perFolder = 1000

// foldersOf are the folders of so many files: one is as good as none.
func foldersOf(files int) (names []string) {
	if files <= perFolder {
		return []string{""}
	}
	for i := 0; i < files; i += perFolder {
		names = append(names, fmt.Sprintf("%02d", i/perFolder))
	}
	return names
}

func eachFile(dir string, files int, do func(string) error) error {
	folders := foldersOf(files)
	for i := range files {
		if err := do(filepath.Join(dir, folders[i/perFolder], fmt.Sprintf("file-%05d", i))); err != nil {
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
	folders := []string{"own", "made"} // first: undo removes what is in them, too
	for _, f := range foldersOf(files) {
		folders = append(folders, filepath.Join("own", f), filepath.Join("made", f))
	}
	if undo, err = b.folders(folders...); err != nil {
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
