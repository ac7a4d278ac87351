package notify

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/cache"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestSecurityInTurns: who goes through many directories does not have the server asked for all their security descriptors meanwhile. They are
// read when that has passed, a directory after the other, and those of a directory that somebody watches soon.
func TestSecurityInTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const dirs, files = 30, 20
		const each = 4 * time.Millisecond // what a descriptor takes
		var read counter
		r := newRig(t, Options{}, func(s *smbtest.Server) {
			for d := range dirs {
				s.Tree.Mkdir(fmt.Sprint("e", d))
				for f := range files {
					s.Tree.WriteFile(fmt.Sprintf(`e%d\f%d`, d, f), nil)
				}
			}
			s.Hook(wire.CommandQueryInfo, func(q *smbtest.Request) {
				if len(q.Body) > 2 && wire.InfoType(q.Body[2]) == wire.InfoSecurity { // MS-SMB2 2.2.37
					read.add(1)
					time.Sleep(each)
				}
				q.Serve()
			})
		})
		var ids []cache.ID
		for d := range dirs {
			id := r.look(fmt.Sprint("e", d))
			r.list(id)
			ids = append(ids, id)
		}
		time.Sleep(secureIdle / 2)
		if n := read.get(); n != 0 {
			t.Errorf("%d descriptors are read at once", n)
		}
		r.pin(ids[7])
		synctest.Wait()
		if n := read.get(); n < files {
			t.Errorf("of a directory that is watched %d descriptors are read, want %d", n, files)
		}
		before, start := read.get(), time.Now()
		for read.get() < dirs*files && time.Since(start) < 5*time.Minute {
			time.Sleep(100 * time.Millisecond)
		}
		n, took := read.get(), time.Since(start)
		if n != dirs*files {
			t.Fatalf("%d descriptors are read, want %d", n, dirs*files)
		}
		if least := time.Duration(n-before) * each * (secureShare - 2); took < least {
			t.Errorf("they were read in %v, with the server's whole attention: want at least %v", took, least)
		}
	})
}
