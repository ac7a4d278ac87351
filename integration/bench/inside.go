package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// inside is work that a guest does, by name: this program runs there with -inside NAME, and prints the figures.
var inside = map[string]func(b *bench, dir string) ([]float64, error){
	"streams": streamsInside,
	"files":   func(b *bench, dir string) ([]float64, error) { return timePhases(dir, b.files) },
	"trees":   treesInside,
	"walk":    walkInside,
	"pages":   pagesInside,
}

// figuresAre begins the line with the figures.
const figuresAre = "figures:"

// runInside does the work in a folder; without one on FUSE over memory.
func runInside(c config, name, dir string) error {
	b := &bench{config: c, stop: make(chan os.Signal, 1)}
	work, ok := inside[name]
	if !ok {
		return fmt.Errorf("there is no work %q", name)
	}
	var figures []float64
	var err error
	do := func(dir string) (err error) { figures, err = work(b, dir); return err }
	if dir == "" {
		err = b.onMemory(do)
	} else {
		err = do(dir)
	}
	if err != nil {
		return err
	}
	fmt.Println(figuresAre, strings.Trim(fmt.Sprint(figures), "[]"))
	return nil
}

// streamsInside reads the large file and writes another.
func streamsInside(b *bench, dir string) ([]float64, error) {
	read, err := readFile(filepath.Join(dir, "big"), b.bytes)
	if err != nil {
		return nil, err
	}
	write, err := writePieces(filepath.Join(dir, "written"), b.bytes, ioSize)
	return []float64{read, write}, err
}

// treesInside unpacks and clones.
func treesInside(b *bench, dir string) ([]float64, error) {
	t, err := makeTree(b.files)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(t.dir)
	var figures []float64
	for _, s := range treeSteps {
		if s.what != "tar x" && s.what != "git clone" {
			continue
		}
		start := time.Now()
		if err := s.do(t, dir); err != nil {
			return nil, fmt.Errorf("%s: %w", s.what, err)
		}
		figures = append(figures, float64(b.files)/time.Since(start).Seconds())
	}
	return figures, nil
}

const (
	walks = 3
	// walkPause is longer than cifs believes attributes.
	walkPause = 1200 * time.Millisecond
)

// walkInside looks at the attributes of all files of a tree, first by its directories, then one by one, again and again with pauses; the first
// time of each is not counted.
func walkInside(b *bench, dir string) ([]float64, error) {
	var names []string
	byDirectory := func() error {
		names = names[:0]
		return filepath.WalkDir(filepath.Join(dir, "walk"), func(name string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				names = append(names, name)
				_, err = e.Info()
			}
			return err
		})
	}
	byName := func() error {
		for _, name := range names {
			if _, err := os.Lstat(name); err != nil {
				return err
			}
		}
		return nil
	}
	var figures []float64
	for _, look := range []func() error{byDirectory, byName} {
		var took time.Duration
		for i := range walks + 1 {
			start := time.Now()
			if err := look(); err != nil {
				return nil, err
			}
			if i > 0 {
				took += time.Since(start)
			}
			time.Sleep(walkPause)
		}
		figures = append(figures, float64(walks*len(names))/took.Seconds())
	}
	return figures, nil
}

// pagesInside reads at random places, past the page cache, 16 at a time.
func pagesInside(b *bench, dir string) ([]float64, error) {
	f, err := os.OpenFile(filepath.Join(dir, "big"), os.O_RDONLY|syscall.O_DIRECT, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rate, err := b.pages(f.ReadAt, 16)
	return []float64{rate}, err
}
