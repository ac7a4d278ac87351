package inval

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errLost: the process has ended.
var errLost = errors.New("the process that notifies the kernel was lost")

// closeGrace is how long Close waits for the process.
const closeGrace = 2 * time.Second

// process is one process that sends notifications. A packet to it is a number and a notification;
// its answer is that number and an errno. The number 0 says that no more will come.
type process struct {
	cmd  *exec.Cmd
	conn *os.File
	gone chan struct{} // closed when it is reaped

	mu    sync.Mutex
	last  uint64                // guarded by mu
	lost  bool                  // guarded by mu
	calls map[uint64]chan error // guarded by mu: sent and not answered
}

func startProcess(device *os.File) (*process, error) {
	cloned, err := clone(device)
	if err != nil {
		return nil, err
	}
	defer cloned.Close()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "inval socket")
	defer theirs.Close()
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	p := &process{
		cmd: &exec.Cmd{
			Path: selfPath, Args: []string{processName}, Env: processEnv, Dir: "/",
			ExtraFiles:  []*os.File{theirs, cloned}, // controlFD, deviceFD
			SysProcAttr: &syscall.SysProcAttr{Setsid: true},
		},
		conn:  os.NewFile(uintptr(fds[0]), "inval socket"),
		gone:  make(chan struct{}),
		calls: map[uint64]chan error{},
	}
	if err := p.cmd.Start(); err != nil {
		p.conn.Close()
		return nil, err
	}
	go p.receive()
	return p, nil
}

// send returns what the kernel answered.
func (p *process) send(msg []byte) error {
	done := make(chan error, 1)
	p.mu.Lock()
	if p.lost {
		p.mu.Unlock()
		return errLost
	}
	p.last++
	id := p.last
	p.calls[id] = done
	p.mu.Unlock()
	if _, err := p.conn.Write(append(order.AppendUint64(nil, id), msg...)); err != nil {
		p.answer(id, errLost)
	}
	return <-done
}

// receive reads answers until the process ends.
func (p *process) receive() {
	defer close(p.gone)
	var b [16]byte
	for {
		n, err := p.conn.Read(b[:])
		if err != nil || n < 12 {
			break
		}
		var result error
		if errno := syscall.Errno(order.Uint32(b[8:])); errno != 0 {
			result = errno
		}
		p.answer(order.Uint64(b[:]), result)
	}
	p.mu.Lock()
	p.lost = true
	for id, done := range p.calls {
		done <- errLost
		delete(p.calls, id)
	}
	p.mu.Unlock()
	_ = p.cmd.Wait()
	p.conn.Close()
}

func (p *process) answer(id uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if done, ok := p.calls[id]; ok {
		delete(p.calls, id)
		done <- err
	}
}

func (p *process) isLost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// quit says that no more will come. The socket stays open: its end would say that the daemon is dead.
func (p *process) quit() {
	_, _ = p.conn.Write(order.AppendUint64(nil, 0))
	select {
	case <-p.gone:
	case <-time.After(closeGrace):
	}
}
