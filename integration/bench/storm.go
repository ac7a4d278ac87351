package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"smbfs/integration/testenv"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"

	"golang.org/x/sys/unix"
)

// stormFiles is how many files are made at once: as many as Samba keeps for a client that has not asked again yet.
const stormFiles = 1000

// storm makes files on the server as fast as it can, and takes the time until a watcher has been told of the last of them: one of the mount,
// one of the server's own folder, and a client that is only notified and asks nothing.
func (b *bench) storm() error {
	sides := []side{
		{"smbfs", b.stormMounted},
		{"inotify on the server", func() ([]float64, error) {
			return b.inStorm(func() (float64, error) { return b.watchedBurst(b.samba.Path(stormDir)) })
		}},
		{"our library, notifications alone", b.stormNotified},
	}
	return b.compare([]line{{fmt.Sprintf("events of %d files made on the server at once", b.stormFiles()), "events/s", nil}}, sides...)
}

const stormDir = "storm"

func (b *bench) stormFiles() int { return min(b.few(), stormFiles) }

// inStorm has the folder for a burst.
func (b *bench) inStorm(burst func() (float64, error)) ([]float64, error) {
	undo, err := b.folders(stormDir)
	if err != nil {
		return nil, err
	}
	defer undo()
	rate, err := burst()
	return []float64{rate}, err
}

func (b *bench) stormMounted() ([]float64, error) {
	return b.inStorm(func() (rate float64, err error) {
		err = b.mounted(func(m *testenv.Mounted) error {
			rate, err = b.watchedBurst(m.Path(stormDir))
			return err
		})
		return rate, err
	})
}

// watchedBurst makes the files, of which inotify on a folder tells.
func (b *bench) watchedBurst(watched string) (float64, error) {
	told := newTally(b.stormFiles())
	w, err := testenv.WatchInotify(watched, testenv.WatchOptions{Flat: true, OnEvent: func(e testenv.Event) {
		if e.Mask == unix.IN_CREATE {
			told.add()
		}
	}})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	time.Sleep(time.Second) // the watch is armed
	return b.burst(told)
}

// burst makes the files and gives how many a second were told.
func (b *bench) burst(told *tally) (float64, error) {
	start := time.Now()
	if err := eachFile(b.samba.Path(stormDir), b.stormFiles(), func(name string) error { return os.WriteFile(name, nil, 0o644) }); err != nil {
		return 0, err
	}
	if err := told.wait(2 * time.Minute); err != nil {
		return 0, err
	}
	return float64(b.stormFiles()) / time.Since(start).Seconds(), nil
}

// stormNotified is told by CHANGE_NOTIFY alone.
func (b *bench) stormNotified() ([]float64, error) {
	return b.inStorm(func() (rate float64, err error) {
		err = b.library(func(ctx context.Context, tree *smbclient.TreeConnect) error {
			o, err := tree.Create(ctx, stormDir, smbclient.CreateParams{Access: wire.FileListDirectory | wire.FileReadAttributes | wire.Synchronize,
				Share: wire.ShareAll, Disposition: wire.DispositionOpen, Options: wire.OptionDirectoryFile})
			if err != nil {
				return err
			}
			told := newTally(b.stormFiles())
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			failed := make(chan error, 1)
			go func() { failed <- countAdded(ctx, o, told) }()
			time.Sleep(time.Second) // the watch is armed
			if rate, err = b.burst(told); err != nil {
				cancel()
				err = errors.Join(err, <-failed)
			}
			return err
		})
		return rate, err
	})
}

// countAdded counts what is notified as added, until ctx ends.
func countAdded(ctx context.Context, o *smbclient.Open, told *tally) error {
	for {
		events, err := o.ChangeNotify(ctx, 0, false, 0)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Action == wire.ActionAdded {
				told.add()
			}
		}
	}
}

// tally counts up to a number, one at a time.
type tally struct {
	n    atomic.Int64
	most int
	full chan struct{} // closed when n has reached most
}

func newTally(most int) *tally { return &tally{most: most, full: make(chan struct{})} }

func (t *tally) add() {
	if t.n.Add(1) == int64(t.most) {
		close(t.full)
	}
}

func (t *tally) wait(timeout time.Duration) error {
	select {
	case <-t.full:
		return nil
	case <-time.After(timeout):
		return fmt.Errorf("%d of %d were told", t.n.Load(), t.most)
	}
}
