package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestEndlessListing: a directory without an end is an error, which takes no more memory than a listing may, for whoever lists and for the
// comparisons that go on meanwhile.
func TestEndlessListing(t *testing.T) {
	var asked atomic.Int64
	m, _ := mountHostile(t, map[wire.Command]smbtest.Hook{
		wire.CommandQueryDirectory: func(r *smbtest.Request) {
			var in wire.QueryDirectoryRequest
			if _ = in.Decode(r.Body); in.Pattern != "*" {
				r.Serve()
				return
			}
			n := asked.Add(1)
			var list []wire.DirEntry
			for i := range int(in.OutputBufferLength) / 200 {
				list = append(list, wire.DirEntry{Name: fmt.Sprintf("%d-%d", n, i), FileID: uint64(n)<<20 + uint64(i)})
			}
			r.Reply(wire.StatusSuccess, &wire.QueryDirectoryResponse{Output: wire.AppendDirEntries(nil, list)})
		},
	})
	start := time.Now()
	for range 2 {
		err := within(t, 2*time.Minute, "a listing", func() error { _, err := os.ReadDir(m.Mountpoint); return err })
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("a listing without an end: %v", err)
		}
	}
	_, peak, err := testenv.Memory(m.PID)
	must(t, err)
	t.Logf("two listings took %v and %d questions; the daemon's memory %d MiB at most", time.Since(start), asked.Load(), peak>>20)
	if peak > 1500<<20 {
		t.Errorf("the daemon had %d MiB", peak>>20)
	}
	stillWorks(t, m, "a")
}

// TestAlwaysPending: a server that takes every request on and answers none. Whoever waits can be interrupted, and the mount ends when it is told to.
func TestAlwaysPending(t *testing.T) {
	t.Parallel()
	m, s := mountHostile(t, nil)
	f := try[*os.File](t)(os.Create(m.Path("open")))
	defer f.Close()
	for _, command := range []wire.Command{
		wire.CommandCreate, wire.CommandClose, wire.CommandFlush, wire.CommandRead, wire.CommandWrite, wire.CommandQueryDirectory,
		wire.CommandQueryInfo, wire.CommandSetInfo, wire.CommandIoctl, wire.CommandTreeDisconnect, wire.CommandLogoff,
	} {
		s.Hook(command, (*smbtest.Request).Interim)
	}
	for _, args := range [][]string{
		{"cat", m.Path("a")}, {"ls", m.Path("new")}, {"rm", m.Path("b")}, {"mkdir", m.Path("d")}, {"mv", m.Path("a"), m.Path("c")}, {"df", m.Mountpoint},
		{"sh", "-c", "echo x >> " + m.Path("a")},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		must(t, cmd.Start())
		time.AfterFunc(time.Second, func() { _ = cmd.Process.Kill() })
		_ = within(t, stepTimeout, strings.Join(args, " "), cmd.Wait)
	}
	must(t, m.Process().Signal(syscall.SIGTERM))
	_ = within(t, stepTimeout, "close", f.Close)
	if !m.Process().WaitTimeout(stepTimeout) {
		_ = m.Process().Signal(syscall.SIGQUIT) // it says where it is
		t.Error("SIGTERM does not end the mount")
	}
}
