package smbclient

import (
	"context"
	"strings"
	"sync"

	"smbfs/smbclient/wire"
)

// Lease is a promise of the server's about a file, kept for all opens that name the same key (MS-SMB2 2.2.13.2.8). Every open of one
// file has to name the same one, or the client breaks its own lease.
type Lease struct {
	Key    wire.LeaseKey
	State  wire.LeaseState // asked for, or held; LeaseNone: no lease
	Parent wire.LeaseKey   // 3.x: the key of the lease on its directory; zero: none
}

// heldLease is a lease of a connection's (MS-SMB2 3.2.1.5), which all opens with its key share.
type heldLease struct {
	Lease // State is guarded by leaseTable.mu

	table *leaseTable
	tree  *TreeConnect

	// Guarded by leaseTable.mu.
	epoch uint16 // version 2: of the state; 0: none yet
	broke int    // breaks so far
	given bool   // the response to a CREATE has said what it is
	users int    // opens, and CREATEs under way
	names map[string]int
}

// leaseTable has the leases of a connection.
type leaseTable struct {
	mu     sync.Mutex
	byKey  map[wire.LeaseKey]*heldLease           // guarded by mu
	byName map[*TreeConnect]map[string]*heldLease // guarded by mu; names as the server compares them
}

// Leases reports whether the server grants leases (MS-SMB2 2.2.4).
func (c *Connection) Leases() bool { return c.negotiated.serverCaps&wire.CapLeasing != 0 }

// Lease returns what the open's lease allows now. A break has taken effect here before anybody is told of it.
func (o *Open) Lease() Lease {
	if o.lease == nil {
		return Lease{}
	}
	o.lease.table.mu.Lock()
	defer o.lease.table.mu.Unlock()
	return o.lease.Lease
}

func foldName(name string) string { return strings.ToUpper(name) }

// use returns the lease of that key for one more CREATE, and how often it has been broken.
func (t *leaseTable) use(tree *TreeConnect, name string, asked Lease) (l *heldLease, broke int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l = t.byKey[asked.Key]; l == nil {
		l = &heldLease{Lease: Lease{Key: asked.Key, Parent: asked.Parent}, table: t, tree: tree, names: map[string]int{}}
		if t.byKey == nil {
			t.byKey, t.byName = map[wire.LeaseKey]*heldLease{}, map[*TreeConnect]map[string]*heldLease{}
		}
		t.byKey[asked.Key] = l
	}
	if t.byName[tree] == nil {
		t.byName[tree] = map[string]*heldLease{}
	}
	name = foldName(name)
	l.users++
	l.names[name]++
	t.byName[tree][name] = l
	return l, l.broke
}

// leave takes back what use has counted.
func (l *heldLease) leave(name string) {
	if l == nil {
		return
	}
	t := l.table
	t.mu.Lock()
	defer t.mu.Unlock()
	name = foldName(name)
	if l.names[name]--; l.names[name] <= 0 {
		delete(l.names, name)
		if t.byName[l.tree][name] == l {
			delete(t.byName[l.tree], name)
		}
	}
	if l.users--; l.users == 0 {
		delete(t.byKey, l.Key)
		for name := range l.names {
			delete(t.byName[l.tree], name)
		}
	}
}

// granted takes the lease of a CREATE response (MS-SMB2 3.2.5.7.1.1). If a break overtook it, what both allow is left: version 2 tells
// by the epoch.
func (l *heldLease) granted(contexts []wire.CreateContext, broke int) {
	var in wire.LeaseContext
	for _, c := range contexts {
		if c.Name != wire.CreateContextLease || in.Decode(c.Data) != nil || in.LeaseKey != l.Key {
			continue
		}
		l.table.mu.Lock()
		defer l.table.mu.Unlock()
		if in.Version == 2 && l.epoch != 0 && int16(in.Epoch-l.epoch) < 0 || in.Version == 1 && l.broke != broke {
			l.State &= in.LeaseState
		} else {
			l.State, l.epoch = in.LeaseState, in.Epoch
		}
		l.given = true
		return
	}
}

