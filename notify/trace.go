package notify

import (
	"time"

	"smbfs/cache"
	"smbfs/share"
	"smbfs/smbclient/wire"
)

// Trace is one thing that the engine heard from the server, or told: a notification if Change is
// nil, else a change that was told or, if Err is set, could not be.
type Trace struct {
	At       time.Time
	Dir      cache.ID           // of a notification: the directory it is about
	Said     []wire.NotifyEvent // of a notification: what the server said, in its own words
	Events   []share.Event      // of a notification: those of Said that name something here
	Overflow bool               // of a notification: changes were lost, the directory is listed
	Change   *cache.Change
	Err      error

	tree *cache.Tree
}

// Path returns where a directory is in the mount, '/' separated, as local programs have been told.
func (t *Trace) Path(dir cache.ID) (string, bool) {
	if t.tree == nil { // made by a test
		return "", dir == cache.RootID
	}
	return t.tree.ToldPath(dir)
}

// heard traces a notification. It runs on the connection's goroutine.
func (e *Engine) heard(dir cache.ID, n *share.Notification) {
	if e.opts.Trace != nil && n.Err == nil {
		e.opts.Trace(Trace{At: time.Now(), Dir: dir, Said: n.Said, Events: n.Events, Overflow: n.Overflow, tree: e.tree})
	}
}

// traceTold traces a change that was told, or with err could not be.
func (e *Engine) traceTold(c *cache.Change, err error) {
	if e.opts.Trace != nil {
		e.opts.Trace(Trace{At: time.Now(), Change: c, Err: err, tree: e.tree})
	}
}
