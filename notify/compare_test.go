package notify

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/cache"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestOvertaken: a local program moves a new name before its creation can be told. The call fails, and
// that is nobody's loss.
func TestOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := watched(t, Options{}, nil)
		moved := false
		r.fail = func(c *cache.Change) error {
			if moved || c.Op != cache.Create || c.From.Name != "f" {
				return nil
			}
			moved = true
			to := cache.Place{Dir: d, Name: "g"}
			own := r.tree.Begin(c.From, to)
			r.server.Tree.Rename(`d\f`, `d\g`)
			own.Renamed(c.From, to, time.Now())
			own.End()
			return errors.New("no such file")
		}
		r.write(`d\f`, "hello")
		time.Sleep(5 * time.Second)
		r.said("could not be told", 0)
		if st := r.engine.Stats(); st.Untold != 0 || !moved {
			t.Errorf("status: %+v", st)
		}
	})
}

// TestManyRenamed: what a listing lacks is asked for one by one only if it is not much.
func TestManyRenamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const files = 1000
		var asked counter
		r, d := watched(t, Options{Mode: Poll}, func(s *smbtest.Server) {
			s.Hook(wire.CommandQueryDirectory, counting(&asked, nil))
		})
		for i := range files {
			r.write(fmt.Sprintf(`d\f%d`, i), "hello")
		}
		time.Sleep(5 * time.Second)
		r.list(d)
		before := asked.get()
		for i := range files {
			r.server.Tree.Rename(fmt.Sprintf(`d\f%d`, i), fmt.Sprintf(`d\g%d`, i))
		}
		time.Sleep(5 * time.Second)
		for i := range files {
			if n := r.count(fmt.Sprintf("rename d/f%d d/g%d", i, i)); n != 1 {
				t.Fatalf("the rename of f%d was told %d times", i, n)
			}
		}
		if n := asked.get() - before; n > files/4 {
			t.Errorf("%d questions about %d renames", n, files)
		}
	})
}

// TestAbsentForAMoment: what one listing lacks and the next has is not gone.
func TestAbsentForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const files = 1000
		r, d := watched(t, Options{Mode: Poll}, nil)
		r.make("aside")
		for i := range files {
			r.write(fmt.Sprintf(`d\f%d`, i), "hello")
		}
		time.Sleep(5 * time.Second)
		r.list(d)
		moveAll := func(from, to string) {
			for i := range files {
				r.server.Tree.Rename(fmt.Sprintf(`%s\f%d`, from, i), fmt.Sprintf(`%s\f%d`, to, i))
			}
		}
		var done atomic.Bool                                         // requests come over two connections
		r.server.Hook(wire.CommandCreate, func(q *smbtest.Request) { // the one that opens d to be listed
			if !done.Swap(true) {
				moveAll("d", "aside")
				r.server.Hook(wire.CommandClose, func(q *smbtest.Request) {
					r.server.Hook(wire.CommandClose, nil)
					moveAll("aside", "d")
					q.Serve()
				})
			}
			q.Serve()
		})
		time.Sleep(20 * time.Second)
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, line := range r.told {
			if strings.HasPrefix(line, "remove") {
				t.Fatalf("told: %s", line)
			}
		}
		if !done.Load() {
			t.Fatal("nothing was listed")
		}
	})
}

// TestRenamedWhileListing: a listing misses a file under its old name and the new one. It is renamed, not
// gone.
func TestRenamedWhileListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := watched(t, Options{Mode: Poll}, nil)
		r.make("aside")
		r.write(`d\f`, "hello")
		time.Sleep(5 * time.Second)
		r.list(d)
		var done atomic.Bool // requests come over two connections
		r.server.Hook(wire.CommandQueryDirectory, func(q *smbtest.Request) {
			if !done.Swap(true) {
				r.server.Tree.Rename(`d\f`, `aside\f`)
				defer r.server.Tree.Rename(`aside\f`, `d\g`)
			}
			q.Serve()
		})
		r.within(20*time.Second, "rename d/f d/g")
		if r.count("remove d/f") != 0 {
			t.Error("the file was told gone")
		}
	})
}

