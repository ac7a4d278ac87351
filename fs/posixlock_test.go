package fs

import (
	"testing"

	"smbfs/share"
)

// TestFirstConflict: of several locks in the way the first in the file is named, whatever the order in which they were taken (fcntl(2)).
func TestFirstConflict(t *testing.T) {
	lock := func(id, from, to uint64) held {
		return held{span: span{from, to}, owner: owner{id: id}, mode: share.LockedExclusive}
	}
	locks := heldLocks{lock(1, 50, 60), lock(2, 10, 20), lock(3, 30, 40), lock(9, 0, 5)}
	if c := locks.conflict(lock(9, 0, 100)); c == nil || c.id != 2 {
		t.Errorf("the first lock in the way: %+v", c)
	}
	if c := locks.conflict(lock(9, 60, 100)); c != nil {
		t.Errorf("nothing is in the way, but %+v", c)
	}
}
