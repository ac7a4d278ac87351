package notify

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/cache"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// A behaviour is something that servers do, as a script of what happens to a share, with what has to be told of it: what watchers of a
// local folder would be told if the same happened there.
type behaviour struct {
	name  string
	setup []string // before anyone watches; every directory is watched then
	steps []string
	want  []string
}

// step does one step of a script. On the server:
//
//	write F TEXT    mkdir D    mv A B    rm F    delete D (by another SMB client)
//	aside D         mkdir of a directory that nobody here looks at
//	mute            nothing is told but by the steps below; loud ends it
//	tell D CHANGE…  one notification about D: +name added, -name removed, <name and >name old and new name, ~name modified
//	answer D WORD   ends D's request: enum, empty, cleanup or pending (delete)
//	withhold        requests are not taken up, so that changes are queued; take ends it
//
// Here:
//
//	own make F      own mv A B    own rm F    by a local program
//	begin …         the same, but the server's answer does not arrive before end
//	pin D           a local program watches D
//	wait TIME
func (r *rig) step(line string) {
	r.t.Helper()
	f := strings.Fields(line)
	server := func(i int) string { return strings.ReplaceAll(f[i], "/", `\`) }
	done := true
	switch f[0] {
	case "write":
		done = r.server.Tree.WriteFile(server(1), []byte(f[2]))
	case "mkdir", "aside":
		done = r.server.Tree.Mkdir(server(1))
	case "mv":
		done = r.server.Tree.Rename(server(1), server(2))
	case "rm":
		done = r.server.Tree.Remove(server(1))
	case "delete":
		done = r.server.Tree.Delete(server(1))
	case "mute", "loud":
		r.server.Tree.Mute(f[0] == "mute")
	case "tell":
		r.answer(server(1), wire.StatusSuccess, changes(f[2:])...)
	case "answer":
		r.answer(server(1), map[string]wire.Status{
			"enum": wire.StatusNotifyEnumDir, "empty": wire.StatusSuccess, "cleanup": wire.StatusNotifyCleanup, "pending": wire.StatusDeletePending,
		}[f[2]])
	case "withhold":
		r.withheld = &silence{}
		r.server.Hook(wire.CommandChangeNotify, r.withheld.keep)
	case "take":
		r.server.Hook(wire.CommandChangeNotify, nil)
		r.withheld.serve()
	case "own":
		r.ownWork(f[1:])
	case "begin":
		r.conns[0].hold()
		r.pending = make(chan struct{})
		go func() { defer close(r.pending); r.ownWork(f[1:]) }()
		synctest.Wait()
	case "end":
		r.conns[0].release()
		<-r.pending
	case "pin":
		r.pin(r.look(f[1]))
	case "wait":
		d, err := time.ParseDuration(f[1])
		if err != nil {
			r.t.Fatal(err)
		}
		time.Sleep(d)
	default:
		r.t.Fatalf("unknown step %q", line)
	}
	if !done {
		r.t.Fatalf("%q cannot be done", line)
	}
	time.Sleep(5 * time.Millisecond)
}

func changes(list []string) (events []wire.NotifyEvent) {
	actions := map[byte]wire.NotifyAction{
		'+': wire.ActionAdded, '-': wire.ActionRemoved, '<': wire.ActionRenamedOldName, '>': wire.ActionRenamedNewName, '~': wire.ActionModified,
	}
	for _, c := range list {
		events = append(events, wire.NotifyEvent{Action: actions[c[0]], Name: c[1:]})
	}
	return events
}

// answer ends the request on a directory, once there is one.
func (r *rig) answer(dir string, status wire.Status, events ...wire.NotifyEvent) {
	r.t.Helper()
	for range 100 {
		if r.server.Tree.Notify(dir, status, events...) > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("nobody asks to be notified of %q", dir)
}

// ownWork does what a local program's system call does.
func (r *rig) ownWork(f []string) {
	ctx := context.Background()
	at := func(path string) cache.Place {
		dir, name, _ := strings.Cut(path, "/")
		id, _ := r.tree.ByPath(dir)
		return cache.Place{Dir: id, Name: name}
	}
	work := func(do func(*cache.Own) error, places ...cache.Place) {
		r.engine.Touched(places...)
		own := r.tree.Begin(places...)
		if err := do(own); err != nil {
			r.t.Errorf("own %v: %v", f, err)
		}
		own.End()
		r.engine.Touched(places...)
	}
	p := at(f[1])
	switch f[0] {
	case "make":
		work(func(own *cache.Own) error {
			e, err := r.share.Make(ctx, f[1], false, false)
			if err == nil {
				own.Made(p, e, time.Now())
			}
			return err
		}, p)
	case "rm":
		work(func(own *cache.Own) error {
			err := r.share.Remove(ctx, f[1], false, 0)
			if err == nil {
				own.Removed(p)
			}
			return err
		}, p)
	case "mv":
		to := at(f[2])
		work(func(own *cache.Own) error {
			err := r.share.Rename(ctx, f[1], f[2], true, 0)
			if err == nil {
				own.Renamed(p, to, time.Now())
			}
			return err
		}, p, to)
	}
}

// play runs a behaviour's script and compares what was told.
func (b behaviour) play(t *testing.T, opts Options) {
	r := b.run(t, opts)
	if got := r.lines(); !slices.Equal(got, b.want) {
		t.Errorf("told:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(b.want, "\n  "))
	}
}

// run runs the script and waits until all has long been told.
func (b behaviour) run(t *testing.T, opts Options) *rig {
	r := newRig(t, opts, nil)
	var ids []cache.ID
	for _, line := range b.setup {
		r.step(line)
	}
	time.Sleep(time.Second) // it is no news to who looks now
	for _, line := range b.setup {
		if dir, ok := strings.CutPrefix(line, "mkdir "); ok {
			id := r.look(dir)
			r.list(id)
			ids = append(ids, id)
		}
	}
	r.pin(ids...)
	time.Sleep(15 * time.Second)
	if n := len(r.lines()); n > 0 {
		t.Fatalf("told before anything happened: %v", r.lines())
	}
	for _, line := range b.steps {
		r.step(line)
	}
	time.Sleep(90 * time.Second) // every directory has been compared since
	if v := r.server.Violations(); len(v) > 0 {
		t.Error(v)
	}
	return r
}

func (r *rig) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.told)
}

// serve takes up the requests that were kept.
func (s *silence) serve() {
	for _, r := range s.take() {
		r.Serve()
	}
}

// keep keeps requests, without an interim response.
func (s *silence) keep(r *smbtest.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, r)
}

func (r *rig) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := r.server.Dial(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	h := &heldConn{Conn: conn}
	r.conns = append(r.conns, h)
	return h, nil
}

// heldConn is a connection on which what the server says can be held up.
type heldConn struct {
	net.Conn
	mu   sync.Mutex
	held chan struct{} // guarded by mu; closed when reading may go on
}

func (c *heldConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	held := c.held
	c.mu.Unlock()
	if held != nil {
		<-held
	}
	return n, err
}

func (c *heldConn) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = make(chan struct{})
}

func (c *heldConn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.held)
	c.held = nil
}
