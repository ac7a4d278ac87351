package integration

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"smbfs/integration/testenv"
	"smbfs/smbclient/wire"
)

// TestAnswerLostOnTheWay: the server does what it is asked, and the connection breaks before its answer arrives. What can be found out succeeds,
// once; what cannot be is EIO, and never taken for the work of somebody else.
func TestAnswerLostOnTheWay(t *testing.T) {
	t.Parallel()
	s := durableSamba(t)
	between := standBetween(t, s)
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{fmt.Sprint("port=", between.Port), "hard", "echo_interval=1", "notify=off"}})
	for i, c := range []struct {
		name  string
		do    func(f, g string) error // of which there is f
		left  string
		mayBe error // besides success
	}{
		{"exclusive create", func(_, g string) error {
			f, err := os.OpenFile(g, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
			if err == nil {
				err = f.Close()
			}
			return err
		}, "\n/f\n/g\n", syscall.EIO},
		{"mkdir", func(_, g string) error { return os.Mkdir(g, 0o755) }, "\n/f\n/g\n", syscall.EIO},
		{"rename", os.Rename, "\n/g\n", nil},
		{"remove", func(f, _ string) error { return os.Remove(f) }, "\n", nil},
		{"truncate", func(f, _ string) error { return os.Truncate(f, 1) }, "\n/f\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := fmt.Sprint("d", i)
			must(t, os.Mkdir(s.Path(dir), 0o755))
			must(t, os.WriteFile(s.Path(dir, "f"), []byte("hello"), 0o644))
			if _, err := os.Stat(m.Path(dir, "f")); err != nil {
				t.Fatal(err)
			}
			lost := between.loseAnswer()
			err := within(t, 3*stepTimeout, c.name, func() error { return c.do(m.Path(dir, "f"), m.Path(dir, "g")) })
			if err != nil && (c.mayBe == nil || !errors.Is(err, c.mayBe)) {
				t.Errorf("it ended with %v", err)
			}
			if !lost.Load() {
				t.Error("no answer was lost")
			}
			if got := names(s.Path(dir)); got != c.left {
				t.Errorf("the server has %s, want %s", brief(got), brief(c.left))
			}
		})
	}
}

// loseAnswer has the next request that changes something carried out, and all connections broken off in place of its answer.
func (m *middle) loseAnswer() *atomic.Bool {
	var asked atomic.Uint64 // the message id, and one
	var lost atomic.Bool
	m.Pass(func(fromServer bool, msg []byte) []byte {
		var h wire.Header
		if lost.Load() || h.Decode(msg) != nil || h.Command != wire.CommandCreate {
			return msg
		}
		if !fromServer {
			var in wire.CreateRequest
			if in.Decode(msg[wire.HeaderSize:]) == nil && (in.Disposition == wire.DispositionCreate || in.DesiredAccess&(wire.Delete|wire.FileWriteData) != 0) {
				asked.CompareAndSwap(0, h.MessageID+1)
			}
			return msg
		}
		if h.MessageID+1 != asked.Load() || lost.Swap(true) {
			return msg
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, c := range m.conns {
			c.Close()
		}
		return nil
	})
	return &lost
}
