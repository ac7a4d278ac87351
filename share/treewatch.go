package share

import (
	"context"
	"errors"
	"strings"

	"smbfs/cache"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// TreeWatch is one watch of everything below the mount's root (SMB2_WATCH_TREE, MS-SMB2 2.2.35): no
// handle below the root keeps anybody from renaming a directory.
type TreeWatch struct {
	open *smbclient.Open
}

// TreeEvent is one change that a server told of, somewhere.
type TreeEvent struct {
	Dir  string // the directory's path below the mount's root, '/' separated
	Name string // "": the name cannot be asked for, the directory has to be listed
	Hint cache.Hint
}

// TreeNotification is a completed CHANGE_NOTIFY of a tree.
type TreeNotification struct {
	Events   []TreeEvent
	Said     []wire.NotifyEvent // the same in the server's own words, whole
	Overflow bool               // changes were lost: every directory has to be listed
	Err      error              // the handle is of no use any more
}

// OpenTree opens the mount's root to be watched with all below.
func (s *Share) OpenTree(ctx context.Context) (*TreeWatch, error) {
	o, err := ask(ctx, s.watches.first, func(t *smbclient.TreeConnect) (*smbclient.Open, error) {
		return t.Create(ctx, s.ServerPath(""), listParams)
	})
	if err != nil {
		return nil, err
	}
	return &TreeWatch{o}, nil
}

// Await sends a CHANGE_NOTIFY. deliver is called once, on the connection's goroutine, when it has
// completed; it must not wait.
func (t *TreeWatch) Await(ctx context.Context, deliver func(TreeNotification)) error {
	_, err := t.open.StartChangeNotify(ctx, smbclient.NotifyParams{WatchTree: true}, func(r *smbclient.NotifyRequest) {
		events, err := r.Result()
		deliver(treeNotification(events, err))
	})
	return err
}

// Close closes the handle.
func (t *TreeWatch) Close(ctx context.Context) { _, _ = t.open.Close(ctx) }

// treeNotification takes the result of a CHANGE_NOTIFY of a tree. Its names are paths
// (MS-FSCC 2.7.1, FileName).
func treeNotification(events []wire.NotifyEvent, err error) TreeNotification {
	n := TreeNotification{Said: events}
	switch {
	case errors.Is(err, smbclient.ErrNotifyEnumDir):
		n.Overflow = true
	case err != nil:
		return TreeNotification{Err: err}
	}
	for _, e := range events {
		ev, ok := treeEvent(e)
		if !ok {
			n.Overflow = true
			continue
		}
		n.Events = append(n.Events, ev)
	}
	return n
}

// treeEvent splits the path. It reports false if the directory cannot be named here.
func treeEvent(e wire.NotifyEvent) (TreeEvent, bool) {
	parts := strings.Split(e.Name, `\`)
	last := len(parts) - 1
	for i, p := range parts[:last] {
		name, ok := localName(p)
		if !ok || !Askable(p) {
			return TreeEvent{}, false
		}
		parts[i] = name
	}
	ev := TreeEvent{Dir: strings.Join(parts[:last], "/"), Hint: hintOf(e.Action)}
	if name, ok := localName(parts[last]); ok && Askable(parts[last]) {
		ev.Name = name
	}
	return ev, true
}
