package integration

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"

	"golang.org/x/sys/unix"
)

// expiring is a server whose sessions expire: it refuses everything until the user has been authenticated again.
type expiring struct {
	*smbtest.Server
	setups atomic.Int64

	mu      sync.Mutex
	expired map[*smbtest.Conn]bool // guarded by mu
}

func newExpiring(s *smbtest.Server) *expiring {
	e := &expiring{Server: s, expired: map[*smbtest.Conn]bool{}}
	for _, command := range []wire.Command{
		wire.CommandCreate, wire.CommandClose, wire.CommandFlush, wire.CommandRead, wire.CommandWrite, wire.CommandIoctl,
		wire.CommandQueryDirectory, wire.CommandChangeNotify, wire.CommandQueryInfo, wire.CommandSetInfo,
	} {
		s.Hook(command, func(r *smbtest.Request) {
			if e.is(r.Conn) {
				r.Reply(wire.StatusNetworkSessionExpired, nil)
				return
			}
			r.Serve()
		})
	}
	s.Hook(wire.CommandSessionSetup, func(r *smbtest.Request) {
		e.setups.Add(1)
		e.mu.Lock()
		delete(e.expired, r.Conn)
		e.mu.Unlock()
		r.Serve()
	})
	return e
}

func (e *expiring) is(c *smbtest.Conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.expired[c]
}

// expire has all sessions expire.
func (e *expiring) expire() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.Conns() {
		e.expired[c] = true
	}
}

// TestSessionExpires: the user is authenticated again in place. What is open stays open, and what is watched is told, also what changed while
// the server refused to be asked.
func TestSessionExpires(t *testing.T) {
	t.Parallel()
	server, m := mountScripted(t)
	e := newExpiring(server)
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Path("w"), testenv.WatchOptions{})
	a := scriptedActor{server: server}
	must(t, a.write("armed", "", "x"))
	must(t, w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, "armed")))
	f := try[*os.File](t)(os.Create(m.Path("w", "own")))
	defer f.Close()
	for _, name := range []string{"first", "second", "third"} {
		e.expire()
		must(t, a.write(name, "", "x"))
		try[int](t)(f.WriteString(name))
		must(t, f.Sync())
		must(t, w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, name)))
		must(t, a.write(name+" too", "", "x")) // the first may be in an answer that was on its way when the session expired
		must(t, w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, name+" too")))
	}
	must(t, w.WaitQuiet(afterglow, stepTimeout))
	for _, name := range []string{"armed", "first", "second", "third", "own"} {
		if n := countMask(named(w.Events(), name), unix.IN_CREATE); n != 1 {
			t.Errorf("the creation of %s was told %d times", name, n)
		}
	}
	if got, _ := server.Tree.ReadFile(`w\own`); string(got) != "firstsecondthird" {
		t.Errorf("the server has %q", got)
	}
	for _, c := range statusOf(t, m).Connections {
		if c.Reconnects != 0 {
			t.Errorf("the connection was made anew: %+v", c)
		}
	}
	if n := e.setups.Load(); n < 3*2*2 {
		t.Errorf("%d messages of authentication", n)
	}
}

// named are the events about one name.
func named(events []testenv.Event, name string) (about []testenv.Event) {
	for _, e := range events {
		if e.Name == name {
			about = append(about, e)
		}
	}
	return about
}

// TestShareClosed: the server's administrator closes the share for everybody who uses it. It is connected to again in the sessions there are;
// what is open and what is watched goes on. Not parallel: beside others the server sometimes closes it for one connection and not for the other.
func TestShareClosed(t *testing.T) {
	s := testenv.MustSamba(t, testenv.Options{})
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
	arm(t, w, s.Dir)
	f := try[*os.File](t)(os.Create(m.Path("own")))
	defer f.Close()
	for _, name := range []string{"first", "second", "third"} {
		must(t, s.CloseShare())
		must(t, os.WriteFile(s.Path(name), []byte("x"), 0o644))
		try[int](t)(f.WriteString(name))
		must(t, f.Sync())
		must(t, w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, name)))
		reconnected(t, m, 1)
	}
	must(t, w.WaitQuiet(afterglow, stepTimeout))
	for _, name := range []string{"first", "second", "third", "own"} {
		if n := countMask(named(w.Events(), name), unix.IN_CREATE); n != 1 {
			t.Errorf("the creation of %s was told %d times", name, n)
		}
	}
	wantContent(t, s.Path("own"), "firstsecondthird")
}
