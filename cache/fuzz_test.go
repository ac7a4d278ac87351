package cache

import (
	"testing"
	"time"
)

// decoder makes calls of bytes.
type decoder struct {
	data    []byte
	t       *Tree
	now     time.Time
	stamps  []Stamp
	owns    []*Own
	changes []*Change
}

func (d *decoder) next() int {
	if len(d.data) == 0 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b)
}

// Few ids and names, so that calls meet.
func (d *decoder) id() ID       { return ID(d.next() % 12) }
func (d *decoder) place() Place { return Place{d.id(), nameSet[d.next()%len(nameSet)]} }

func (d *decoder) entry() *Entry {
	b := d.next()
	if b%4 == 0 {
		return nil
	}
	return &Entry{
		Identity: Identity{FileID: uint64(b % 7), Created: int64(b % 5), Kind: Kind(b % 3)},
		Attr:     Attr{Size: uint64(b % 2), Write: int64(b % 3), Flags: uint32(b % 2)},
	}
}

func (d *decoder) someEntry() Entry {
	if e := d.entry(); e != nil {
		return *e
	}
	return Entry{}
}

func (d *decoder) stamp() Stamp {
	if b := d.next(); b%3 > 0 && len(d.stamps) > 0 {
		return d.stamps[b%len(d.stamps)]
	}
	s := d.t.Now()
	d.stamps = append(d.stamps, s)
	return s
}

func (d *decoder) observations(absence bool) (obs []Observation) {
	seen := map[string]bool{}
	for range d.next() % 4 {
		ob := Observation{Name: nameSet[d.next()%len(nameSet)], Entry: d.entry(), Hint: Hint(d.next() % 16)}
		if (ob.Entry != nil || absence) && !seen[ob.Name] {
			obs = append(obs, ob)
		}
		seen[ob.Name] = true
	}
	return obs
}

func (d *decoder) call() {
	t := d.t
	switch d.next() % 24 {
	case 0, 1, 2, 3:
		t.Observe(d.id(), d.stamp(), d.now, d.observations(true))
	case 4, 5:
		t.Compare(d.id(), d.stamp(), d.now, d.observations(false))
	case 6:
		t.Saw(d.place(), d.stamp(), d.now, d.entry())
	case 7, 8, 9:
		if st := t.Next(d.now); st.Change != nil {
			d.changes = append(d.changes, st.Change)
		}
	case 10, 11, 12:
		d.finish()
	case 13:
		d.now = d.now.Add(time.Duration(d.next()) * 10 * time.Millisecond)
	case 14:
		t.Watch(d.id(), d.now, 0)
	case 15:
		t.Unwatch(d.id())
	case 16:
		d.owns = append(d.owns, t.Begin(d.place(), d.place()))
	case 17, 18:
		d.own()
	default:
		d.simple()
	}
}

func (d *decoder) finish() {
	if len(d.changes) == 0 {
		return
	}
	c := d.changes[0]
	d.changes = d.changes[1:]
	b := d.next()
	ok := false
	if b%4 > 0 {
		_, ok = d.t.Commit(c, b%2 > 0)
	}
	d.t.Done(c, ok, d.now, testPace)
}

func (d *decoder) own() {
	if len(d.owns) == 0 {
		return
	}
	o := d.owns[0]
	switch d.next() % 5 {
	case 0:
		o.Created(d.place(), d.someEntry(), d.now)
	case 1:
		o.Removed(d.place())
	case 2:
		o.Renamed(d.place(), d.place(), d.now)
	default:
		d.owns = d.owns[1:]
		o.End()
	}
}

func (d *decoder) simple() {
	t := d.t
	switch d.next() % 12 {
	case 0:
		t.Forget(d.id(), uint64(d.next()%3))
	case 1:
		t.Opened(d.id(), d.next()%2 > 0)
	case 2:
		t.Closed(d.id(), d.next()%2 > 0, Stamp(d.next()), nil, d.now)
	case 3:
		t.SawObject(d.id(), d.stamp(), d.now, d.someEntry().Attr)
	case 4:
		t.Lookup(d.place(), d.now, Freshness{time.Second, time.Second})
	case 5:
		t.Mark(d.place(), Modify, d.now)
	case 6:
		t.Set(d.id(), Stamp(d.next()), d.someEntry().Attr, d.now)
	case 7:
		t.Alias(d.someEntry(), d.stamp(), d.now)
	case 8:
		t.Told(d.place())
	case 9:
		t.Path(d.id())
		t.ToldPath(d.id())
		t.PathOf(d.id(), nameSet[0])
	case 10:
		t.List(d.id())
		t.Stale(d.id())
	case 11:
		t.Hide(d.place())
		t.Unhide(d.place())
	}
}

// FuzzTree makes any calls in any order: the tree keeps its invariants, and what there is to tell
// comes to an end.
func FuzzTree(f *testing.F) {
	f.Add([]byte{14, 1, 4, 1, 0, 2, 0, 5, 0, 1, 6, 0, 7, 10, 1})
	f.Add([]byte{14, 1, 0, 1, 0, 1, 0, 1, 0, 7, 10, 1, 14, 2, 0, 2, 0, 1, 1, 2, 0, 7, 10, 1, 0, 1, 0, 1, 0, 0, 0, 7, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &decoder{data: data, now: time.Unix(1e9, 0)}
		d.t = New(Entry{Identity: Identity{FileID: 3, Kind: Directory}}, testHold)
		for calls := 0; len(d.data) > 0 && calls < 300; calls++ {
			d.call()
			if err := d.t.check(); err != nil {
				t.Fatal(err)
			}
			if root := d.t.byID[RootID]; len(root.told) > 0 || len(root.truth) > 0 {
				t.Fatalf("the root is in itself: told at %v, seen at %v", root.told, root.truth)
			}
		}
		d.end(t)
	})
}

// end lets all that is under way end, and everything be told.
func (d *decoder) end(t *testing.T) {
	for _, o := range d.owns {
		o.End()
	}
	for len(d.changes) > 0 {
		d.data = []byte{1}
		d.finish()
	}
	for range 3000 {
		st := d.t.Next(d.now)
		switch {
		case st.Change != nil:
			_, ok := d.t.Commit(st.Change, false)
			d.t.Done(st.Change, ok, d.now, testPace)
		case st.Ask != nil:
			d.t.Observe(st.Ask.Dir, d.t.Now(), d.now, []Observation{{Name: st.Ask.Name}})
		case st.Wait == 0:
			return
		}
		d.now = d.now.Add(st.Wait)
		if err := d.t.check(); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("it never comes to rest")
}
