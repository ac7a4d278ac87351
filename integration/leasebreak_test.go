package integration

import (
	"os"
	"sync"
	"testing"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// leaser is a scripted server that grants leases, and breaks them when it is told to.
type leaser struct {
	*smbtest.Server
	meanwhile func(*smbtest.Conn, wire.LeaseKey) // called before a CREATE with a lease is answered; may be nil

	mu    sync.Mutex
	conn  *smbtest.Conn         // guarded by mu: on which the last lease was granted
	key   wire.LeaseKey         // guarded by mu
	gave  int                   // guarded by mu: leases granted
	acked map[*smbtest.Conn]int // guarded by mu: breaks acknowledged
}

func mountLeaser(t *testing.T, meanwhile func(*smbtest.Conn, wire.LeaseKey)) (*leaser, *testenv.Mounted) {
	t.Helper()
	server, m := mountServer(t, smbtest.Options{Leases: true})
	l := &leaser{Server: server, meanwhile: meanwhile, acked: map[*smbtest.Conn]int{}}
	server.Tree.WriteFile(`w\f`, []byte("before"))
	server.Hook(wire.CommandCreate, func(r *smbtest.Request) {
		if name, key, asked := r.Grant(wire.LeaseRead | wire.LeaseHandle | wire.LeaseWrite); asked && name == `w\f` {
			if l.meanwhile != nil {
				l.meanwhile(r.Conn, key)
			}
			l.mu.Lock()
			l.conn, l.key = r.Conn, key
			l.gave++
			l.mu.Unlock()
		}
		r.Serve()
	})
	server.Hook(wire.CommandOplockBreak, func(r *smbtest.Request) {
		var in wire.LeaseBreakRequest
		_ = in.Decode(r.Body)
		l.mu.Lock()
		l.acked[r.Conn]++
		l.mu.Unlock()
		r.Reply(wire.StatusSuccess, &wire.LeaseBreakResponse{LeaseBreak: in.LeaseBreak})
	})
	t.Cleanup(func() {
		for _, v := range server.Violations() {
			t.Error(v)
		}
	})
	testenv.WaitUntil(stepTimeout, func() bool { _, err := os.Stat(m.Path("w/f")); return err == nil })
	return l, m
}

// breakAll takes all of a lease back.
func breakAll(c *smbtest.Conn, key wire.LeaseKey) {
	c.Notify(wire.CommandOplockBreak, &wire.LeaseBreakNotification{NewEpoch: 2, Flags: wire.LeaseBreakAckRequired, LeaseKey: key,
		CurrentLeaseState: wire.LeaseRead | wire.LeaseHandle | wire.LeaseWrite, NewLeaseState: wire.LeaseNone})
}

// granted returns the last lease, and how many there were.
func (l *leaser) granted() (*smbtest.Conn, wire.LeaseKey, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn, l.key, l.gave
}

// wantAck waits until a break was acknowledged on that connection.
func (l *leaser) wantAck(t *testing.T, c *smbtest.Conn) {
	t.Helper()
	if !testenv.WaitUntil(stepTimeout, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.acked[c] > 0
	}) {
		t.Fatal("the break is not acknowledged")
	}
}

// wantReads waits until an open file has that content.
func wantReads(t *testing.T, f *os.File, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if !testenv.WaitUntil(stepTimeout, func() bool { _, err := f.ReadAt(b, 0); return err == nil && string(b) == want }) {
		t.Errorf("the file shows %q, want %q", b, want)
	}
}

// TestLeaseBreakAtOpen: the break overtakes the answer to the CREATE, which says that the lease was granted.
func TestLeaseBreakAtOpen(t *testing.T) {
	t.Parallel()
	l, m := mountLeaser(t, breakAll)
	f := try[*os.File](t)(os.OpenFile(m.Path("w/f"), os.O_RDWR, 0))
	defer f.Close()
	conn, _, _ := l.granted()
	l.wantAck(t, conn)
	wantReads(t, f, "before")
	try[int](t)(f.WriteAt([]byte("WRITE"), 0)) // there is no lease that lets it wait
	if got, _ := l.Tree.ReadFile(`w\f`); string(got) != "WRITEe" {
		t.Errorf("the server has %q", got)
	}
}

// TestLeaseBreakOfOpenFile: who has the file open is shown what has become of it under its old size and time, though nothing else tells.
func TestLeaseBreakOfOpenFile(t *testing.T) {
	t.Parallel()
	l, m := mountLeaser(t, nil)
	f := try[*os.File](t)(os.Open(m.Path("w/f")))
	defer f.Close()
	wantReads(t, f, "before")
	l.Tree.Overwrite(`w\f`, []byte("behind"))
	conn, key, _ := l.granted()
	breakAll(conn, key)
	l.wantAck(t, conn)
	wantReads(t, f, "behind")
}

// TestLeaseBreakAfterClose: a break that comes for a file that is closed by now is acknowledged, and its pages are not kept.
func TestLeaseBreakAfterClose(t *testing.T) {
	t.Parallel()
	l, m := mountLeaser(t, nil)
	wantContent(t, m.Path("w/f"), "before")
	conn, key, _ := l.granted()
	breakAll(conn, key)
	l.wantAck(t, conn)
	l.Tree.WriteFile(`w\f`, []byte("behind"))
	wantContent(t, m.Path("w/f"), "behind")
}

// TestLeaseBreakAfterReconnect: the lease that a file has got on the next connection is broken there.
func TestLeaseBreakAfterReconnect(t *testing.T) {
	t.Parallel()
	l, m := mountLeaser(t, nil)
	f := try[*os.File](t)(os.Open(m.Path("w/f")))
	defer f.Close()
	wantReads(t, f, "before")
	first, _, before := l.granted()
	first.Close()
	if !testenv.WaitUntil(stepTimeout, func() bool { _, _, now := l.granted(); return now > before }) {
		t.Fatal("the file is not opened again")
	}
	next, key, _ := l.granted()
	if next == first {
		t.Fatal("it is the same connection")
	}
	wantReads(t, f, "before")
	l.Tree.Overwrite(`w\f`, []byte("behind"))
	breakAll(next, key)
	l.wantAck(t, next)
	wantReads(t, f, "behind")
}