// TestSecurityNotRead: permissions that could not be read are no permissions that changed.
func TestSecurityNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused counter
		r, _ := watched(t, Options{}, func(s *smbtest.Server) {
			s.Hook(wire.CommandQueryInfo, func(q *smbtest.Request) {
				if len(q.Body) > 2 && wire.InfoType(q.Body[2]) != wire.InfoSecurity { // MS-SMB2 2.2.37
					q.Serve()
					return
				}
				refused.add(1)
				q.Reply(wire.StatusSharingViolation, nil)
			})
		})
		r.write(`d\f`, "hello")
		r.within(time.Second, "create d/f")
		time.Sleep(10 * time.Second)
		if refused.get() == 0 {
			t.Fatal("nobody asked for permissions")
		}
		r.server.Hook(wire.CommandQueryInfo, nil)
		r.server.Tree.Notify("d", wire.StatusSuccess, wire.NotifyEvent{Action: wire.ActionModified, Name: "f"})
		time.Sleep(10 * time.Second)
		if n := r.count("attrib d/f"); n != 0 {
			t.Errorf("attrib was told %d times", n)
		}
	})
}

// TestCompareInterval: an interval that is asked for is kept, though listings take their time.
func TestCompareInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const dirs = 16
		r := newRig(t, Options{Compare: 2 * time.Second}, func(s *smbtest.Server) {
			s.Hook(wire.CommandQueryDirectory, func(q *smbtest.Request) {
				time.Sleep(20 * time.Millisecond)
				q.Serve()
			})
		})
		r.watched(dirs)
		time.Sleep(20 * time.Second)
		r.write(`d0\f`, "hello")
		r.within(time.Second, "create d0/f")
		time.Sleep(5 * time.Minute)
		r.server.Hook(wire.CommandChangeNotify, new(silence).hook)
		r.write(`d1\f`, "hello") // told; the request after it is lost
		r.within(time.Second, "create d1/f")
		r.write(`d1\g`, "hello")
		r.within(5*time.Second, "create d1/g")
	})
}

// TestAskedWhereNothingIs: what became of a name decides what is told of another, and the directory that
// it was in is gone. It is answered for without the server, and others' changes do not wait behind it.
func TestAskedWhereNothingIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{Mode: Poll}, func(s *smbtest.Server) {
			s.Tree.Mkdir("b")
			s.Tree.Mkdir(`b\d`)
			s.Tree.WriteFile(`b\d\f`, []byte("hello"))
		})
		ids := []cache.ID{cache.RootID, r.look("b"), r.look("b/d")}
		for _, id := range ids {
			r.list(id)
		}
		r.pin(ids...)
		time.Sleep(5 * time.Second)
		r.server.Tree.Rename(`b\d\f`, "x")
		r.server.Tree.Remove(`b\d`)
		r.server.Tree.Remove("b")
		r.write("y", "hello")
		r.within(5*time.Second, "rename b/d/f x", "create y", "remove b/d", "remove b")
	})
}

// TestRenamedWhileBehind: a file is renamed from one directory to another, and the question about the new name takes longer than
// a vanished name is waited for otherwise.
func TestRenamedWhileBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, nil)
		r.watched(2)
		r.write(`d0\f`, "hello")
		r.within(time.Second, "create d0/f")
		time.Sleep(15 * time.Second)
		name := []byte("l\x00a\x00t\x00e\x00r\x00")
		var asked atomic.Bool
		r.server.Hook(wire.CommandQueryDirectory, func(q *smbtest.Request) {
			if bytes.Contains(q.Body, name) && !asked.Swap(true) {
				time.Sleep(5 * HoldFor)
			}
			q.Serve()
		})
		r.server.Tree.Mute(true)
		r.server.Tree.Rename(`d0\f`, `d1\later`)
		r.server.Tree.Notify("d0", wire.StatusSuccess, wire.NotifyEvent{Action: wire.ActionRemoved, Name: "f"})
		time.Sleep(HoldFor / 3)
		r.server.Tree.Notify("d1", wire.StatusSuccess, wire.NotifyEvent{Action: wire.ActionAdded, Name: "later"})
		r.within(5*time.Second, "rename d0/f d1/later")
		if !asked.Load() {
			t.Fatal("nobody asked for the new name")
		}
	})
}
