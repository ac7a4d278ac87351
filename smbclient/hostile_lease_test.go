package smbclient

import (
	"testing"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestForgedLeaseBreak: breaks are not signed. Somebody in between who makes them up takes leases away, and can neither give one that the server
// has not, nor have a real break overlooked.
func TestForgedLeaseBreak(t *testing.T) {
	const granted = wire.LeaseRead | wire.LeaseHandle
	type forged struct {
		state wire.LeaseState
		epoch uint16
	}
	for _, c := range []struct {
		name          string
		version       int
		before, after []forged // the CREATE's response
		want          wire.LeaseState
	}{
		{"that raises", 2, nil, []forged{{leaseAll, 2}}, granted},
		{"that raises, version 1", 1, nil, []forged{{leaseAll, 0}}, granted},
		{"that raises before the grant", 2, []forged{{leaseAll, 0x7000}}, nil, granted},
		{"that raises before the grant, version 1", 1, []forged{{leaseAll, 0}}, nil, granted},
		{"that lowers and raises before the grant", 2, []forged{{wire.LeaseNone, 2}, {leaseAll, 3}}, nil, wire.LeaseNone},
		{"with an epoch that makes the real one old", 2, nil, []forged{{granted, 0x7000}, {wire.LeaseNone, 2}}, wire.LeaseNone},
		{"with no epoch", 2, nil, []forged{{leaseAll, 0}, {wire.LeaseNone, 2}}, wire.LeaseNone},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := scripted(t, smbtest.Options{Leases: true})
			tree := scriptedTree(t, server, scriptedConfig(server))
			events := make(chan BreakEvent, 4)
			tree.session.conn.OnBreak(func(e BreakEvent) { events <- e })
			send := func(conn *smbtest.Conn, list []forged) {
				for _, f := range list {
					conn.Notify(wire.CommandOplockBreak, &wire.LeaseBreakNotification{
						NewEpoch: f.epoch, LeaseKey: wire.LeaseKey{1}, CurrentLeaseState: leaseAll, NewLeaseState: f.state,
					})
				}
			}
			server.Hook(wire.CommandCreate, func(r *smbtest.Request) {
				send(r.Conn, c.before)
				lease := wire.LeaseContext{Version: c.version, LeaseKey: wire.LeaseKey{1}, LeaseState: granted, Epoch: 1}
				r.Reply(wire.StatusSuccess, &wire.CreateResponse{
					OplockLevel: wire.OplockLease, FileID: wire.FileID{Volatile: 1}, Contexts: []wire.CreateContext{lease.Context()},
				})
			})
			o := mustCreate(t, tree, "f", leased(1))
			send(server.Conns()[0], c.after)
			for range len(c.before) + len(c.after) {
				<-events
			}
			wantState(t, o, c.want)
		})
	}
}