// broken takes a break (MS-SMB2 3.2.5.19.2). It returns nil for a lease that is not held. Nobody has signed it: it never allows what was not, and
// no epoch makes a later one count less.
func (t *leaseTable) broken(in *wire.LeaseBreakNotification) *heldLease {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.byKey[in.LeaseKey]
	if l == nil {
		return nil
	}
	l.broke++
	if l.given || l.broke > 1 {
		l.State &= in.NewLeaseState
	} else {
		l.State = in.NewLeaseState // a bound for what the CREATE will bring
	}
	if l.epoch == 0 || int16(in.NewEpoch-l.epoch) > 0 {
		l.epoch = in.NewEpoch
	}
	return l
}

// on returns what a further CREATE of that name has to carry.
func (t *leaseTable) on(tree *TreeConnect, name string) Lease {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.byName[tree][foldName(name)]
	if l == nil {
		return Lease{}
	}
	return l.Lease
}

// LeaseOn returns the lease that the connection has on the file of that name; its State is LeaseNone if there is none.
func (t *TreeConnect) LeaseOn(name string) Lease { return t.session.conn.leases.on(t, name) }

// forget says that the name is not that of the file with the lease.
func (t *leaseTable) forget(tree *TreeConnect, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byName[tree], foldName(name))
}

// any returns a share on which leases are used.
func (t *leaseTable) any() *TreeConnect {
	t.mu.Lock()
	defer t.mu.Unlock()
	for tree := range t.byName {
		return tree
	}
	return nil
}

// renamed has the names follow an own rename.
func (t *leaseTable) renamed(tree *TreeConnect, from, to string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	from, to = foldName(from), foldName(to)
	names := t.byName[tree]
	for name, l := range names {
		rest, below := strings.CutPrefix(name, from)
		if !below || rest != "" && !strings.HasPrefix(rest, `\`) {
			continue
		}
		delete(names, name)
		names[to+rest] = l
		l.names[to+rest] += l.names[name]
		delete(l.names, name)
	}
}

// statAccess are the rights that break no lease (MS-SMB2 3.3.5.9: an open that asks for no others).
const statAccess = wire.FileReadAttributes | wire.FileWriteAttributes | wire.Synchronize | wire.ReadControl

// withLease completes the parameters of a CREATE by the lease it has to carry, if any: what was asked for, or what an earlier open
// of that name has.
func (t *TreeConnect) withLease(name string, p CreateParams) CreateParams {
	c := t.session.conn
	if !c.Leases() {
		p.Lease = Lease{}
	} else if p.Lease.State == wire.LeaseNone && p.Access&^statAccess != 0 {
		p.Lease = c.leases.on(t, name)
	}
	if p.Lease.State == wire.LeaseNone {
		return p
	}
	in := wire.LeaseContext{Version: 1, LeaseKey: p.Lease.Key, LeaseState: p.Lease.State}
	if c.negotiated.dialect >= wire.Dialect300 {
		in.Version = 2
		if p.Lease.Parent != (wire.LeaseKey{}) {
			in.Flags, in.ParentLeaseKey = wire.LeaseParentKeySet, p.Lease.Parent
		}
	}
	p.Oplock = wire.OplockLease
	p.Contexts = append(p.Contexts[:len(p.Contexts):len(p.Contexts)], in.Context())
	return p
}

// AcknowledgeLeaseBreak tells the server that the lease of that key has sunk to state (MS-SMB2 3.2.4.24).
func (t *TreeConnect) AcknowledgeLeaseBreak(ctx context.Context, key wire.LeaseKey, state wire.LeaseState) error {
	return t.acknowledge(ctx, "", &wire.LeaseBreakRequest{LeaseBreak: wire.LeaseBreak{LeaseKey: key, LeaseState: state}})
}

// Acknowledge answers the break: what was cached beyond what is left has been written and dropped. A break that wants no
// answer gets none.
func (e *BreakEvent) Acknowledge(ctx context.Context) error {
	switch {
	case e.Open != nil:
		return e.Open.AcknowledgeBreak(ctx, e.Level)
	case e.Lease.Flags&wire.LeaseBreakAckRequired == 0 || e.Tree == nil:
		return nil
	}
	return e.Tree.AcknowledgeLeaseBreak(ctx, e.Lease.LeaseKey, e.Lease.NewLeaseState)
}
