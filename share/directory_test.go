package share

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestFirstRequest: what a directory is watched by travels with the message that opens it. What comes before somebody listens is kept for who does,
// and told once.
func TestFirstRequest(t *testing.T) {
	refused := func(q *smbtest.Request) { q.Reply(wire.StatusNotSupported, nil) }
	for name, c := range map[string]struct {
		hook         smbtest.Hook
		early, fails bool
	}{
		"a change before somebody listens": {nil, true, false},
		"a change after that":              {nil, false, false},
		"the server does not notify":       {refused, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, time.Second)
				r.server.Tree.Mkdir("d")
				r.server.Hook(wire.CommandChangeNotify, c.hook)
				d, err := r.OpenDirectory(t.Context(), "d")
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close(context.Background())
				synctest.Wait()
				change := func() { r.server.Tree.WriteFile(`d\made`, nil); synctest.Wait() }
				if c.early {
					change()
				}
				var told []Notification
				if err := d.Await(t.Context(), func(n Notification) { told = append(told, n) }); err != nil {
					t.Fatal(err)
				}
				if !c.early {
					change()
				}
				change()
				switch {
				case len(told) != 1:
					t.Fatalf("told %d times: %+v", len(told), told)
				case c.fails && !IsUnsupported(told[0].Err):
					t.Errorf("got %v", told[0].Err)
				case !c.fails && (len(told[0].Events) == 0 || told[0].Events[0].Name != "made"):
					t.Errorf("got %+v", told[0])
				}
			})
		})
	}
}
