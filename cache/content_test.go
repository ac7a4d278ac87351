package cache

import (
	"testing"
	"time"
)

// content is a tree with one watched directory and one file in it.
func content(t *testing.T) (p *play, id ID) {
	p = newPlay(t)
	p.srv.do("create", []string{"a"})
	p.command("watch", []string{"."})
	p.command("hold", []string{"a"})
	return p, p.t.byID[RootID].dir.slots["a"].told.id
}

func (p *play) wantTold(want ...string) {
	p.tb.Helper()
	p.run(time.Hour)
	p.verify("a run")
	if len(p.out) != len(want) {
		p.tb.Fatalf("told %q, want %q", p.out, want)
	}
	for i := range want {
		if p.out[i] != want[i] {
			p.tb.Fatalf("told %q, want %q", p.out, want)
		}
	}
	p.out = nil
}

func TestOwnWriteTellsNothing(t *testing.T) {
	p, id := content(t)
	p.t.Opened(id, true)
	asOf := p.t.Now()
	p.srv.do("write", []string{"a"})
	p.t.Wrote(id, 10, p.now)
	old := Observation{Name: "a", Entry: p.srv.root.entry("a")}
	if out := p.t.Observe(RootID, asOf, p.now, []Observation{old}); out[0] != Stale {
		t.Errorf("an answer from before the write is %v", out[0])
	}
	p.command("see", []string{"a"}) // the server moves the times as it likes
	p.srv.root.names["a"].attr.Write += 1000
	p.command("see", []string{"a"})
	p.t.Closed(id, true, p.t.Now(), &p.srv.root.names["a"].attr, p.now)
	p.command("see", []string{"a"})
	p.wantTold()
}

func TestForeignWriteIntoOwnOpenFile(t *testing.T) {
	p, id := content(t)
	p.t.Opened(id, true)
	p.srv.root.names["a"].attr.Write++ // nobody here has written yet
	p.command("see", []string{"a"})
	p.wantTold("MODIFY a", "CLOSE-WRITE a")
	p.t.Wrote(id, 1, p.now)
	p.srv.do("write", []string{"a"})
	p.command("see", []string{"a"})
	p.wantTold("MODIFY a", "CLOSE-WRITE a")
	if !p.t.Settled(id, p.now.Add(time.Hour), time.Second) {
		t.Error("a file that is being written is settled")
	}
}

// The server may give a file's id to another as soon as our CLOSE is under way: who has it then is recognised by what it is.
func TestIDReusedWhileClosing(t *testing.T) {
	for _, closing := range []bool{false, true} {
		p, id := content(t)
		p.t.Opened(id, false)
		if closing {
			p.t.Closing(id)
		}
		e := p.srv.root.entry("a")
		e.Created += int64(time.Minute)
		e.Attr.Write += int64(time.Minute)
		p.t.Observe(RootID, p.t.Now(), p.now, []Observation{{Name: "a", Entry: e, Hint: HintRemoved | HintAdded}})
		if now, _ := p.t.TrueOccupant(Place{RootID, "a"}); (now != id) != closing {
			t.Errorf("closing: %v; the file is the same: %v", closing, now == id)
		}
	}
}

// Somebody else writes between our last write and our CLOSE, whose answer is the first to show it.
func TestForeignWriteBeforeOwnClose(t *testing.T) {
	p, id := content(t)
	p.t.Opened(id, true)
	p.t.Wrote(id, 10, p.now)
	final := p.srv.root.names["a"].attr
	final.Size = 7
	p.t.Closed(id, true, p.t.Now(), &final, p.now)
	p.wantTold("MODIFY a", "CLOSE-WRITE a")

	p.t.Opened(id, true)
	p.t.Wrote(id, 10, p.now)
	final.Size = 10
	p.t.Closed(id, true, p.t.Now(), &final, p.now)
	p.wantTold()
}

