package testenv

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Faults are what a Proxy does to the bytes that go through it. The zero value passes them on as they come.
type Faults struct {
	Delay    time.Duration // before each piece is passed on, each way
	Split    int           // pieces of at most so many bytes, each sent by itself
	Drop     bool          // bytes are swallowed: the connection stays, and is silent
	Truncate int64         // after so many more bytes from the server, all connections together, theirs is reset in the middle
}

// Proxy is a TCP relay in front of a server, for what goes wrong on a network. Its address stays the same while
// the server's may change.
type Proxy struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	target string              // guarded by mu
	faults Faults              // guarded by mu
	refuse bool                // guarded by mu
	pairs  map[*relay]struct{} // guarded by mu
	served int                 // guarded by mu: connections that were accepted so far
	closed bool                // guarded by mu
}

// relay is one connection through the proxy.
type relay struct{ client, server net.Conn }

// NewProxy starts a proxy on a free loopback port. The caller ends it with Close.
func NewProxy(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a proxy: %w", err)
	}
	p := &Proxy{listener: l, target: target, pairs: map[*relay]struct{}{}}
	p.wg.Go(p.accept)
	return p, nil
}

// MustProxy starts a proxy in front of a server that ends with the test.
func MustProxy(t TB, s *Samba) *Proxy {
	t.Helper()
	p, err := NewProxy(s.Addr())
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(p.Close)
	return p
}

// Port is where the proxy listens, on 127.0.0.1.
func (p *Proxy) Port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// Target has connections from now on go to another address.
func (p *Proxy) Target(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = address
}

// Set sets what happens to the bytes from now on, of the connections there are too.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// Refuse has new connections reset at once, or lets them in again.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

// Reset ends all connections with a RST, both ways, and returns how many there were.
func (p *Proxy) Reset() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.pairs)
	for r := range p.pairs {
		r.reset()
	}
	return n
}

// Cut ends all connections with a FIN, both ways, and returns how many there were.
func (p *Proxy) Cut() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.pairs)
	for r := range p.pairs {
		r.close()
	}
	return n
}

// Connections is how many there are now.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pairs)
}

// Served is how many connections were passed on to the server so far.
func (p *Proxy) Served() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.served
}

// Close ends the proxy and all connections, and waits for its goroutines.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Cut()
	p.wg.Wait()
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

// serve relays one connection until either side ends it.
func (p *Proxy) serve(client net.Conn) {
	p.mu.Lock()
	target, refuse := p.target, p.refuse
	p.mu.Unlock()
	r := &relay{client: client}
	if refuse {
		r.reset()
		return
	}
	var err error
	if r.server, err = net.DialTimeout("tcp", target, 5*time.Second); err != nil {
		r.reset()
		return
	}
	p.mu.Lock()
	if p.closed || p.refuse {
		p.mu.Unlock()
		r.reset()
		return
	}
	p.pairs[r] = struct{}{}
	p.served++
	p.mu.Unlock()

	var both sync.WaitGroup
	both.Go(func() { p.pump(r, r.server, r.client, false) })
	both.Go(func() { p.pump(r, r.client, r.server, true) })
	both.Wait()
	p.mu.Lock()
	delete(p.pairs, r)
	p.mu.Unlock()
}

// pump passes bytes on in one direction.
func (p *Proxy) pump(r *relay, to, from net.Conn, fromServer bool) {
	defer r.close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !p.pass(r, to, buf[:n], fromServer) || err != nil {
			return
		}
	}
}

// pass passes one piece on, as the faults have it. It reports false when the connection has ended.
func (p *Proxy) pass(r *relay, to net.Conn, b []byte, fromServer bool) bool {
	p.mu.Lock()
	f := p.faults
	last := false
	if fromServer && f.Truncate > 0 {
		p.faults.Truncate -= int64(len(b))
		if last = p.faults.Truncate <= 0; last {
			b = b[:f.Truncate]
			p.faults.Truncate = 0
		}
	}
	p.mu.Unlock()
	if f.Drop {
		return true
	}
	for len(b) > 0 {
		if f.Delay > 0 {
			time.Sleep(f.Delay)
		}
		n := len(b)
		if f.Split > 0 {
			n = min(n, 1+rand.IntN(f.Split))
		}
		if _, err := to.Write(b[:n]); err != nil {
			return false
		}
		b = b[n:]
	}
	if last {
		r.reset()
	}
	return !last
}

func (r *relay) close() {
	_ = r.client.Close()
	if r.server != nil {
		_ = r.server.Close()
	}
}

// reset closes with a RST: nothing that is still to be sent arrives.
func (r *relay) reset() {
	for _, c := range []net.Conn{r.client, r.server} {
		if tcp, ok := c.(*net.TCPConn); ok && tcp != nil {
			_ = tcp.SetLinger(0)
		}
	}
	r.close()
}
