package fs

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/cache"
	"smbfs/share"
	"smbfs/smbclient"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestListingFailsForAll: who waited for a listing that another question had made has no answer either if it failed.
func TestListingFailsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := smbtest.NewServer(smbtest.Options{})
		defer server.Close()
		s, err := smbclient.Connect(t.Context(), smbclient.Config{Address: "server:445", Dial: server.Dial, Credentials: server.Credentials()})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		tree, err := s.TreeConnect(t.Context(), smbtest.Share)
		if err != nil {
			t.Fatal(err)
		}
		server.Hook(wire.CommandQueryDirectory, func(q *smbtest.Request) {
			time.Sleep(time.Second)
			q.Reply(wire.StatusAccessDenied, nil)
		})
		line := share.NewLine(tree, share.LineOptions{})
		f := &FileSystem{share: share.New(line, line, ""), tree: cache.New(cache.Entry{}, 0)}
		var answered atomic.Int32
		for range missesToList + 3 {
			go func() {
				if f.refreshed(t.Context(), cache.RootID) {
					answered.Add(1)
				}
			}()
		}
		time.Sleep(time.Minute)
		if n := answered.Load(); n != 0 {
			t.Errorf("a listing that failed has answered %d questions", n)
		}
	})
}
