package share

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync/atomic"
	"time"

	"smbfs/cache"
	"smbfs/share/rundown"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// Share is one share, or a directory in it, that is mounted.
type Share struct {
	work    *Line
	watches watchLines
	prefix  string                // the mount's root below the share's, '\' separated
	probes  rundown.Table[string] // handles by which files and directories are only looked at, by path
	files   files
	outage  outage
	onBreak atomic.Pointer[func(smbclient.BreakEvent)]
}

// New returns the share that the two lines lead to. prefix is the directory that is
// mounted, '/' or '\' separated, as the server names it; "" is the root.
func New(work, watch *Line, prefix string) *Share {
	s := &Share{work: work, prefix: strings.Trim(strings.ReplaceAll(prefix, "/", `\`), `\`)}
	s.watches = watchLines{first: watch, held: map[*Line]int{}, lost: s.lostWatches}
	work.restoreWith(s.restore)
	return s
}

// Spread lets the share make further connections for watches by dial when there are many directories; number is 2 for the second. It is called
// before the share is used. Close closes them.
func (s *Share) Spread(dial func(ctx context.Context, number int) (*Line, error)) {
	s.watches.dial = dial
}

// Close closes the connections that the share has made itself. Preconditions: nobody uses it any more.
func (s *Share) Close() { s.watches.close() }

// Connections is how the connections do: first that for work, then those for watches.
func (s *Share) Connections() []LineStatus {
	return append([]LineStatus{s.work.Status()}, s.watches.status()...)
}

// Reachable reports whether requests for work would be sent at once.
func (s *Share) Reachable() bool { return s.work.isUp() }

// OnWork has f called when the connection for work has gone down or come back. f must not wait.
func (s *Share) OnWork(f func(up bool)) { s.work.notify(f) }

// IsLost reports whether err says that the connection is gone, or what the server had made of it.
func IsLost(err error) bool { return isLoss(err) }

// Clock is what the server's clock shows now; zero: that is not known.
func (s *Share) Clock() time.Time { return s.work.Status().Tree.Session().Connection().ServerTime() }

// ClockAt is what the server's clock showed at t, as a FILETIME; zero: that is not known.
func (s *Share) ClockAt(t time.Time) int64 {
	clock := s.Clock()
	if clock.IsZero() {
		return 0
	}
	return int64(wire.FiletimeOf(clock.Add(-time.Since(t))))
}

// OnBreak has f called when the server takes back a lease; f has to acknowledge. See smbclient.Connection.OnBreak.
func (s *Share) OnBreak(f func(smbclient.BreakEvent)) {
	s.onBreak.Store(&f)
	s.hearBreaks(s.work.Status().Tree)
}

func (s *Share) hearBreaks(t *smbclient.TreeConnect) {
	if f := s.onBreak.Load(); f != nil {
		t.Session().Connection().OnBreak(*f)
	}
}

// Root returns what the server says of the mount's root.
func (s *Share) Root(ctx context.Context) (cache.Entry, error) {
	return s.statPath(ctx, s.prefix, true)
}

// Stat asks for name in the directory dir. trueName is the name as the server has it, which may
// differ from what was asked for in case.
func (s *Share) Stat(ctx context.Context, dir, name string) (e cache.Entry, trueName string, err error) {
	found, err := ask(ctx, s.work, func(t *smbclient.TreeConnect) (*wire.DirEntry, error) {
		return t.LookupIn(ctx, s.ServerPath(dir), serverName(name))
	})
	if err != nil {
		return cache.Entry{}, "", err
	}
	if found == nil {
		return cache.Entry{}, "", fs.ErrNotExist
	}
	trueName, ok := localName(found.Name)
	if !ok || found.BadName {
		return cache.Entry{}, "", fs.ErrNotExist
	}
	if found.FileID == 0 || found.FileID == ^uint64(0) {
		found.FileID = s.madeID(join(dir, trueName))
	}
	return entryOf(found), trueName, nil
}

// StatPath asks for the object at path. Unlike Stat it tells the number of links and not the
// name's true case.
func (s *Share) StatPath(ctx context.Context, path string) (cache.Entry, error) {
	return s.statPath(ctx, s.ServerPath(path), false)
}

func (s *Share) statPath(ctx context.Context, path string, follow bool) (cache.Entry, error) {
	st, err := ask(ctx, s.work, func(t *smbclient.TreeConnect) (smbclient.FileStat, error) { return t.Stat(ctx, path, follow) })
	if err != nil {
		return cache.Entry{}, err
	}
	e := s.entryOfStat(path, st)
	if st.Attributes&wire.AttributeReparsePoint != 0 && !follow {
		e.Kind = s.reparseKind(ctx, path, e.Kind)
	}
	return e, nil
}

// reparseKind tells a symbolic link from other reparse points, which are what they look like.
func (s *Share) reparseKind(ctx context.Context, path string, kind cache.Kind) cache.Kind {
	if b, err := s.reparsePoint(ctx, path); err == nil && b.Tag == wire.ReparseTagSymlink {
		return cache.Symlink
	}
	return kind
}

// OneMessage is how many entries a directory may have to be listed in one message, as a rule.
const OneMessage = 4000

// List lists the directory at path, which is believed to have so many entries.
func (s *Share) List(ctx context.Context, path string, entries int) ([]cache.Observation, error) {
	if entries <= OneMessage {
		if list, whole, err := s.ListOnce(ctx, path); err != nil || whole {
			return list, err
		}
	}
	list, err := ask(ctx, s.work, func(t *smbclient.TreeConnect) ([]wire.DirEntry, error) {
		o, list, err := t.CreateAndList(ctx, s.ServerPath(path), listParams, "")
		if err != nil {
			return nil, err
		}
		_, _ = o.Close(ctx)
		return list, nil
	})
	return s.observations(path, list), err
}

// ListOnce lists the directory at path in one message. It reports false if it has more entries than fit into that.
func (s *Share) ListOnce(ctx context.Context, path string) (entries []cache.Observation, whole bool, err error) {
	list, err := ask(ctx, s.work, func(t *smbclient.TreeConnect) (list []wire.DirEntry, err error) {
		_, list, whole, err = t.ListOnce(ctx, s.ServerPath(path), listParams, "*")
		return list, err
	})
	return s.observations(path, list), whole, err
}

// listParams open a directory to read its names.
var listParams = smbclient.CreateParams{
	Access:      wire.FileListDirectory | wire.FileReadAttributes | wire.Synchronize,
	Share:       wire.ShareAll,
	Disposition: wire.DispositionOpen,
	Options:     wire.OptionDirectoryFile,
}

// watchParams have the server say, too, which directory it is.
var watchParams = func() smbclient.CreateParams {
	p := listParams
	p.Contexts = []wire.CreateContext{(&wire.QueryOnDiskIDRequest{}).Context()}
	return p
}()

func (s *Share) list(ctx context.Context, o *smbclient.Open, path string) ([]cache.Observation, error) {
	entries, err := o.ReadDir(ctx, "*")
	if err != nil {
		return nil, err
	}
	return s.observations(path, entries), nil
}

// observations takes a listing of the directory at path.
func (s *Share) observations(path string, entries []wire.DirEntry) []cache.Observation {
	list := make([]cache.Observation, 0, len(entries))
	seen := make(map[string]struct{}, len(entries))
	for i := range entries {
		name, ok := localName(entries[i].Name)
		_, twice := seen[name]
		if !ok || twice || entries[i].BadName {
			continue
		}
		seen[name] = struct{}{}
		e := s.listed(path, name, &entries[i])
		list = append(list, cache.Observation{Name: name, Entry: &e})
	}
	return list
}

// listed is the entry of a listing, with an id made of its path if the server has none.
func (s *Share) listed(dir, name string, d *wire.DirEntry) cache.Entry {
	if d.FileID == 0 || d.FileID == ^uint64(0) {
		d.FileID = s.madeID(join(dir, name))
	}
	return entryOf(d)
}

// Space is what a file system has, in blocks of BlockSize bytes.
type Space struct {
	BlockSize              uint32
	Total, Free, Available uint64
}

// StatFS returns the space of the share.
func (s *Share) StatFS(ctx context.Context) (Space, error) {
	info, err := ask(ctx, s.work, func(t *smbclient.TreeConnect) (smbclient.FSInfo, error) { return t.StatFS(ctx) })
	if err != nil {
		return Space{}, err
	}
	return Space{uint32(info.BlockSize), info.TotalBlocks, info.FreeBlocks, info.AvailableBlocks}, nil
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// IsGone reports whether err says that there is no such file or directory.
func IsGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || smbclient.HasStatus(err, wire.StatusDeletePending, wire.StatusNoSuchFile,
		wire.StatusObjectNameNotFound, wire.StatusObjectPathNotFound, wire.StatusFileDeleted, wire.StatusNotADirectory)
}

// IsUnsupported reports whether err says that the server cannot do this at all.
func IsUnsupported(err error) bool {
	return smbclient.HasStatus(err, wire.StatusNotSupported, wire.StatusNotImplemented, wire.StatusInvalidDeviceRequest)
}

// IsExhausted reports whether err says that the server has no more of what it takes.
func IsExhausted(err error) bool {
	return smbclient.HasStatus(err, wire.StatusInsufficientResources, wire.StatusTooManyOpenedFiles)
}

// IsForbidden reports whether err says that the user may not do this.
func IsForbidden(err error) bool { return smbclient.HasStatus(err, wire.StatusAccessDenied) }
