package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// worker is the daemon's end of one worker thread. Its goroutine alone uses conn.
type worker struct {
	process *process
	conn    *os.File // SOCK_SEQPACKET

	// tid is the thread as FUSE headers show it and mountID the mount it was
	// introduced on. Both belong to the goroutine.
	tid     uint32
	mountID uint64
	buf     [replyLen + 1]byte

	expect  atomic.Pointer[expectation] // nil while idle
	since   atomic.Int64                // UnixNano when the call was sent, 0 while idle
	op      atomic.Uint32               // what is or was made
	stalled atomic.Bool                 // set by the watchdog, cleared at the call's end
}

// expectation is behind a pointer, so that it comes and goes in one step with the call.
type expectation struct{ value any }

// socketPair gives the daemon's end, on the poller, and the helper's, blocking.
func socketPair() (ours *os.File, theirs int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, -1, fmt.Errorf("socketpair: %w", err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return nil, -1, fmt.Errorf("socketpair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "replay socket"), fds[1], nil
}

// serve takes calls until the process is lost or stopped.
func (w *worker) serve(c class) {
	defer w.conn.Close()
	h := w.process.helper
	for {
		select {
		case r := <-h.calls[c]:
			err := w.serveOne(r)
			r.result <- err
			if err == errNotSent {
				w.process.markLost()
				return
			}
		case <-w.process.lost:
			return
		case <-w.process.stopping:
			return
		}
	}
}

func (w *worker) serveOne(r *request) error {
	if r.ctx.Err() != nil {
		return fmt.Errorf("replay %v: not begun: %w", r.op, context.Cause(r.ctx))
	}
	res, err := w.exchange(r)
	if err == nil && res.kind == kindMoved {
		// The same file system by another mount, as after a bind mount over the mount
		// point. It is ours if our handlers see a lookup made on it.
		if err = w.introduce(time.Now().Add(w.process.helper.cfg.StartTimeout)); err != nil {
			return fmt.Errorf("replay %v: %w", r.op, err)
		}
		res, err = w.exchange(r)
	}
	if err != nil {
		return err
	}
	return res.err(r.op)
}

// exchange sends a call and waits for its result. The expectation stands exactly as
// long as the thread may be making the call.
func (w *worker) exchange(r *request) (reply, error) {
	setMountID(r.packet, w.mountID)
	w.expect.Store(&expectation{r.expect})
	w.op.Store(uint32(r.op))
	w.since.Store(time.Now().UnixNano())
	defer w.idle(r.op)
	if _, err := w.conn.Write(r.packet); err != nil {
		return reply{}, errNotSent
	}
	res, err := w.receive()
	if err != nil {
		w.process.markLost()
		return reply{}, fmt.Errorf("replay %v: %w", r.op, ErrHelperLost)
	}
	return res, nil
}

func (w *worker) idle(op Op) {
	w.expect.Store(nil)
	since := w.since.Swap(0)
	if w.stalled.CompareAndSwap(true, false) {
		w.process.helper.cfg.Logger.Info("replay no longer stalled", "call", op,
			"took", time.Since(time.Unix(0, since)))
	}
}

func (w *worker) receive() (reply, error) {
	n, err := w.conn.Read(w.buf[:])
	if err != nil {
		return reply{}, err
	}
	return parseReply(w.buf[:n])
}

// introduce has the thread look a nonce up, by which the handlers learn its id. On an
// error the worker is still what it was.
func (w *worker) introduce(deadline time.Time) error {
	reg := &w.process.helper.reg
	nonce, in := reg.await(w)
	defer reg.settle(nonce, in)
	m := message{Call: Call{Op: opIntroduce, Name: nonce}}
	packet, err := m.append(nil)
	if err != nil {
		return err
	}
	if err := w.conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("introduction: %w", err)
	}
	defer w.conn.SetDeadline(time.Time{})
	if _, err := w.conn.Write(packet); err != nil {
		return fmt.Errorf("introduction: %w: %w", ErrHelperLost, err)
	}
	res, err := w.receive()
	if err != nil {
		w.process.markLost() // a late reply would be taken for the next call's
		return fmt.Errorf("introduction: %w: %w", ErrHelperLost, err)
	}
	tid, seen := reg.settle(nonce, in)
	if !seen || (w.tid != 0 && w.tid != tid) {
		err := fmt.Errorf("introduction: %w: the lookup did not come to its root", ErrNotMounted)
		return errors.Join(err, res.err(opIntroduce))
	}
	w.tid, w.mountID = tid, res.mountID
	return nil
}
