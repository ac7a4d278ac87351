package share

import (
	"context"
	"io/fs"
	"strings"
	"time"

	"smbfs/cache"
	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// askIdle is how long the handle for questions stays open after the last one, and how soon after another a question has one opened
// that stays: servers bound the number of open handles, and the many directories in which little happens do with one each.
const askIdle = 2 * time.Second

// once opens the directory, lists it by pattern and closes it, in one message. It reports false if the listing is not whole.
func (d *Directory) once(ctx context.Context, pattern string) (entries []wire.DirEntry, whole bool, err error) {
	var o *smbclient.Open
	err = d.line.do(ctx, func(t *smbclient.TreeConnect, _ bool) error {
		o, entries, whole, err = t.ListOnce(ctx, d.share.ServerPath(d.path), watchParams, pattern)
		return err
	})
	return entries, whole, d.opened(ctx, o, err)
}

// open opens the directory with a listing by pattern, or without if that is "", in one message.
func (d *Directory) open(ctx context.Context, pattern string) (o *smbclient.Open, entries []wire.DirEntry, err error) {
	err = d.line.do(ctx, func(t *smbclient.TreeConnect, _ bool) error {
		if path := d.share.ServerPath(d.path); pattern == "" {
			o, err = t.Create(ctx, path, watchParams)
		} else {
			o, entries, err = t.CreateAndList(ctx, path, watchParams, pattern)
		}
		return err
	})
	return o, entries, d.opened(ctx, o, err)
}

// opened says what an attempt to open the directory amounts to: another one may be in its place. Then o is closed.
func (d *Directory) opened(ctx context.Context, o *smbclient.Open, err error) error {
	switch {
	case err != nil && d.Standing() && IsGone(err) && !smbclient.HasStatus(err, wire.StatusDeletePending):
		return ErrMoved // its other handle is open: it is somewhere
	case err != nil:
		return err
	case !d.isIn(o):
		_, _ = o.Close(ctx)
		return ErrMoved
	}
	return nil
}

// isIn reports whether what was opened may be the directory: servers that do not tell are believed.
func (d *Directory) isIn(o *smbclient.Open) bool {
	for _, c := range o.Contexts {
		var id wire.QueryOnDiskIDResponse
		if c.Name == wire.CreateContextQueryOnDiskID && id.Decode(c.Data) == nil && id.DiskFileID != 0 {
			return d.path == "" || id.DiskFileID == d.id
		}
	}
	return true
}

// List lists the directory.
func (d *Directory) List(ctx context.Context) ([]cache.Observation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ask != nil {
		return d.share.list(ctx, d.ask, d.path)
	}
	if !d.long {
		entries, whole, err := d.once(ctx, "*")
		if whole || err != nil {
			return d.share.observations(d.path, entries), err
		}
	}
	o, entries, err := d.open(ctx, "*")
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = o.Close(ctx) }()
	d.long = len(entries) > OneMessage
	return d.share.observations(d.path, entries), nil
}

// lookup asks for the server's names. The handle of a standing directory that is asked again and again stays open for a while.
func (d *Directory) lookup(ctx context.Context, names []string, asked func()) ([]smbclient.LookupResult, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, fs.ErrClosed
	}
	again := d.Standing() && time.Since(d.asked) < askIdle
	d.asked = time.Now()
	if d.ask != nil {
		return d.ask.Lookup(ctx, names, asked)
	}
	pattern := ""
	if len(names) == 1 && !strings.ContainsAny(names[0], `*?<>"\/`+"\x00") {
		pattern = names[0]
	}
	if pattern != "" && !again {
		entries, _, err := d.once(ctx, pattern)
		return []smbclient.LookupResult{single(entries, pattern)}, err
	}
	o, entries, err := d.open(ctx, pattern)
	if err != nil {
		return nil, err
	}
	if d.Standing() {
		d.keep(o)
	} else {
		defer func() { _, _ = o.Close(ctx) }()
	}
	if pattern == "" {
		return o.Lookup(ctx, names, asked)
	}
	return []smbclient.LookupResult{single(entries, pattern)}, nil
}

// single is the answer about one name: the entry of that name, else one in another case.
func single(entries []wire.DirEntry, name string) (r smbclient.LookupResult) {
	for i := range entries {
		if e := &entries[i]; r.Entry == nil || e.Name == name {
			r.Entry = e
		}
	}
	return r
}

// keep keeps the handle for further questions. Preconditions: d.mu is held.
func (d *Directory) keep(o *smbclient.Open) {
	d.ask = o
	if d.idle == nil {
		d.idle = time.AfterFunc(askIdle, d.tidy)
		return
	}
	d.idle.Reset(askIdle)
}

// tidy closes the handle for questions if there were none for a while. It does not wait for one that is being asked: the handle is in use.
func (d *Directory) tidy() {
	if !d.mu.TryLock() {
		time.AfterFunc(askIdle, d.tidy)
		return
	}
	defer d.mu.Unlock()
	switch rest := askIdle - time.Since(d.asked); {
	case d.ask == nil:
	case rest > 0:
		d.idle.Reset(rest)
	default:
		go d.ask.Close(context.Background()) // ends with the connection at the latest
		d.ask = nil
	}
}

// closeAsk closes the handle for questions for good.
func (d *Directory) closeAsk(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.idle != nil {
		d.idle.Stop()
	}
	if d.ask != nil {
		_, _ = d.ask.Close(ctx)
		d.ask = nil
	}
}
