package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"smbfs/cache"
	"smbfs/integration/testenv"
	"smbfs/notify"
	"smbfs/share"
	"smbfs/smbclient"
	"smbfs/smbclient/smbtest"

	"golang.org/x/sys/unix"
)

const (
	sustainedGoal = 20_000 // changes a second, through the engine
	sustainedDirs = 20     // directories that they are spread over
	// sustainedAhead is how many changes the server is ahead of what was told: it never has so many in one directory that a listing tells of all.
	sustainedAhead = 50 * sustainedDirs
)

// sustained has a scripted server make files, always a little ahead of what was told, and counts what is told a second, each file once: by the
// engine alone, to a teller that does nothing but count, and through a mount to inotify.
func (b *bench) sustained() error {
	for _, s := range []struct {
		what   string
		files  int
		goal   float64
		stream func(*stream) error
	}{
		{"remote changes through the engine, scripted server", 50 * b.few(), sustainedGoal, (*stream).throughEngine},
		{"remote changes through a mount to inotify, scripted server", 10 * b.few(), 0, (*stream).throughMount},
	} {
		var rates, cpu []float64
		for range b.runs {
			if err := b.interrupted(); err != nil {
				return err
			}
			done, err := streamed(s.files, s.stream)
			if err != nil {
				return fmt.Errorf("%s: %w", s.what, err)
			}
			rates, cpu = append(rates, done.rate), append(cpu, done.cpu)
		}
		ours := figure(median(rates), "files/s")
		if used := median(cpu); used > 0 {
			ours += fmt.Sprintf(", daemon and helper take %.0f µs of CPU each", used*1e6)
		}
		target := "none"
		if s.goal > 0 {
			target = fmt.Sprintf("at least %.0f/s, none lost", s.goal)
		}
		b.table.add(fmt.Sprintf("%s: %d files in %d directories", s.what, s.files, sustainedDirs), ours, "", "", target, median(rates) >= s.goal)
	}
	return nil
}

// stream is one such server, and what was told of it.
type stream struct {
	server *smbtest.Server
	port   string
	files  int
	rate   float64 // files told a second
	cpu    float64 // processor seconds that daemon and helper took for each; 0: there are none

	mu    sync.Mutex
	moved *sync.Cond
	told  map[string]bool // guarded by mu
	err   error           // guarded by mu
}

func streamed(files int, through func(*stream) error) (*stream, error) {
	s := &stream{server: smbtest.NewServer(smbtest.Options{}), files: files, told: make(map[string]bool, files)}
	s.moved = sync.NewCond(&s.mu)
	defer s.server.Close()
	address, err := s.server.Listen()
	if err != nil {
		return nil, err
	}
	s.port = address[strings.LastIndex(address, ":")+1:]
	for i := range sustainedDirs {
		s.server.Tree.Mkdir(streamDir(i))
	}
	return s, through(s)
}

func streamDir(i int) string { return fmt.Sprintf("d%02d", i%sustainedDirs) }

// tell takes note of a file that was told.
func (s *stream) tell(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told[name] {
		s.err = fmt.Errorf("%s was told twice", name)
	}
	s.told[name] = true
	s.moved.Signal()
}

// run makes the files and waits until all have been told.
func (s *stream) run() error {
	late := time.AfterFunc(2*time.Minute, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err = errors.Join(s.err, fmt.Errorf("%d of %d were told", len(s.told), s.files))
		s.moved.Signal()
	})
	defer late.Stop()
	start := time.Now()
	for i := range s.files {
		if err := s.until(i - sustainedAhead); err != nil {
			return err
		}
		s.server.Tree.WriteFile(fmt.Sprintf(`%s\file-%06d`, streamDir(i), i), nil)
	}
	err := s.until(s.files)
	s.rate = float64(s.files) / time.Since(start).Seconds()
	return err
}

// until waits until n files have been told.
func (s *stream) until(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.told) < n && s.err == nil {
		s.moved.Wait()
	}
	return s.err
}

// throughMount has inotify watch all directories of a mount.
func (s *stream) throughMount() error {
	m, err := testenv.Mount(testenv.MountOptions{Source: "//127.0.0.1/" + smbtest.Share, Env: []string{"PASSWD=" + smbtest.Password},
		Options: []string{"port=" + s.port, "username=" + smbtest.User}})
	if err != nil {
		return err
	}
	defer m.Close()
	w, err := testenv.WatchInotify(m.Mountpoint, testenv.WatchOptions{OnEvent: func(e testenv.Event) {
		if e.Mask == unix.IN_CREATE {
			s.tell(e.Path())
		}
	}})
	if err != nil {
		return err
	}
	defer w.Close()
	if err := m.WaitArmed(sustainedDirs+1, time.Minute); err != nil {
		return err
	}
	before, err := cpuOf(m)
	if err != nil {
		return err
	}
	if err := s.run(); err != nil {
		return err
	}
	after, err := cpuOf(m)
	s.cpu = (after - before) / float64(s.files)
	return errors.Join(err, w.Err())
}

// cpuOf is the processor time of a mount's daemon and its helpers, in seconds.
func cpuOf(m *testenv.Mounted) (total float64, err error) {
	for _, pid := range append(m.HelperPIDs(), m.PID) {
		used, err := cpuSeconds(pid)
		if err != nil {
			return 0, err
		}
		total += used
	}
	return total, nil
}

// throughEngine tells nobody but the stream.
func (s *stream) throughEngine() error {
	ctx := context.Background()
	var lines []*share.Line
	for range 2 {
		session, err := smbclient.Connect(ctx, smbclient.Config{Address: "127.0.0.1:" + s.port, Credentials: s.server.Credentials()})
		if err != nil {
			return err
		}
		defer session.Close()
		tree, err := session.TreeConnect(ctx, smbtest.Share)
		if err != nil {
			return err
		}
		l := share.NewLine(tree, share.LineOptions{})
		defer l.Close(ctx)
		lines = append(lines, l)
	}
	sh := share.New(lines[0], lines[1], "")
	root, err := sh.Root(ctx)
	if err != nil {
		return err
	}
	teller := &streamTeller{stream: s, tree: cache.New(root, notify.HoldFor)}
	engine := notify.New(sh, teller.tree, teller, notify.Options{})
	defer engine.Close(ctx)
	for i := range sustainedDirs { // what the kernel's lookup of a directory does
		asOf, now := teller.tree.Now(), time.Now()
		e, _, err := sh.Stat(ctx, "", streamDir(i))
		if err != nil {
			return err
		}
		engine.Use(teller.tree.Saw(cache.Place{Dir: cache.RootID, Name: streamDir(i)}, asOf, now, &e).View.ID)
	}
	for s.server.Tree.Waiting() < sustainedDirs {
		time.Sleep(10 * time.Millisecond)
	}
	return s.run()
}

// streamTeller does what the file system does when the kernel has made the call.
type streamTeller struct {
	stream *stream
	tree   *cache.Tree
}

// Tell implements notify.Teller.
func (t *streamTeller) Tell(_ context.Context, c *cache.Change) error {
	if _, ok := t.tree.Commit(c, c.Op == cache.Create); !ok {
		return notify.ErrStale
	}
	if c.Op == cache.Create {
		t.stream.tell(c.From.Name)
	}
	return nil
}

// Move implements notify.Teller.
func (t *streamTeller) Move(c *cache.Change) { t.stream.tell(c.From.Name + " could not be told") }

// DropPages implements notify.Teller.
func (t *streamTeller) DropPages(cache.ID) {}
