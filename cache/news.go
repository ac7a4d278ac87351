package cache

import "time"

// Who begins to watch a directory is told nothing of what was in it. But before it is listed for the first time things happen in it, and of
// those that come before the server's own watch there is no notification: the server's times tell them from what was there.

const (
	// clockError is by how much the server's clock may be estimated too late, in FILETIME units.
	clockError = int64(100 * time.Millisecond / 100)
	// clockTick is how long the clock stands still by which a server notes times: two changes may have the same.
	clockTick = int64(10 * time.Millisecond / 100)
	second    = int64(time.Second / 100)
)

// newsSince is from when on things are news, in the server's time. Zero: never.
type newsSince struct{ names, content int64 }

// newsSince is when the directory may have begun to be watched at clock. Whatever was made before then is older than
// the last change of its names, which is the modification time of a directory, unless that was set. Preconditions: Tree.mu is held.
func (o *object) newsSince(clock int64) newsSince {
	if clock == 0 {
		return newsSince{}
	}
	n := newsSince{names: clock - clockError, content: clock - clockError}
	switch last := o.attr.Write; {
	case last < n.names || last > clock+clockError:
	case last < clock-clockTick:
		n.names = last + 1
	default:
		n.names = last
	}
	return n
}

// isNewer reports whether t is not before since. A server may have nothing but whole seconds.
func isNewer(t, since int64) bool {
	if t%second == 0 {
		since -= since % second
	}
	return since > 0 && t >= since
}

// hasAppeared reports whether the name of e is younger than the watch. A change that is no write may be of the name.
func (n newsSince) hasAppeared(e *Entry) bool {
	return isNewer(e.Created, n.names) || e.Kind != Directory && isNewer(e.Change, n.names) && !isNewer(e.Write, n.content)
}

// todo is what is to be told of an object that was there. What changes in a directory is told there.
func (n newsSince) todo(e *Entry) todo {
	if e.Kind == File && isNewer(e.Write, n.content) {
		return todoModify | todoClose
	}
	return 0
}

// Appeared reports whether some of a first listing of dir seem to be younger than its watch. Servers that keep no time of creation make one up of
// the others, which are as young if a file is written and read: then NoneAppeared should be told the directory's own time, which no file's content moves.
func (t *Tree) Appeared(dir ID, list []Observation) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, d := t.directory(dir)
	if d == nil || !d.watched || d.complete > 0 || d.news.names == 0 {
		return false
	}
	for _, ob := range list {
		if d.slots[ob.Name] == nil && ob.Entry != nil && d.news.hasAppeared(ob.Entry) {
			return true
		}
	}
	return false
}

// NamesChanged says when names in dir, which was listed after that was asked, last changed.
func (t *Tree) NamesChanged(dir ID, write int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, d := t.directory(dir); d != nil && !isNewer(write, d.news.names) {
		d.news.names = 0
	}
}
