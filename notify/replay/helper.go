package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Config tells what to run. Only Mountpoint and Device are required.
type Config struct {
	// Mountpoint is an absolute path without symbolic links, and Device what DeviceOf
	// says of it.
	Mountpoint string
	Device     uint64

	// Workers is the number of calls made at a time; 4 if 0. CloseWriters are the
	// workers for CloseWrite alone, whose open can hang; 2 if 0. MaxExtra are kept in
	// reserve, to serve in the place of those that stall; as many as Workers if 0.
	Workers, CloseWriters, MaxExtra int

	// StartTimeout bounds the start of a process and its workers' introduction; 10 s
	// if 0. A call is said to stall after StallAfter; 10 s if 0. Do gives up waiting
	// for a CloseWrite after CloseWriteTimeout; 2 s if 0. RestartDelay is the first
	// pause before a restart, which doubles up to 30 s; 20 ms if 0.
	StartTimeout, StallAfter, CloseWriteTimeout, RestartDelay time.Duration

	// Path is the binary to execute, which must call RunIfHelper; this very one if "".
	Path string

	// Logger is where the helper's life is told; slog.Default() if nil.
	Logger *slog.Logger

	// OnLost is called, from the supervisor's goroutine, each time a helper process is
	// found dead or dying, and when Close finds a call that does not end. It should answer every FUSE request of the workers that is
	// still outstanding: a process with one cannot be reaped. It must not block.
	OnLost func()
}

const (
	maxRestartDelay = 30 * time.Second
	// steadyAfter is how long a process lives for its end to count as a first one.
	steadyAfter = 30 * time.Second
)

func (c Config) withDefaults() Config {
	setDefault(&c.Workers, 4)
	setDefault(&c.CloseWriters, 2)
	setDefault(&c.MaxExtra, c.Workers)
	setDefault(&c.StartTimeout, 10*time.Second)
	setDefault(&c.StallAfter, 10*time.Second)
	setDefault(&c.CloseWriteTimeout, 2*time.Second)
	setDefault(&c.RestartDelay, 20*time.Millisecond)
	setDefault(&c.Path, selfPath)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.OnLost == nil {
		c.OnLost = func() {}
	}
	return c
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// class separates the workers by what they may be held up with.
type class int

const (
	classNames class = iota
	classCloseWrite
	classes
)

func classOf(op Op) class {
	if op == CloseWrite {
		return classCloseWrite
	}
	return classNames
}

// Helper is the daemon's side of the helper process, and of those that follow it.
type Helper struct {
	cfg Config
	reg registry

	// calls are taken by whichever worker is idle, and wait while there is none.
	calls [classes]chan *request

	started   atomic.Bool
	closeOnce sync.Once
	closing   chan struct{} // closed by Close
	done      chan struct{} // closed by the supervisor at its end
	stopErr   error         // set before done is closed

	current statusSlot
}

// New makes a Helper that does nothing yet, so that the handlers can have it before
// they are asked for its introductions.
func New(cfg Config) *Helper {
	h := &Helper{
		cfg:     cfg.withDefaults(),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	for i := range h.calls {
		h.calls[i] = make(chan *request)
	}
	return h
}

// Start starts the helper process and returns when all its workers are introduced. The
// mount must be served already, by handlers that call Introduce. It is called once;
// after an error the Helper is closed.
func (h *Helper) Start(ctx context.Context) error {
	if h.isClosing() || h.started.Swap(true) {
		return ErrClosed
	}
	p, err := startProcess(ctx, h)
	if err != nil {
		h.closeOnce.Do(func() { close(h.closing) })
		close(h.done)
		return fmt.Errorf("start the replay helper: %w", err)
	}
	h.current.set(p)
	go h.supervise(p)
	return nil
}

// Close stops the queue, lets calls under way end, ends the process and waits for it.
// It is called before the unmount, not while Start runs. The error is ErrStuck if the
// process is unkillable.
func (h *Helper) Close() error {
	h.closeOnce.Do(func() { close(h.closing) })
	if !h.started.Load() {
		return nil
	}
	<-h.done
	return h.stopErr
}

// request is a Call on its way through a worker. ctx is looked at by the worker just
// before it sends. result has room for one, so a worker never waits for its caller.
type request struct {
	ctx    context.Context
	op     Op
	packet []byte
	expect any
	result chan error
}

// errNotSent: the worker's process was gone before the call reached it.
var errNotSent = errors.New("not sent")

// Do makes one call through an idle worker and returns its result: nil, an *Error with
// the errno, ErrHelperLost, ErrUnfinished, ErrName, ErrClosed, or, if the call was never
// begun, ctx's cause. While the worker makes the call, Worker gives expect for its
// thread, and no longer once Do has returned, ErrUnfinished aside. As many calls run at
// a time as there are workers; in between, and while the helper is restarted, Do waits.
func (h *Helper) Do(ctx context.Context, c Call, expect any) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("replay %v: %w", c.Op, err)
	}
	packet, err := (&message{Call: c}).append(nil)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if c.Op == CloseWrite {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.cfg.CloseWriteTimeout)
		defer cancel()
	}
	for {
		r := &request{ctx: ctx, op: c.Op, packet: packet, expect: expect, result: make(chan error, 1)}
		if err := h.submit(r); err != errNotSent {
			return err
		}
		// The dying process's workers end one by one: the next may be a live one.
	}
}

