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
	p.t.Closed(id, true, &p.srv.root.names["a"].attr, p.now)
	p.command("see", []string{"a"})
	p.wantTold()
}

func TestForeignWriteIntoOwnOpenFile(t *testing.T) {
	p, id := content(t)
	p.t.Opened(id, true)
	p.srv.do("write", []string{"a"})
	p.command("see", []string{"a"})
	p.wantTold("MODIFY a", "CLOSE-WRITE a")
	if !p.t.Settled(id, p.now.Add(time.Hour), time.Second) {
		t.Error("a file that is being written is settled")
	}
}

// Somebody else writes between our last write and our CLOSE, whose answer is the first to show it.
func TestForeignWriteBeforeOwnClose(t *testing.T) {
	p, id := content(t)
	p.t.Opened(id, true)
	p.t.Wrote(id, 10, p.now)
	final := p.srv.root.names["a"].attr
	final.Size = 7
	p.t.Closed(id, true, &final, p.now)
	p.wantTold("MODIFY a", "CLOSE-WRITE a")

	p.t.Opened(id, true)
	p.t.Wrote(id, 10, p.now)
	final.Size = 10
	p.t.Closed(id, true, &final, p.now)
	p.wantTold()
}

func TestOwnAttributes(t *testing.T) {
	p, id := content(t)
	p.t.BeginSet(id)
	p.srv.do("chmod", []string{"a"})
	p.command("see", []string{"a"})
	p.t.Set(id, p.srv.root.names["a"].attr, p.now)
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
	p.t.Mark(Place{RootID, "a"}, Modify)
	p.t.Mark(Place{RootID, "a"}, Attrib)
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
	p.t.Closed(id, false, nil, p.now)
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
