package fs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"smbfs/cache"
	"smbfs/fs/inval"
	"smbfs/notify"
	"smbfs/notify/marks"
	"smbfs/notify/replay"
	"smbfs/share"
)

// Options say how a share is mounted and shown.
type Options struct {
	Source      string // shown as the mounted device
	UID, GID    uint32 // owner of everything
	FileMode    uint32 // permission bits
	DirMode     uint32
	ReadOnly    bool
	AllowOther  bool
	AttrTimeout time.Duration // how long attributes and names are believed without a question
	LocalLocks  bool          // locks are the kernel's alone: the server hears of none
	Offline     bool          // while the server cannot be reached, coherent directories are shown as they were
	MountFlags  []string      // nosuid, nodev, noexec and the like
	Notify      notify.Options
	Logger      *slog.Logger
}

// FileSystem serves one share. It is made by Mount.
type FileSystem struct {
	fuse.RawFileSystem // ENOSYS for what is not here
	opts               Options
	share              *share.Share
	tree               *cache.Tree
	engine             *notify.Engine
	helper             *replay.Helper
	server             *fuse.Server
	inval              *inval.Sender
	handles            *handles
	files              files
	ahead              aheadMemory
	behind             behindMemory
	pages              pages
	first              firstMemory
	dirs               dirHandles
	walks              walks
	offline            offline
	localLocks         atomic.Bool // the server has no locks
	log                *slog.Logger
	nowhere            string // the name in the root under which the helper finds cache.NowhereID

	ctx    context.Context // of every request; ends when the file system does
	cancel context.CancelFunc
	waits  *waits
	served sync.WaitGroup
}

// maxIO is the largest READ and WRITE of the kernel's, in bytes.
const maxIO = 1 << 20

// Mount mounts the share on a directory. It returns when the mount has answered a request.
func Mount(ctx context.Context, s *share.Share, mountpoint string, opts Options) (*FileSystem, error) {
	mountpoint, err := filepath.Abs(mountpoint)
	if err != nil {
		return nil, err
	}
	if mountpoint, err = filepath.EvalSymlinks(mountpoint); err != nil {
		return nil, err
	}
	root, err := s.Root(ctx)
	if err != nil {
		return nil, err
	}
	if root.Kind != cache.Directory {
		return nil, fmt.Errorf("%s is not a directory", opts.Source)
	}
	f := &FileSystem{
		RawFileSystem: fuse.NewDefaultRawFileSystem(),
		opts:          opts,
		share:         s,
		tree:          cache.New(root, notify.HoldFor),
		handles:       newHandles(),
		log:           opts.Logger,
		nowhere:       ".smbfs-nowhere-" + rand.Text(),
	}
	if f.log == nil {
		f.log = slog.Default()
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.ahead.ctx, f.waits = f.ctx, newWaits(f.ctx)
	s.OnWork(f.reached)
	s.OnBreak(f.broken)
	if err := f.serve(ctx, mountpoint); err != nil {
		f.cancel()
		return nil, err
	}
	return f, nil
}

// serve mounts and starts what answers and what tells.
func (f *FileSystem) serve(ctx context.Context, mountpoint string) error {
	server, err := fuse.NewServer(gate{f.local(), f}, mountpoint, f.mountOptions())
	if err != nil {
		return err
	}
	f.server = server
	if f.inval, err = inval.New(f.log); err != nil {
		return errors.Join(err, server.Unmount())
	}
	device, err := replay.DeviceOf(mountpoint)
	if err != nil {
		return errors.Join(err, server.Unmount())
	}
	f.helper = replay.New(replay.Config{Mountpoint: mountpoint, Device: device, Logger: f.log})
	f.opts.Notify.Logger = f.log
	f.findMarks(device)
	f.engine = notify.New(f.share, f.tree, f, f.opts.Notify)
	f.ahead.kernel = raiseReadahead(device, f.log) // the kernel has had our INIT
	f.served.Go(server.Serve)
	if err := f.helper.Start(ctx); err != nil {
		return errors.Join(err, f.Unmount())
	}
	f.engine.Use(cache.RootID)
	return nil
}

// findMarks has the engine find out which directories local programs watch.
func (f *FileSystem) findMarks(device uint64) {
	if f.opts.Notify.Mode == notify.Off {
		return
	}
	s, err := marks.New(device, marks.Options{Logger: f.log})
	if err != nil {
		f.log.Warn("who watches what cannot be found out: all directories in use count alike", "err", err)
		return
	}
	f.opts.Notify.Marks = s
}

func (f *FileSystem) mountOptions() *fuse.MountOptions {
	o := &fuse.MountOptions{
		FsName:        f.opts.Source,
		Name:          "smbfs",
		AllowOther:    f.opts.AllowOther,
		MaxWrite:      maxIO,
		MaxReadAhead:  maxIO,
		MaxBackground: 128,
		DisableXAttrs: true,
		EnableLocks:   !f.opts.LocalLocks,
		DisableSplice: true, // with requests of 1 MiB it fails on every read unless pipes may be larger
		DirectMount:   os.Geteuid() == 0,
		Options:       f.opts.MountFlags,

		ExtraCapabilities: fuse.CAP_DIRECT_IO_ALLOW_MMAP,
	}
	if os.Geteuid() == 0 {
		// The helper has the capabilities that let its calls pass. As an ordinary user it has none,
		// and the kernel would refuse them.
		o.Options = append(o.Options, "default_permissions")
	}
	return o
}

// raiseReadahead lets the kernel keep four of the largest requests ahead, and returns how many bytes it now reads ahead. Only
// root may; it stays at 128 KiB otherwise.
func raiseReadahead(device uint64, log *slog.Logger) int64 {
	path := fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", device>>8&0xfff, device&0xff|device>>12&^0xff)
	if err := os.WriteFile(path, fmt.Appendf(nil, "%d", 4*maxIO>>10), 0); err != nil {
		log.Debug("read-ahead stays at the kernel's default", "err", err)
		return 128 << 10
	}
	return 4 * maxIO
}

// Wait returns when the file system is unmounted, whoever did it, and everything is closed.
func (f *FileSystem) Wait() {
	f.served.Wait()
	f.stopTelling()
	f.cancel()
	f.walks.ahead.Wait()
}

// Unmount unmounts. Nothing is told any more from here on, even if it fails because the mount
// is busy.
func (f *FileSystem) Unmount() error {
	f.stopTelling()
	return f.server.Unmount()
}

// stopTelling ends the engine and its two helpers. Each may be ended twice.
func (f *FileSystem) stopTelling() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	f.engine.Close(ctx)
	if err := f.helper.Close(); err != nil {
		f.log.Warn("the replay helper did not end", "err", err)
	}
	f.inval.Close()
}

// Stats returns the counters of the notification engine.
func (f *FileSystem) Stats() notify.Stats { return f.engine.Stats() }
