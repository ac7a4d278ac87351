package integration

import (
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// TestAlwaysPending: a server that takes every request on and answers none. Whoever waits can be interrupted, and the mount ends when it is told to.
func TestAlwaysPending(t *testing.T) {
	t.Parallel()
	m, s := mountHostile(t, nil)
	// Not this process: its children close, on their way from fork to exec, the files that they have inherited, and would all wait.
	open := exec.Command("sh", "-c", "exec 9>"+m.Path("open")+"; echo; exec sleep 1000")
	opened := try[io.Reader](t)(open.StdoutPipe())
	must(t, open.Start())
	t.Cleanup(func() { _ = open.Process.Kill() })
	try[int](t)(opened.Read(make([]byte, 1)))
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
	_ = open.Process.Kill()
	_ = within(t, stepTimeout, "a program with a file open", open.Wait)
	if !m.Process().WaitTimeout(stepTimeout) {
		_ = m.Process().Signal(syscall.SIGQUIT) // it says where it is
		t.Error("SIGTERM does not end the mount")
	}
}
