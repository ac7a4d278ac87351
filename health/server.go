package health

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxRequest   = 64 << 10 // bytes of a request
	maxClients   = 64       // at a time
	readTimeout  = 5 * time.Second
	writeTimeout = 10 * time.Second // a client that takes nothing for so long is sent away
	partTimeout  = 3 * time.Second  // the same once it is being sent away
)

// request is what a client sends.
type request struct {
	Op    string `json:"op"`              // "status" or "watch"
	Below string `json:"below,omitempty"` // of "watch": a directory in the mount
}

// response is one line of the answer. One of its fields is set.
type response struct {
	Status *Status `json:"status,omitempty"`
	Event  *Event  `json:"event,omitempty"`
	Ready  bool    `json:"ready,omitempty"`  // the watch has begun
	Notice string  `json:"notice,omitempty"` // why nothing more comes
	Error  string  `json:"error,omitempty"`
}

// Source is what a Server tells of.
type Source interface {
	Status() Status
	Subscribe(below string) *Subscription
	Unsubscribe(*Subscription)
}

// Server answers on a mount's control socket.
type Server struct {
	source Source
	log    *slog.Logger
	uid    int // besides root
	dir    *directory
	name   string
	inode  unix.Stat_t // of our socket
	l      *net.UnixListener
	wg     sync.WaitGroup
	ending chan struct{}

	mu    sync.Mutex
	conns map[*net.UnixConn]struct{} // guarded by mu
}

// Serve makes the control socket of a mount in the directory and answers on it. The directory is made if need be.
func Serve(dir, mountpoint string, source Source, log *slog.Logger) (*Server, error) {
	uid := os.Geteuid()
	d, err := openDirectory(dir, uid, true)
	if err != nil {
		return nil, err
	}
	s := &Server{
		source: source, log: log, uid: uid, dir: d, name: SocketName(mountpoint),
		ending: make(chan struct{}), conns: map[*net.UnixConn]struct{}{},
	}
	if err := s.listen(); err != nil {
		d.Close()
		return nil, fmt.Errorf("control socket in %s: %w", dir, err)
	}
	s.wg.Go(s.accept)
	return s, nil
}

func (s *Server) listen() error {
	if err := s.dir.clear(s.name); err != nil {
		return err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: s.dir.path(s.name)})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(s.dir.path(s.name), 0o600)
	if err == nil {
		s.inode, _, err = s.dir.inode(s.name)
	}
	if err != nil {
		l.Close()
		return err
	}
	s.l = l
	return nil
}

// Close ends all clients and removes the socket, if it is still ours: another mount may have come to lie on top of this one.
func (s *Server) Close() {
	close(s.ending)
	if st, ok, err := s.dir.inode(s.name); err == nil && ok && st.Ino == s.inode.Ino && st.Dev == s.inode.Dev {
		_ = unix.Unlinkat(int(s.dir.f.Fd()), s.name, 0)
	}
	s.l.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.SetDeadline(time.Now())
	}
	s.mu.Unlock()
	s.wg.Wait()
	s.dir.Close()
}

func (s *Server) accept() {
	for {
		c, err := s.l.AcceptUnix()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // too many open files, perhaps: not for ever
			s.log.Debug("control socket", "err", err)
			select {
			case <-time.After(time.Second):
			case <-s.ending:
				return
			}
			continue
		case !s.admit(c):
			c.Close()
			continue
		}
		s.wg.Go(func() {
			defer s.leave(c)
			s.serve(c)
		})
	}
}

// admit counts a client in, unless there are too many or the mount ends.
func (s *Server) admit(c *net.UnixConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isEnding() {
		return false
	}
	if len(s.conns) >= maxClients {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) isEnding() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}

func (s *Server) leave(c *net.UnixConn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// serve answers one client.
func (s *Server) serve(c *net.UnixConn) {
	uid, err := peer(c)
	if err != nil || uid != 0 && uid != s.uid {
		s.log.Warn("the control socket was asked by another user, who got no answer", "uid", uid, "err", err)
		_ = send(c, &response{Error: "only the mount's owner and root may ask"}, partTimeout)
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(readTimeout))
	var req request
	line, err := bufio.NewReader(io.LimitReader(c, maxRequest)).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &req)
	}
	switch {
	case err != nil:
		_ = send(c, &response{Error: "not a request"}, partTimeout)
	case req.Op == "status":
		st := s.source.Status()
		_ = send(c, &response{Status: &st}, writeTimeout)
	case req.Op == "watch":
		s.watch(c, req.Below)
	default:
		_ = send(c, &response{Error: fmt.Sprintf("unknown request %q", req.Op)}, partTimeout)
	}
}

// peer is the user at the other end, as the kernel knows it.
func peer(c *net.UnixConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *unix.Ucred
	if cerr := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); cerr != nil {
		return -1, cerr
	}
	if err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}

// watch sends events until the client hangs up, is too slow, or the mount ends.
func (s *Server) watch(c *net.UnixConn, below string) {
	sub := s.source.Subscribe(below)
	defer s.source.Unsubscribe(sub)
	gone := make(chan struct{})
	_ = c.SetReadDeadline(time.Time{})
	s.wg.Go(func() { // ends with the connection
		_, _ = c.Read(make([]byte, 1))
		close(gone)
	})
	if s.isEnding() { // whose deadline was just overwritten
		_ = c.SetReadDeadline(time.Now())
	}
	if send(c, &response{Ready: true}, writeTimeout) != nil {
		return
	}
	for {
		select {
		case e := <-sub.Events:
			if send(c, &response{Event: &e}, writeTimeout) != nil {
				return
			}
		case <-sub.TooSlow:
			s.log.Info("a client that watches was too slow and was sent away")
			_ = send(c, &response{Notice: fmt.Sprintf("more than %d events were waiting for this client: it is too slow", subscriptionBuffer)}, partTimeout)
			return
		case <-gone:
			if !s.isEnding() {
				return
			}
			_ = send(c, &response{Notice: "unmounted"}, partTimeout)
			return
		case <-s.ending:
			_ = send(c, &response{Notice: "unmounted"}, partTimeout)
			return
		}
	}
}

// send writes one line.
func send(c *net.UnixConn, r *response, limit time.Duration) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_ = c.SetWriteDeadline(time.Now().Add(limit))
	_, err = c.Write(append(b, '\n'))
	return err
}
