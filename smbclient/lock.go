package smbclient

import (
	"context"

	"smbfs/smbclient/wire"
)

// MaxLocks is how many ranges one Lock or Unlock may name (MS-SMB2 2.2.26 sets no bound but the size of the message; Samba and Windows
// take 64).
const MaxLocks = 64

// Range is a part of a file that is locked: length bytes from an offset. A server keeps a lock until exactly that range is unlocked, or the open
// is closed. It refuses others' reads in an exclusive lock, and everybody's writes in a shared one (MS-FSA 2.1.4.10).
type Range struct {
	Offset, Length uint64
	Exclusive      bool
}

// Lock locks ranges, all of them or none. It does not wait for a lock that somebody else holds: it fails with STATUS_LOCK_NOT_GRANTED.
//
// MS-SMB2 2.2.26
func (o *Open) Lock(ctx context.Context, ranges ...Range) error {
	return o.lock(ctx, "lock", ranges, func(r Range) wire.LockFlags {
		if r.Exclusive {
			return wire.LockExclusive | wire.LockFailImmediately
		}
		return wire.LockShared | wire.LockFailImmediately
	})
}

// Unlock takes back locks of exactly these ranges, one of each: where there is an exclusive and a shared one, the exclusive one. The first range that
// is not locked fails it with STATUS_RANGE_NOT_LOCKED; those before it are unlocked.
//
// MS-SMB2 2.2.26
func (o *Open) Unlock(ctx context.Context, ranges ...Range) error {
	return o.lock(ctx, "unlock", ranges, func(Range) wire.LockFlags { return wire.LockUnlock })
}

func (o *Open) lock(ctx context.Context, op string, ranges []Range, flags func(Range) wire.LockFlags) error {
	body := &wire.LockRequest{FileID: o.id}
	for _, r := range ranges {
		body.Locks = append(body.Locks, wire.LockElement{Offset: r.Offset, Length: r.Length, Flags: flags(r)})
	}
	resp, err := o.call(ctx, op, newRequest(wire.CommandLock, body))
	if err != nil {
		return err
	}
	defer resp.release()
	var out wire.LockResponse
	if err := out.Decode(resp.body); err != nil {
		return opError(op, o.tree.session.conn.broken(err))
	}
	return nil
}
