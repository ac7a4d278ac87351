package smbtest

import (
	"context"
	"fmt"
	"net"
	"sync"

	"smbfs/smbclient/auth"
	"smbfs/smbclient/wire"
)

// Account of every server.
const (
	User     = "user"
	Password = "secret"
	Share    = "share"
)

// Options say what kind of server it is.
type Options struct {
	Dialect      wire.Dialect // the highest it speaks; zero: 3.1.1
	Cipher       wire.Cipher  // zero: AES-128-GCM with 3.1.1, AES-128-CCM with 3.0
	NoEncryption bool
	Signing      wire.SigningAlgorithm // 3.1.1 only; zero: HMAC-SHA256
	SecurityMode wire.SecurityMode     // zero: SigningEnabled
	SessionFlags wire.SessionFlags     // of every session; a guest's has no keys
	ShareFlags   wire.ShareFlags
	NoLargeMTU   bool
	Leases       bool   // says that it grants them; a Hook has to, see Request.Grant
	MaxSize      uint32 // read, write and transact; zero: 1 MiB

	// Grant says how many credits a response grants. Nil: as many as were asked for, and one at least.
	Grant func(request *wire.Header) uint16
}

// Hook sees a request before the server does. It answers it, or has it served with Request.Serve, or leaves it unanswered.
type Hook func(*Request)

// Server is a server for tests.
type Server struct {
	Tree *Tree

	options Options
	wg      sync.WaitGroup

	mu         sync.Mutex
	hooks      map[wire.Command]Hook // guarded by mu
	conns      []*Conn               // guarded by mu
	listeners  []net.Listener        // guarded by mu
	violations []string              // guarded by mu
	closed     bool                  // guarded by mu
}

// NewServer returns a server that listens nowhere yet.
func NewServer(o Options) *Server {
	if o.Dialect == 0 {
		o.Dialect = wire.Dialect311
	}
	if o.SecurityMode == 0 {
		o.SecurityMode = wire.SigningEnabled
	}
	if o.MaxSize == 0 {
		o.MaxSize = 1 << 20
	}
	if o.Grant == nil {
		o.Grant = func(h *wire.Header) uint16 { return max(h.Credits, 1) }
	}
	return &Server{Tree: newTree(), options: o, hooks: make(map[wire.Command]Hook)}
}

// Credentials are those of the server's account.
func (s *Server) Credentials() auth.Credentials {
	return auth.Credentials{User: User, Password: auth.NewSecret(Password)}
}

// Dial connects through a net.Pipe. It has the form of smbclient.Config.Dial.
func (s *Server) Dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	s.serve(server)
	return client, nil
}

// Listen accepts connections on a loopback port and returns its address.
func (s *Server) Listen() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.serve(conn)
		}
	})
	return l.Addr().String(), nil
}

func (s *Server) serve(conn net.Conn) {
	c := newConn(s, conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return
	}
	s.conns = append(s.conns, c)
	s.wg.Go(c.run)
}

// Hook sets the hook for a command, nil for none.
func (s *Server) Hook(command wire.Command, h Hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[command] = h
}

func (s *Server) hook(command wire.Command) Hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hooks[command]
}

// Conns returns the connections made so far, in their order.
func (s *Server) Conns() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Conn(nil), s.conns...)
}

// Violations returns what clients did against the protocol.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.violations...)
}

func (s *Server) violation(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

// Close ends all connections and waits for their goroutines.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for _, l := range s.listeners {
		_ = l.Close()
	}
	for _, c := range s.conns {
		_ = c.conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}