// A program writes, closes, opens the file again and writes more: close(2) waits for no CLOSE. What the first one was answered
// is from before the second write, and may be read after that, or even after the second answer.
func TestOwnClosesOverlap(t *testing.T) {
	for _, order := range []string{"first", "second"} {
		p, id := content(t)
		file := func() *Attr { return &p.srv.root.names["a"].attr }
		write := func(size uint64) {
			p.t.BeginSet(id)
			file().Size, file().Write = size, file().Write+1000
			p.t.Wrote(id, size, p.now)
			p.t.EndSet(id)
		}
		p.t.Opened(id, true)
		write(100)
		sent := p.t.Now()
		file().Write += 1000
		first := *file()
		p.t.Opened(id, true)
		write(200)
		if order == "first" {
			p.t.Closed(id, true, sent, &first, p.now)
		}
		again := p.t.Now()
		file().Write += 1000
		p.t.Closed(id, true, again, file(), p.now)
		if order == "second" {
			p.t.Closed(id, true, sent, &first, p.now)
		}
		p.command("see", []string{"a"})
		p.wantTold()
		if v := p.t.Object(id, p.now, time.Hour); !v.Known || v.Entry.Size != 200 {
			t.Errorf("%+v is known of the file in the end", v)
		}
		p.srv.root.names["a"].attr.Write++
		p.command("see", []string{"a"})
		p.wantTold("MODIFY a", "CLOSE-WRITE a")
	}
}

// One program cuts a file while another writes to it: which was first, no answer says.
func TestOwnChangesOverlap(t *testing.T) {
	p, id := content(t)
	p.t.Opened(id, true)
	begun := p.t.BeginSet(id)
	cut := p.srv.root.names["a"].attr
	cut.Size = 0
	p.t.BeginSet(id)
	p.t.Wrote(id, 500, p.now)
	p.t.EndSet(id)
	p.t.Set(id, begun, cut, p.now)
	p.t.EndSet(id)
	p.srv.root.names["a"].attr.Size = 500
	p.command("see", []string{"a"})
	p.wantTold()
	p.t.Closed(id, true, p.t.Now(), &p.srv.root.names["a"].attr, p.now)
	p.wantTold()
}

func TestOwnAttributes(t *testing.T) {
	p, id := content(t)
	begun := p.t.BeginSet(id)
	p.srv.do("chmod", []string{"a"})
	p.command("see", []string{"a"})
	p.t.Set(id, begun, p.srv.root.names["a"].attr, p.now)
	p.t.EndSet(id)
	p.command("see", []string{"a"})
	p.out = nil // the first question came too soon
	p.wantTold()
}

// A write under a name that nobody watches is told under the one that is.
func TestContentUnderAnotherName(t *testing.T) {
	p, id := content(t)
	p.srv.do("write", []string{"a"})
	p.t.SawObject(id, p.t.Now(), p.now, p.srv.root.names["a"].attr)
	p.wantTold("MODIFY a", "CLOSE-WRITE a")
	p.t.Mark(Place{RootID, "a"}, Modify, p.now)
	p.t.Mark(Place{RootID, "a"}, Attrib, p.now)
	if !p.t.Settled(id, p.now, time.Second) {
		t.Error("said again before it is told, it would be told twice")
	}
	p.wantTold("MODIFY a", "ATTRIB a", "CLOSE-WRITE a")
}

// A file that is open here outlives its name and the kernel's interest.
func TestOpenFileOutlivesItsName(t *testing.T) {
	p, id := content(t)
	p.t.Opened(id, false)
	p.srv.do("rm", []string{"a"})
	p.command("see", []string{"a"})
	p.wantTold("REMOVE a")
	p.command("forget", []string{"."})
	if p.t.Object(id, p.now, time.Hour).ID != id {
		t.Fatal("the open file was forgotten")
	}
	p.t.Closed(id, false, p.t.Now(), nil, p.now)
	if n := len(p.t.byID); n != 1 {
		t.Errorf("%d objects are left", n-1)
	}
}

// An answer that is older than an own removal is not believed, however many names went since.
func TestOwnRemovalsBeforeAnAnswer(t *testing.T) {
	p, _ := content(t)
	asOf := p.t.Now()
	for i := range 3 * mostGone {
		name := string(rune('b'+i/26)) + string(rune('a'+i%26))
		p.command("own", []string{"create", name})
		p.command("own", []string{"rm", name})
		stale := Entry{Identity: Identity{FileID: uint64(1000 + i), Created: 1}}
		if out := p.t.Observe(RootID, asOf, p.now, []Observation{{Name: name, Entry: &stale}}); out[0] != Stale {
			t.Fatalf("%s: %v", name, out[0])
		}
	}
	if n := len(p.t.byID[RootID].dir.gone); n > mostGone {
		t.Errorf("%d names are remembered", n)
	}
	// A name that was never ours is not held up by them.
	p.srv.do("create", []string{"new"})
	p.command("see", []string{"new"})
	p.wantTold("CREATE new", "CLOSE-WRITE new")
}