func (h *Helper) submit(r *request) error {
	if h.isClosing() {
		return fmt.Errorf("replay %v: %w", r.op, ErrClosed)
	}
	select {
	case h.calls[classOf(r.op)] <- r:
	case <-h.closing:
		return fmt.Errorf("replay %v: %w", r.op, ErrClosed)
	case <-r.ctx.Done():
		return fmt.Errorf("replay %v: not begun: %w", r.op, context.Cause(r.ctx))
	}
	select {
	case err := <-r.result:
		return err
	case <-r.ctx.Done():
		// The packet is still the worker's; nobody else reads result any more.
		return fmt.Errorf("replay %v: %w: %w", r.op, ErrUnfinished, context.Cause(r.ctx))
	}
}

func (h *Helper) isClosing() bool {
	select {
	case <-h.closing:
		return true
	default:
		return false
	}
}

// Status is for the log and for whoever looks after the mount.
type Status struct {
	Pid      int  // of the process in charge, in the daemon's pid namespace
	Running  bool // false while it is restarted
	Restarts int
	Workers  int // introduced, of both kinds, the spare ones included
	Stalled  int // of them, in a call for longer than StallAfter
}

// Status tells how the helper does.
func (h *Helper) Status() Status { return h.current.status() }

// supervise restarts the process whenever it is lost, until Close.
func (h *Helper) supervise(p *process) {
	defer close(h.done)
	delay := h.cfg.RestartDelay
	for p != nil {
		select {
		case <-h.closing:
			h.stopErr = p.stop()
			return
		case <-p.lost:
		}
		h.current.lost()
		h.cfg.Logger.Warn("replay helper lost", "pid", p.pid, "after", time.Since(p.started))
		h.cfg.OnLost()
		if p.bury() != nil {
			p.awaitReaped(h.closing)
		}
		if time.Since(p.started) > steadyAfter {
			delay = h.cfg.RestartDelay
		}
		p, delay = h.restart(delay)
	}
}

// restart tries until a process runs, or Close: then it returns nil.
func (h *Helper) restart(delay time.Duration) (*process, time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-h.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		if !h.pause(delay) {
			return nil, delay
		}
		delay = min(2*delay, maxRestartDelay)
		p, err := startProcess(ctx, h)
		if err == nil {
			h.current.restarted(p)
			h.cfg.Logger.Info("replay helper restarted", "pid", p.pid)
			return p, delay
		}
		if !h.isClosing() {
			h.cfg.Logger.Error("replay helper does not start", "err", err, "retry in", delay)
		}
	}
}

// pause waits for d and tells whether to go on.
func (h *Helper) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return !h.isClosing()
	case <-h.closing:
		return false
	}
}
