package integration

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// fsnotifyEnv makes this test binary a program that prints what fsnotify tells of the folder named, and of all below it.
const fsnotifyEnv = "SMBFS_TEST_FSNOTIFY"

// watchWithFsnotify does as programs with fsnotify do: each new directory is added, and runs until it is killed.
func watchWithFsnotify(root string) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	add := func(dir string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = w.Add(dir)
		}
		return err
	}
	if err := filepath.WalkDir(root, add); err != nil {
		return err
	}
	for {
		select {
		case e := <-w.Events:
			fmt.Println(e.Op, e.Name)
			if info, err := os.Lstat(e.Name); e.Has(fsnotify.Create) && err == nil && info.IsDir() {
				if err := w.Add(e.Name); err != nil {
					return err
				}
			}
		case err := <-w.Errors:
			return err
		}
	}
}
