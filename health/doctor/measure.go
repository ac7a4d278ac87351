package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// rounds is how often each kind of change is tried.
const rounds = 5

// Arrival is what became of one kind of change.
type Arrival struct {
	Kind          string
	Median, Worst time.Duration // from the request of one client to the notification at the other
	Tried, Came   int
	Err           error // the change could not be made
}

// Arrived reports whether each change of the kind was notified.
func (a *Arrival) Arrived() bool { return a.Err == nil && a.Came == a.Tried && a.Tried > 0 }

// kind is one kind of change and how it is recognised.
type kind struct {
	name    string
	prepare bool // the file is made beforehand
	do      func(ctx context.Context, t *smbclient.TreeConnect, path string) error
	actions []wire.NotifyAction
	to      string // what the change adds to the name in the notification
}

// Actions by which each kind is recognised; a rename is by its new name, which Samba adds where it reads the kernel's two events one
// by one. Windows and Samba say REMOVED for a deletion, and MS-FSCC 2.7.1 has another word for it besides.
var kindsOfChange = []kind{
	{name: "create", do: create, actions: []wire.NotifyAction{wire.ActionAdded}},
	{name: "modify", prepare: true, do: modify, actions: []wire.NotifyAction{wire.ActionModified}},
	{name: "attributes", prepare: true, do: attributes, actions: []wire.NotifyAction{wire.ActionModified}},
	{name: "rename", prepare: true, do: rename, actions: []wire.NotifyAction{wire.ActionRenamedNewName, wire.ActionAdded}, to: renamed},
	{name: "delete", prepare: true, do: remove, actions: []wire.NotifyAction{wire.ActionRemoved, wire.ActionRemovedByDelete}},
}

// renamed is what a renamed file's name ends in.
const renamed = "-renamed"

func create(ctx context.Context, t *smbclient.TreeConnect, path string) error {
	_, err := t.Make(ctx, path, fileParams)
	return err
}

func modify(ctx context.Context, t *smbclient.TreeConnect, path string) error {
	p := fileParams
	p.Disposition = wire.DispositionOpen
	o, err := t.Create(ctx, path, p)
	if err != nil {
		return err
	}
	defer func() { _, _ = o.Close(context.WithoutCancel(ctx)) }()
	_, err = o.WriteAt(ctx, []byte("smbfs doctor\n"), 0)
	return err
}

// attributes hides the file; where the server's file system has no such attribute it sets a time.
func attributes(ctx context.Context, t *smbclient.TreeConnect, path string) error {
	set := func(b wire.FileBasicInformation) error {
		return t.SetFile(ctx, path, wire.FileWriteAttributes, wire.ClassFileBasic, b.Append(nil))
	}
	if set(wire.FileBasicInformation{FileAttributes: wire.AttributeHidden}) == nil {
		return nil
	}
	return set(wire.FileBasicInformation{LastWriteTime: wire.FiletimeOf(time.Now().Add(-time.Hour))})
}

func rename(ctx context.Context, t *smbclient.TreeConnect, path string) error {
	return t.Rename(ctx, path, path+renamed, false)
}

func remove(ctx context.Context, t *smbclient.TreeConnect, path string) error {
	return t.Remove(ctx, path, false)
}

func fileName(k *kind, i int) string { return fmt.Sprintf("%s%d", k.name, i) }

// measure makes each kind of change with one client and waits for its notification at the other.
func (d *doctor) measure(ctx context.Context, l *listener) ([]Arrival, error) {
	for i := range kindsOfChange {
		for n := range rounds {
			path := join(d.dir, fileName(&kindsOfChange[i], n))
			d.note(path+renamed, false)
			if !kindsOfChange[i].prepare {
				d.note(path, false)
				continue
			}
			if err := d.make(ctx, path, false); err != nil {
				return nil, err
			}
		}
	}
	l.quiet(ctx, d.Patience)
	var all []Arrival
	for i := range kindsOfChange {
		a := d.try(ctx, l, &kindsOfChange[i])
		if ctx.Err() != nil {
			return all, context.Cause(ctx)
		}
		d.sayArrival(&a)
		all = append(all, a)
	}
	return all, nil
}

// try makes changes of one kind, each on a file of its own, until one does not arrive.
func (d *doctor) try(ctx context.Context, l *listener, k *kind) Arrival {
	a := Arrival{Kind: k.name}
	var took []time.Duration
	for n := range rounds {
		name := fileName(k, n)
		start := time.Now()
		a.Tried++
		if a.Err = k.do(ctx, d.Work, join(d.dir, name)); a.Err != nil {
			break
		}
		at, err := l.wait(ctx, d.Patience, func(e wire.NotifyEvent) bool {
			return e.Name == name+k.to && slices.Contains(k.actions, e.Action)
		})
		if err != nil {
			break
		}
		a.Came++
		took = append(took, at.Sub(start))
	}
	if len(took) > 0 {
		slices.Sort(took)
		a.Median, a.Worst = took[len(took)/2], took[len(took)-1]
	}
	return a
}

func (d *doctor) sayArrival(a *Arrival) {
	switch {
	case a.Err != nil:
		d.say("  "+a.Kind, "could not be tried: %v", a.Err)
	case !a.Arrived():
		d.say("  "+a.Kind, "NOT notified within %v (%d of %d were)", d.Patience, a.Came, a.Tried)
	default:
		d.say("  "+a.Kind, "notified, %s after the request (median of %d; at most %s)", ms(a.Median), a.Came, ms(a.Worst))
	}
}

func ms(t time.Duration) string { return fmt.Sprintf("%.1f ms", t.Seconds()*1000) }

// blocks finds out whether a handle of the watching client on a directory keeps the working one from renaming the directory above.
func (d *doctor) blocks(ctx context.Context) bool {
	up := join(d.dir, "up")
	in := join(up, "in")
	if d.make(ctx, up, true) != nil || d.make(ctx, in, true) != nil {
		return false
	}
	d.note(up+renamed, true)
	d.note(join(up+renamed, "in"), true)
	l, err := d.listen(ctx, in, false)
	if err != nil {
		return false
	}
	defer l.close(ctx)
	err = rename(ctx, d.Work, up)
	return smbclient.HasStatus(err, wire.StatusAccessDenied, wire.StatusSharingViolation)
}

// tree finds out whether one watch at the top tells of what happens in a directory below it.
func (d *doctor) tree(ctx context.Context) bool {
	below := join(d.dir, "below")
	if d.make(ctx, below, true) != nil {
		return false
	}
	l, err := d.listen(ctx, d.dir, true)
	if err != nil {
		return false
	}
	defer l.close(ctx)
	const probes = 3 // as in awaken
	for i := range probes {
		name := fmt.Sprintf("in%d", i)
		if d.make(ctx, join(below, name), false) != nil {
			return false
		}
		_, err := l.wait(ctx, d.Patience/probes, func(e wire.NotifyEvent) bool { return e.Name == join("below", name) })
		if err != errSilent {
			return err == nil
		}
	}
	return false
}
