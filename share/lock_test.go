package share

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// lockServer is what a server has locked, and what others have.
type lockServer struct {
	mu     sync.Mutex
	byOpen map[wire.FileID][]wire.LockElement // guarded by mu
	others map[uint64]bool                    // guarded by mu: offsets that somebody else has locked exclusively
	lose   int                                // guarded by mu: the answer to the LOCK of this number is lost, from 1
	asked  int                                // guarded by mu
}

// serveLocks has the rig's server lock single ranges.
func (r *rig) serveLocks(lose int) *lockServer {
	l := &lockServer{byOpen: map[wire.FileID][]wire.LockElement{}, others: map[uint64]bool{}, lose: lose}
	r.server.Hook(wire.CommandLock, func(q *smbtest.Request) {
		var in wire.LockRequest
		if err := in.Decode(q.Body); err != nil {
			r.t.Error(err)
		}
		l.mu.Lock()
		l.asked++
		lost := l.asked == l.lose
		status := l.change(in)
		l.mu.Unlock()
		if lost {
			session := r.work.Status().Tree.Session()
			go session.Close()
			<-session.Connection().Done()
			return
		}
		if status == wire.StatusSuccess {
			q.Reply(status, &wire.LockResponse{})
			return
		}
		q.Reply(status, nil)
	})
	return l
}

// change locks and unlocks as Samba does: see smbclient's TestLocks. Preconditions: mu is held.
func (l *lockServer) change(in wire.LockRequest) wire.Status {
	for _, e := range in.Locks {
		has := l.byOpen[in.FileID]
		at := func(flags wire.LockFlags) int {
			return slices.IndexFunc(has, func(h wire.LockElement) bool { return h.Offset == e.Offset && h.Flags&flags != 0 })
		}
		switch {
		case e.Flags&wire.LockUnlock != 0:
			i := at(wire.LockExclusive)
			if i < 0 {
				i = at(wire.LockShared)
			}
			if i < 0 {
				return wire.StatusRangeNotLocked
			}
			l.byOpen[in.FileID] = slices.Delete(slices.Clone(has), i, i+1)
		case l.others[e.Offset], e.Flags&wire.LockExclusive != 0 && at(wire.LockExclusive|wire.LockShared) >= 0:
			return wire.StatusLockNotGranted
		default:
			l.byOpen[in.FileID] = append(slices.Clone(has), e)
		}
	}
	return wire.StatusSuccess
}

// of describes what is locked on the server by a file's present open.
func (l *lockServer) of(f *File) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.mu.Lock()
	id := f.open.FileID()
	f.mu.Unlock()
	var list []string
	for _, e := range l.byOpen[id] {
		list = append(list, fmt.Sprintf("%d%s", e.Offset, map[bool]string{true: "e", false: "s"}[e.Flags&wire.LockExclusive != 0]))
	}
	slices.Sort(list)
	return fmt.Sprint(list)
}

// TestSetLock: what is locked on the server is what was asked for, also where the connection is lost in place of any of the answers.
func TestSetLock(t *testing.T) {
	x, other := Extent{7, 1}, Extent{20, 5}
	said := map[LockMode]string{Unlocked: "[20s]", LockedShared: "[20s 7s]", LockedExclusive: "[20s 7e]"}
	for from := range LockedExclusive + 1 {
		for to := range LockedExclusive + 1 {
			for lose := range 5 {
				t.Run(fmt.Sprint(from, " to ", to, ", lost ", lose), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						r := newRig(t, time.Minute)
						f, _, err := r.Open(t.Context(), "f", Opening{Read: true, Write: true, Create: true})
						if err != nil {
							t.Fatal(err)
						}
						l := r.serveLocks(0)
						for y, mode := range map[Extent]LockMode{other: LockedShared, x: from} {
							if _, err := f.SetLock(t.Context(), y, mode); err != nil {
								t.Fatal(err)
							}
						}
						l.mu.Lock()
						l.lose, l.asked = lose, 0
						l.mu.Unlock()
						if _, err := f.SetLock(t.Context(), x, to); err != nil {
							t.Fatal(err)
						}
						if got := l.of(f); got != said[to] {
							t.Errorf("the server has locked %s, want %s", got, said[to])
						}
						if _, err := f.SetLock(t.Context(), x, Unlocked); err != nil || l.of(f) != said[Unlocked] {
							t.Errorf("unlocked: %s, %v", l.of(f), err)
						}
					})
				})
			}
		}
	}
}

// TestLockRefused: what is refused leaves all as it was; where that cannot be had either, the file is lost to who has it open.
func TestLockRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Minute)
		f, _, err := r.Open(t.Context(), "f", Opening{Read: true, Write: true, Create: true})
		if err != nil {
			t.Fatal(err)
		}
		l := r.serveLocks(0)
		x, free := Extent{7, 1}, Extent{9, 1}
		l.others[x.Offset] = true
		if _, err := f.SetLock(t.Context(), x, LockedShared); !IsLocked(err) || f.Lost() || l.of(f) != "[]" {
			t.Errorf("%v, %s", err, l.of(f))
		}
		if _, err := f.SetLock(t.Context(), free, LockedShared); err != nil {
			t.Fatal(err)
		}
		l.mu.Lock()
		l.others[free.Offset] = true
		l.mu.Unlock()
		if _, err := f.SetLock(t.Context(), free, LockedExclusive); !errors.Is(err, ErrLockLost) || !f.Lost() {
			t.Errorf("what was unlocked to be locked otherwise, and was taken meanwhile: %v", err)
		}
		if _, err := f.WriteAt(t.Context(), []byte("x"), 0); !errors.Is(err, ErrLockLost) {
			t.Errorf("a write to it: %v", err)
		}
		if _, err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
