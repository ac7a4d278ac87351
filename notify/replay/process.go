package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is one helper process and the goroutines that serve it.
type process struct {
	helper  *Helper
	cmd     *exec.Cmd
	pid     int
	started time.Time

	lostOnce sync.Once
	lost     chan struct{} // closed when it is dead, dying or of no more use
	reaped   chan struct{} // closed when it is gone and its threads are forgotten
	stopOnce sync.Once
	stopping chan struct{}  // closed when it is to take no more calls
	wg       sync.WaitGroup // workers and watchdog

	mu      sync.Mutex
	control *os.File  // guarded by mu; its end is the helper's end
	workers []*worker // guarded by mu; all that are introduced
	spare   []*worker // guarded by mu; those of them that do not serve yet
}

const (
	// callGrace is what Close leaves to the calls under way.
	callGrace = time.Second
	// exitGrace is what the process has to end by itself, and again after a SIGKILL.
	exitGrace = 2 * time.Second
)

// startProcess returns when the process's workers are all introduced. If it fails no
// process is left, unless ctx ends while an unkillable one is waited for.
func startProcess(ctx context.Context, h *Helper) (*process, error) {
	starting, cancel := context.WithTimeout(ctx, h.cfg.StartTimeout)
	defer cancel()
	p, err := spawn(h)
	if err != nil {
		return nil, err
	}
	inTime := context.AfterFunc(starting, p.kill) // ends the introductions' reads
	err = p.addWorkers(starting)
	if !inTime() {
		err = errors.Join(context.Cause(starting), err)
	}
	if err != nil {
		if p.bury() != nil {
			p.awaitReaped(ctx.Done())
		}
		return nil, err
	}
	p.wg.Go(p.watch)
	return p, nil
}

// awaitReaped waits for a process that could not be ended. No other is started
// meanwhile: what keeps it most likely holds the lock of a directory as well, the
// root's perhaps, in which the introductions are.
func (p *process) awaitReaped(giveUp <-chan struct{}) {
	select {
	case <-p.reaped:
		p.helper.cfg.Logger.Info("replay helper ended at last", "pid", p.pid)
	case <-giveUp:
	}
}

func spawn(h *Helper) (*process, error) {
	control, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	passed := os.NewFile(uintptr(theirs), "replay control")
	defer passed.Close()
	cmd := &exec.Cmd{
		Path:        h.cfg.Path,
		Args:        helperArgs(stageConfine, h.cfg.Device, h.cfg.Mountpoint),
		Env:         helperEnv,
		Dir:         "/",
		ExtraFiles:  []*os.File{passed}, // controlFD
		Stderr:      &logWriter{log: h.cfg.Logger},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		control.Close()
		return nil, err
	}
	p := &process{
		helper: h, cmd: cmd, pid: cmd.Process.Pid, started: time.Now(), control: control,
		lost: make(chan struct{}), reaped: make(chan struct{}), stopping: make(chan struct{}),
	}
	go p.reap()
	return p, nil
}

// reap waits for the process, however long that takes, and forgets its threads, whose
// ids mean nothing from then on.
func (p *process) reap() {
	p.cmd.Wait()
	p.helper.reg.forget(p)
	p.markLost()
	close(p.reaped)
}

func (p *process) markLost() { p.lostOnce.Do(func() { close(p.lost) }) }

func (p *process) kill() { p.cmd.Process.Kill() }

// addWorkers starts and introduces all threads, the spare ones too: once a call stalls
// it may be too late for an introduction, because that call holds the root's lock.
func (p *process) addWorkers(ctx context.Context) error {
	cfg := &p.helper.cfg
	for range cfg.Workers + cfg.CloseWriters + cfg.MaxExtra {
		if err := p.addWorker(ctx); err != nil {
			return err
		}
	}
	for c, n := range [classes]int{classNames: cfg.Workers, classCloseWrite: cfg.CloseWriters} {
		for range n {
			p.activate(class(c))
		}
	}
	return nil
}

// activate lets a spare worker serve, if there is one.
func (p *process) activate(c class) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.spare) == 0 {
		return false
	}
	w := p.spare[0]
	p.spare = p.spare[1:]
	p.wg.Go(func() { w.serve(c) })
	return true
}

// addWorker starts a thread in the helper and introduces it.
func (p *process) addWorker(ctx context.Context) error {
	conn, theirs, err := socketPair()
	if err != nil {
		return err
	}
	w := &worker{process: p, conn: conn}
	err = p.passSocket(theirs)
	unix.Close(theirs)
	if err == nil {
		deadline, _ := ctx.Deadline()
		err = w.introduce(deadline)
	}
	if err != nil {
		conn.Close()
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers = append(p.workers, w)
	p.spare = append(p.spare, w)
	return nil
}

// passSocket sends a worker's socket to the helper, as the one descriptor with one byte.
func (p *process) passSocket(fd int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	raw, err := p.control.SyscallConn()
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	werr := raw.Write(func(s uintptr) bool {
		err = unix.Sendmsg(int(s), []byte{0}, unix.UnixRights(fd), nil, unix.MSG_NOSIGNAL)
		return err != unix.EAGAIN
	})
	if werr != nil {
		err = werr
	}
	if err != nil {
		return fmt.Errorf("control socket: %w: %w", ErrHelperLost, err)
	}
	return nil
}

func (p *process) allWorkers() []*worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*worker(nil), p.workers...)
}

// stop ends a live process: first the calls under way, then itself, then by force.
func (p *process) stop() error {
	p.stopOnce.Do(func() { close(p.stopping) })
	idle := make(chan struct{})
	go func() {
		p.wg.Wait()
		close(idle)
	}()
	if !within(idle, callGrace) {
		p.helper.cfg.OnLost()
	}
	return p.bury()
}

// bury ends the process by the end of its control socket, or by force, and its
// goroutines. If it cannot be ended it is left to reap, and ErrStuck is returned.
func (p *process) bury() error {
	p.markLost()
	p.mu.Lock()
	p.control.Close()
	p.mu.Unlock()
	var err error
	if !within(p.reaped, exitGrace) {
		p.kill()
		if !within(p.reaped, exitGrace) {
			err = fmt.Errorf("replay helper, pid %d: %w", p.pid, ErrStuck)
			p.helper.cfg.Logger.Error("replay helper cannot be ended: a request of its to the mount is not answered", "pid", p.pid)
		}
	}
	// Only now: a reader that is sent away says that its call does not happen any more.
	for _, w := range p.allWorkers() {
		w.conn.Close()
	}
	p.wg.Wait()
	return err
}

func within(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// logWriter logs what the helper says on its way out, a panic as a rule.
type logWriter struct{ log *slog.Logger }

func (l *logWriter) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		l.log.Error("replay helper: " + string(bytes.TrimRight(line, "\n")))
	}
	return len(b), nil
}
