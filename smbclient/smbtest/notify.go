package smbtest

import "smbfs/smbclient/wire"

// changeNotify answers at once if changes are queued, and otherwise with an interim response: the final one comes with the next
// change, with CANCEL, or with the CLOSE.
func (r *Request) changeNotify() {
	var in wire.ChangeNotifyRequest
	if !r.decode(&in) {
		return
	}
	t := r.Conn.server.Tree
	t.mu.Lock()
	o := t.opens[r.related(in.FileID)]
	switch {
	case o == nil || o.conn != r.Conn:
		t.mu.Unlock()
		r.Reply(wire.StatusFileClosed, nil)
		return
	case !o.node.directory() || o.waiting != nil:
		t.mu.Unlock()
		r.Reply(wire.StatusInvalidParameter, nil)
		return
	}
	if !o.watching { // the first request fixes it
		o.watching, o.tree, o.buffer = true, in.Flags&wire.WatchTree != 0, int(in.OutputBufferLength)
	}
	if len(o.queued) > 0 {
		c := o.takeEvents(r)
		t.mu.Unlock()
		r.Reply(c.status, c.body)
		return
	}
	t.mu.Unlock()
	r.Interim()
	// A change in between is queued: look again.
	t.mu.Lock()
	if len(o.queued) > 0 {
		c := o.takeEvents(r)
		t.mu.Unlock()
		send([]completion{c})
		return
	}
	o.waiting = r
	t.mu.Unlock()
}

// cancel ends the request that the CANCEL names: by its message id, or by its async id once it has one.
func (r *Request) cancel() {
	t := r.Conn.server.Tree
	var found *Request
	t.mu.Lock()
	for _, o := range t.opens {
		w := o.waiting
		if w == nil || w.Conn != r.Conn {
			continue
		}
		if r.Header.Flags&wire.FlagAsync != 0 && w.asyncID == r.Header.AsyncID ||
			r.Header.Flags&wire.FlagAsync == 0 && w.Header.MessageID == r.Header.MessageID {
			found, o.waiting = w, nil
		}
	}
	t.mu.Unlock()
	if found != nil {
		found.Final(wire.StatusCancelled, nil)
	}
}

// Notify completes the CHANGE_NOTIFY requests on the directory at path with a status, and events where that is
// STATUS_SUCCESS. It returns how many there were.
func (t *Tree) Notify(path string, status wire.Status, events ...wire.NotifyEvent) int {
	t.mu.Lock()
	n := t.find(path)
	var list []completion
	if n == nil {
		t.mu.Unlock()
		return 0
	}
	for o := range n.opens {
		if o.waiting == nil {
			continue
		}
		c := completion{r: o.waiting, status: status}
		if status == wire.StatusSuccess {
			c.body = &wire.ChangeNotifyResponse{Output: wire.AppendNotifyEvents(nil, events)}
		}
		o.waiting = nil
		list = append(list, c)
	}
	t.mu.Unlock()
	send(list)
	return len(list)
}
