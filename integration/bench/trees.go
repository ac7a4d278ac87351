package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// treeSteps are what people do with trees of files. The figure is files a second. What is warm is done several times, or
// nothing but the start of a program would be measured. What is as young as its index git reads again, whole, so git status comes after a pause.
var treeSteps = []struct {
	what  string
	times int
	goal  float64 // the least ratio to rclone mount
	pause time.Duration
	do    func(t *tree, dir string) error
}{
	{"tar x", 1, 2, 0, func(t *tree, dir string) error {
		return command(filepath.Join(dir, "trees"), "tar", "-xf", t.archive)
	}},
	{"find, after that", 1, 0, 0, func(_ *tree, dir string) error { return find(dir) }},
	{"find, warm", 10, 1, 0, func(_ *tree, dir string) error { return find(dir) }},
	{"du, warm", 10, 1, 0, func(_ *tree, dir string) error { return command(dir, "du", "-s", "trees") }},
	{"git clone", 1, 2, 0, func(t *tree, dir string) error {
		return git(dir, "clone", "-q", "--no-hardlinks", t.repository, "trees/clone")
	}},
	{"git status", 1, 1, time.Second, func(_ *tree, dir string) error {
		return git(filepath.Join(dir, "trees/clone"), "status", "--porcelain")
	}},
	{"git status, warm", 5, 1, 0, func(_ *tree, dir string) error {
		return git(filepath.Join(dir, "trees/clone"), "--no-optional-locks", "status", "--porcelain")
	}},
}

// tree is a tree of small files as an archive and as a repository, both on the local disk.
type tree struct {
	dir, archive, repository string
	files                    int
}

// makeTree makes files in folders of 20.
func makeTree(files int) (t *tree, err error) {
	t = &tree{files: files}
	if t.dir, err = os.MkdirTemp("", "smbfs-bench"); err != nil {
		return nil, err
	}
	t.archive, t.repository = filepath.Join(t.dir, "tree.tar"), filepath.Join(t.dir, "repository")
	for i := range files {
		dir := filepath.Join(t.repository, fmt.Sprintf("folder-%03d", i/20))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		text := strings.Repeat(fmt.Sprintf("line of file %d\n", i), 100)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%05d", i)), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	if err := command(t.repository, "tar", "-cf", t.archive, "."); err != nil {
		return nil, err
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-qm", "all"}, {"gc", "-q"}} {
		if err := git(t.repository, args...); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// trees measures them against rclone and the local folder.
func (b *bench) trees() error {
	if err := b.walkWork("", onSmbfs("smbfs"), onRclone, onDisk); err != nil {
		return err
	}
	return b.treeWork("", b.few()/5, onSmbfs("smbfs"), onRclone, onDisk)
}

// A tree that is looked through for the first time has so many folders in as many folders, with as many files in each.
const walkWidth = 8

// walkWork measures that: nothing is known of what is there before the mount.
func (b *bench) walkWork(suffix string, places ...place) error {
	var folders []string
	for i := range walkWidth * walkWidth {
		folders = append(folders, fmt.Sprintf("trees/%d/%d", i/walkWidth, i%walkWidth))
	}
	prepare := func() (func(), error) {
		undo, err := b.folders(append([]string{"trees"}, folders...)...)
		for _, folder := range folders {
			for i := range walkWidth {
				err = errors.Join(err, os.WriteFile(b.samba.Path(folder, fmt.Sprint(i)), nil, 0o644))
			}
		}
		return undo, err
	}
	walk := func(dir string) ([]float64, error) {
		start := time.Now()
		err := find(dir)
		return []float64{walkWidth * walkWidth * walkWidth / time.Since(start).Seconds()}, err
	}
	var sides []side
	for _, p := range places {
		sides = append(sides, b.doing(p, prepare, walk))
	}
	return b.compare([]line{{"find, cold" + suffix, "files/s", map[string]float64{onRclone.name: 2}}}, sides...)
}

func (b *bench) treeWork(suffix string, files int, places ...place) error {
	t, err := makeTree(files)
	if err != nil {
		return err
	}
	defer os.RemoveAll(t.dir)
	var lines []line
	for _, s := range treeSteps {
		lines = append(lines, line{s.what + suffix, "files/s", map[string]float64{onRclone.name: s.goal}})
	}
	var sides []side
	for _, p := range places {
		sides = append(sides, b.doing(p, func() (func(), error) { return b.folders("trees") }, t.steps))
	}
	return b.compare(lines, sides...)
}

// steps does all of them. One that fails, on a peer that cannot do what it takes, has no figure.
func (t *tree) steps(dir string) ([]float64, error) {
	var figures []float64
	for _, s := range treeSteps {
		time.Sleep(s.pause)
		start := time.Now()
		var err error
		for range s.times {
			if err == nil {
				err = s.do(t, dir)
			}
		}
		rate := float64(s.times*t.files) / time.Since(start).Seconds()
		if err != nil {
			fmt.Fprintf(os.Stderr, "  %s: %v\n", s.what, err)
			rate = none
		}
		figures = append(figures, rate)
	}
	return figures, nil
}

// find looks at the times of all files.
func find(dir string) error { return command(dir, "find", "trees", "-type", "f", "-newer", "trees") }

func git(dir string, args ...string) error {
	always := []string{"-c", "safe.directory=*", "-c", "core.filemode=false", "-c", "user.name=bench", "-c", "user.email=bench@localhost"}
	return command(dir, "git", append(always, args...)...)
}

// patience bounds one command, in seconds: some peers hang.
const patience = "300"

func command(dir, name string, args ...string) error {
	cmd := exec.Command("timeout", append([]string{patience, name}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %.300s", name, err, out)
	}
	return nil
}
