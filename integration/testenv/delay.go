package testenv

import (
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Delay is a stretch of network between client and server: what goes through arrives later, and no slower. (Proxy delays one piece after
// the other, which narrows the way too.)
type Delay struct {
	Port int

	oneWay time.Duration
	target string
	ln     net.Listener
	wg     sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn // guarded by mu
}

// StartDelay listens on a port beside the target's, of the same address, and passes on to target, with roundTrip added to every round trip. The caller ends
// it with Stop.
func StartDelay(target string, roundTrip time.Duration) (*Delay, error) {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	d := &Delay{Port: ln.Addr().(*net.TCPAddr).Port, oneWay: roundTrip / 2, target: target, ln: ln}
	d.wg.Go(d.accept)
	return d, nil
}

// Stop ends all connections.
func (d *Delay) Stop() {
	_ = d.ln.Close()
	d.mu.Lock()
	for _, c := range d.conns {
		_ = c.Close()
	}
	d.mu.Unlock()
	d.wg.Wait()
}

func (d *Delay) accept() {
	for {
		client, err := d.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", d.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		d.mu.Lock()
		d.conns = append(d.conns, client, server)
		d.mu.Unlock()
		d.pass(client, server)
		d.pass(server, client)
	}
}

// late is a piece of the stream and when it is to arrive.
type late struct {
	b  []byte
	at time.Time
}

// lateMost bounds how many pieces are under way, of 64 KiB each: more than any window here.
const lateMost = 4096

// sleepUntil is more exact than time.Sleep, which is late by up to a millisecond in a program that does nothing else.
func sleepUntil(t time.Time) {
	for left := time.Until(t); left > 0; left = time.Until(t) {
		ts := unix.NsecToTimespec(left.Nanoseconds())
		_ = unix.Nanosleep(&ts, nil)
	}
}

// pass copies from one connection to the other. Either end's close ends both.
func (d *Delay) pass(from, to net.Conn) {
	line := make(chan late, lateMost)
	d.wg.Go(func() {
		defer close(line)
		for {
			b := make([]byte, 64<<10)
			n, err := from.Read(b)
			if n > 0 {
				line <- late{b[:n], time.Now().Add(d.oneWay)}
			}
			if err != nil {
				return
			}
		}
	})
	d.wg.Go(func() {
		for l := range line {
			sleepUntil(l.at)
			if _, err := to.Write(l.b); err != nil {
				_ = from.Close()
			}
		}
		_, _ = from.Close(), to.Close()
	})
}
