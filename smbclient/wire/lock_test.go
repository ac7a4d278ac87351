package wire

import (
	"errors"
	"testing"
)

var lockSamples = []sample{
	body(&LockRequest{LockSequence: 0x23, FileID: someOpen, Locks: []LockElement{
		{Offset: 1 << 40, Length: 1 << 41, Flags: LockExclusive | LockFailImmediately}, {Offset: 1, Length: 2, Flags: LockShared},
	}}, 0),
}

func TestLockOfNothing(t *testing.T) {
	enc := (&LockRequest{Locks: []LockElement{{}}}).Append(nil)
	enc[2] = 0
	if err := new(LockRequest).Decode(enc); !errors.Is(err, ErrMalformed) {
		t.Errorf("error %v", err)
	}
}

func FuzzLockRequest(f *testing.F) { fuzz[LockRequest](f) }
