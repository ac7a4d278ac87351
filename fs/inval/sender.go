package inval

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// ErrClosed: the Sender is closed.
var ErrClosed = errors.New("notifications to the kernel have ended")

// Sender sends notifications for one mount.
type Sender struct {
	log    *slog.Logger
	device *os.File

	mu      sync.Mutex
	closed  bool     // guarded by mu
	direct  bool     // guarded by mu: no process can be had
	running *process // guarded by mu; nil: none has been started
}

// New finds the device on which this process serves its one mount, which must be mounted already.
func New(log *slog.Logger) (*Sender, error) {
	device, err := ownDevice()
	if err != nil {
		return nil, fmt.Errorf("notify the kernel: %w", err)
	}
	return &Sender{log: log, device: device}, nil
}

// Inode has the kernel forget a file's attributes and, unless off is negative, its content from off on: length
// bytes, all if 0. It waits for reads of that content that are under way. ENOENT: the kernel does
// not know the file.
func (s *Sender) Inode(id uint64, off, length int64) error {
	return s.send(inodeMessage(id, off, length))
}

// Entry has the kernel forget a name. It waits for the lock of its directory.
func (s *Sender) Entry(parent uint64, name string) error {
	return s.send(entryMessage(parent, name))
}

// send tries twice: what was under way when the process was killed may be sent again.
func (s *Sender) send(msg []byte) error {
	var err error
	for range 2 {
		var p *process
		if p, err = s.process(); err != nil {
			return err
		}
		if p == nil {
			_, err = s.device.Write(msg)
			return err
		}
		if err = p.send(msg); !errors.Is(err, errLost) {
			return err
		}
	}
	return err
}

// process returns the running process, started if need be; nil if there can be none.
func (s *Sender) process() (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, ErrClosed
	case s.direct:
		return nil, nil
	case s.running != nil && !s.running.isLost():
		return s.running, nil
	}
	p, err := startProcess(s.device)
	if err != nil {
		s.direct = true
		s.log.Warn("the kernel is notified without a process of its own: a SIGKILL in the wrong moment leaves a zombie", "err", err)
		return nil, nil
	}
	s.running = p
	return p, nil
}

// Close has the process end when its notifications have returned, and does not wait for that long: they
// return when the mount's requests are answered. Nothing may be sent any more.
func (s *Sender) Close() {
	s.mu.Lock()
	p, closed := s.running, s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return
	}
	if p != nil {
		p.quit()
	}
	s.device.Close()
}
