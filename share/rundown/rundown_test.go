package rundown

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tab Table[string]
		if !tab.Acquire("a") {
			t.Fatal("refused what nobody runs down")
		}
		tab.Begin("a")
		tab.Begin("a")
		if tab.Acquire("a") || !tab.Down("a") || !tab.Acquire("b") {
			t.Error("not refused, or another was")
		}
		var waits atomic.Int32
		for range 2 {
			waits.Add(1)
			go func() { tab.Wait("a", nil); waits.Add(-1) }()
		}
		tab.Hold("a")
		tab.Release("a")
		if synctest.Wait(); waits.Load() != 2 {
			t.Error("did not wait for the last handle")
		}
		stop := make(chan struct{})
		close(stop)
		tab.Wait("a", stop)
		tab.Release("a")
		if synctest.Wait(); waits.Load() != 0 {
			t.Error("waits although nothing is held")
		}
		tab.End("a")
		if tab.Acquire("a") {
			t.Error("not refused while another runs it down")
		}
		tab.End("a")
		if !tab.Acquire("a") {
			t.Error("refused after the end")
		}
		tab.Release("a")
		tab.Release("b")
		if n := len(tab.entries); n != 0 {
			t.Errorf("%d entries are left", n)
		}
	})
}
