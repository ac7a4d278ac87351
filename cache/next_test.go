package cache

import (
	"testing"
	"time"
)

// TestNextForMany: who takes a change is at work for a while, so one who waits is woken for what else there is.
func TestNextForMany(t *testing.T) {
	tree, dirs := benchTree(2, nil)
	now := time.Now()
	for _, d := range dirs {
		tree.Observe(d, tree.Now(), now, []Observation{{Name: "new", Entry: &Entry{Identity: Identity{FileID: 1000 + uint64(d), Kind: File}}}})
	}
	<-tree.Dirty()
	for range dirs {
		if tree.Next(now.Add(time.Second)).Change == nil {
			t.Fatal("nothing is to be told")
		}
		if len(tree.dirty) == 0 {
			break
		}
		select {
		case <-tree.Dirty():
		default:
			t.Error("there is more to be told, and nobody is woken")
		}
	}
}