// A rename is a change just told: the MODIFIED that comes with it is no other.
func TestSettledAfterRename(t *testing.T) {
	p, id := content(t)
	if p.t.Settled(id, p.now, time.Second) {
		t.Fatal("settled before anything was told")
	}
	p.srv.do("mv", []string{"a", "b"})
	p.command("see", []string{"a", "b"})
	p.wantTold("RENAME a b")
	if !p.t.Settled(id, p.now, time.Second) || p.t.Settled(id, p.now.Add(time.Minute), time.Second) {
		t.Error("not settled after the rename, or for ever")
	}
}

// A new file takes the id of one that somebody has just removed, within one tick of the server's clock.
func TestMadeWithTheIDOfAnother(t *testing.T) {
	p, _ := content(t)
	n := p.srv.root.names["a"]
	n.attr.Size += 10
	p.command("see", []string{"a"}) // what there is to tell of a is not told of the other
	p.ownStep("begin", []string{"b"})
	delete(p.srv.root.names, "a")
	p.srv.root.names["b"] = n
	n.attr.Size = 0
	p.ownStep("made", []string{"b"})
	p.ownStep("end", nil)
	p.command("see", []string{"a"})
	p.command("see", []string{"b"})
	p.wantTold("REMOVE a")
}

// A file was renamed and written. Its new name is seen first: no content is told of the old name, which is no more.
func TestContentAfterTheMove(t *testing.T) {
	p, _ := content(t)
	p.srv.do("mv", []string{"a", "b"})
	p.srv.do("write", []string{"b"})
	p.command("see", []string{"b"})
	p.wantTold("RENAME a b", "MODIFY b", "CLOSE-WRITE b")
}

// TestRootIsInNothing: a directory has the id and the times of the root, which is open: the root of another volume, or any directory of a server
// that lies. The kernel takes no child that is the root, and gives the root up.
func TestRootIsInNothing(t *testing.T) {
	root := Entry{Identity: Identity{FileID: 256, Created: 5, Kind: Directory}}
	for _, watched := range []bool{false, true} {
		tree, now := New(root, testHold), time.Unix(1e9, 0)
		if watched {
			tree.Watch(RootID, now, 0)
		}
		tree.Opened(RootID, false)
		listed := []Observation{{Name: "listed", Entry: &root}}
		tree.Compare(RootID, tree.Now(), now, listed)
		for _, name := range []string{"listed", "seen"} {
			if v := tree.Saw(Place{RootID, name}, tree.Now(), now, &root).View; v.ID == RootID {
				t.Errorf("watched=%v: %s is object %d", watched, name, v.ID)
			}
		}
		own := tree.Begin(Place{RootID, "own"})
		if v := own.Created(Place{RootID, "own"}, root, now); v.ID == RootID {
			t.Errorf("watched=%v: what we make is object %d", watched, v.ID)
		}
		own.End()
		if v := tree.Alias(root, tree.Now(), now); v.ID == RootID {
			t.Errorf("watched=%v: an alias is the root", watched)
		}
	}
}

// A file loses one of two names by our doing. An answer that counts both, from before that, is not believed after it.
func TestOwnRemovalCountsNames(t *testing.T) {
	for _, how := range []string{"rm", "mv"} {
		t.Run(how, func(t *testing.T) {
			p, id := content(t)
			both := p.srv.root.names["a"].attr
			both.Links = 2
			own := p.t.Begin(Place{RootID, "b"}, Place{RootID, "c"})
			own.Created(Place{RootID, "b"}, Entry{Identity: p.t.byID[id].identity, Attr: both}, p.now)
			own.Created(Place{RootID, "c"}, Entry{Identity: Identity{FileID: 99, Created: 1}}, p.now)
			own.End()
			asOf := p.t.Now()
			if v := p.t.SawObject(id, asOf, p.now, both); v.Entry.Links != 2 {
				t.Errorf("%d names, want 2", v.Entry.Links)
			}
			own = p.t.Begin(Place{RootID, "b"}, Place{RootID, "c"})
			if how == "rm" {
				own.Removed(Place{RootID, "b"})
			} else {
				own.Renamed(Place{RootID, "c"}, Place{RootID, "b"}, p.now)
			}
			own.End()
			if v := p.t.SawObject(id, asOf, p.now, both); v.Entry.Links != 1 {
				t.Errorf("%d names, want 1", v.Entry.Links)
			}
		})
	}
}
