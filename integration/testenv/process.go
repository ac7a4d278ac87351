package testenv

import (
	"bytes"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is a child in a session of its own, so that ending its group ends
// what it started too. Its output is kept.
type Process struct {
	cmd  *exec.Cmd
	out  *logBuffer
	done chan struct{}
	err  error // of Wait; valid after done
}

// startProcess starts cmd in its own session. The child is ended by the kernel
// if this process dies first, a panicking test included.
func startProcess(cmd *exec.Cmd) (*Process, error) {
	return startProcessTo(cmd, nil)
}

// startProcessTo is startProcess with the standard output going to w, if it is
// not nil.
func startProcessTo(cmd *exec.Cmd, w io.Writer) (*Process, error) {
	p := &Process{cmd: cmd, out: &logBuffer{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	if w != nil {
		cmd.Stdout = w
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
	// A grandchild that keeps the pipe open must not keep Wait waiting.
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID is the child's process id and the id of its process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended and was waited for.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the child ended: nil for exit status 0. It waits for the end.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Log is the child's output so far.
func (p *Process) Log() string { return p.out.String() }

// Signal sends a signal to the child alone.
func (p *Process) Signal(s syscall.Signal) error {
	return syscall.Kill(p.PID(), s)
}

// WaitTimeout says whether the child ended within d.
func (p *Process) WaitTimeout(d time.Duration) bool {
	if d <= 0 { // a timer that has fired would be as good a choice for select
		select {
		case <-p.done:
			return true
		default:
			return false
		}
	}
	select {
	case <-p.done:
		return true
	case <-time.After(d):
		return false
	}
}

// Terminate asks the child to end, gives it d, and then kills the group; what
// the child has left behind is killed in any case.
func (p *Process) Terminate(d time.Duration) {
	if !p.WaitTimeout(0) {
		_ = p.Signal(syscall.SIGTERM)
		p.WaitTimeout(d)
	}
	p.KillGroup()
}

// KillGroup ends the child and everything in its process group, and waits a
// bounded time: a process that waits for an answer from its own mount cannot
// be reaped.
func (p *Process) KillGroup() {
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	p.WaitTimeout(10 * time.Second)
}

// logBuffer is a bytes.Buffer that is read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
