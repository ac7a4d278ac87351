package smbclient

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

var errEnough = errors.New("enough")

// TestCancelled abandons requests that the server keeps: each gets one CANCEL, its late response is booked, and the connection lives on.
func TestCancelled(t *testing.T) {
	for _, interim := range []bool{false, true} {
		server := scripted(t, smbtest.Options{SecurityMode: wire.SigningRequired})
		tree := scriptedTree(t, server, scriptedConfig(server))
		o := mustCreate(t, tree, "f", createFile)
		held, cancelled := make(chan *smbtest.Request, 1), make(chan wire.Header, 1)
		server.Hook(wire.CommandWrite, func(r *smbtest.Request) {
			if interim {
				r.Interim()
			}
			held <- r
		})
		server.Hook(wire.CommandCancel, func(r *smbtest.Request) { cancelled <- r.Header })
		ctx, cancel := context.WithCancelCause(context.Background())
		result := make(chan error, 1)
		go func() {
			_, err := o.WriteAt(ctx, []byte("x"), 0)
			result <- err
		}()
		r := <-held
		if interim {
			eventually(t, func() bool { return parked(tree.session.conn) == 1 })
		}
		cancel(errEnough)
		if err := <-result; !errors.Is(err, errEnough) || errors.Is(err, net.ErrClosed) {
			t.Fatalf("got %v", err)
		}
		h := <-cancelled
		if h.MessageID != r.Header.MessageID || (h.Flags&wire.FlagAsync != 0) != interim || h.Flags&wire.FlagSigned == 0 || h.CreditCharge != 0 {
			t.Fatalf("CANCEL %+v", h)
		}
		if interim {
			r.Final(wire.StatusCancelled, nil)
		} else {
			r.Serve()
		}
		sameCredits(t, server, tree.session.conn)
	}
}

func parked(c *Connection) int {
	c.credit.mu.Lock()
	defer c.credit.mu.Unlock()
	return c.credit.parked
}

// TestCancelledCreate opens a file for somebody who has gone: it is closed.
func TestCancelledCreate(t *testing.T) {
	server := scripted(t, smbtest.Options{})
	tree := scriptedTree(t, server, scriptedConfig(server))
	held := make(chan *smbtest.Request, 1)
	server.Hook(wire.CommandCreate, func(r *smbtest.Request) { held <- r })
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() {
		_, err := tree.Create(ctx, "f", createFile)
		result <- err
	}()
	r := <-held
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	opened := make(chan struct{})
	server.Hook(wire.CommandClose, func(r *smbtest.Request) { close(opened); r.Serve() })
	r.Serve()
	<-opened
	eventually(t, func() bool { return server.Tree.Opens() == 0 })
	sameCredits(t, server, tree.session.conn)
}

// TestCancelledRead takes the memory back in the middle of the data of a response: nothing is written to it any more, the signature is
// checked all the same, and the connection lives on.
func TestCancelledRead(t *testing.T) {
	server := scripted(t, smbtest.Options{SecurityMode: wire.SigningRequired})
	tree := scriptedTree(t, server, scriptedConfig(server))
	o := mustCreate(t, tree, "f", createFile)
	const size = 1 << 20
	data := bytes.Repeat([]byte{1}, size)
	if _, err := o.WriteAt(testContext(t), data, 0); err != nil {
		t.Fatal(err)
	}
	halfway, goOn := make(chan struct{}), make(chan struct{})
	server.Hook(wire.CommandRead, func(r *smbtest.Request) {
		resp := r.Response(wire.StatusSuccess, &wire.ReadResponse{Data: data})
		resp.Transmit = func(c *smbtest.Conn, message []byte) {
			c.WriteRaw(message[:size/2])
			close(halfway)
			<-goOn
			c.WriteRaw(message[size/2:])
		}
		resp.Send()
	})
	ctx, cancel := context.WithCancelCause(context.Background())
	p := make([]byte, size)
	result := make(chan error, 1)
	go func() {
		_, err := o.ReadAt(ctx, p, 0)
		result <- err
	}()
	<-halfway
	cancel(errEnough)
	if err := <-result; !errors.Is(err, errEnough) {
		t.Fatalf("got %v", err)
	}
	for i := range p {
		p[i] = 2 // the race detector watches
	}
	close(goOn)
	sameCredits(t, server, tree.session.conn)
	for i := range p {
		if p[i] != 2 {
			t.Fatalf("byte %d was written afterwards", i)
		}
	}
	server.Hook(wire.CommandRead, nil)
	if _, err := o.ReadAt(testContext(t), p, 0); err != nil || !bytes.Equal(p, data) {
		t.Fatalf("the next read: %v", err)
	}
}

// TestInterruptedWrite ends the context of a write that the transport does not take: the caller gets away with his memory, the rest is sent from
// a copy once the transport takes it, and not a byte is lost for the others.
func TestInterruptedWrite(t *testing.T) {
	for _, seal := range []bool{false, true} {
		server := scripted(t, smbtest.Options{})
		cfg := scriptedConfig(server)
		cfg.Seal = seal
		tree := scriptedTree(t, server, cfg)
		o := mustCreate(t, tree, "f", createFile)
		blocked, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		server.Hook(wire.CommandEcho, func(r *smbtest.Request) {
			once.Do(func() { close(blocked); <-goOn }) // the server reads nothing meanwhile
			r.Serve()
		})
		go func() { _ = tree.session.conn.Echo(context.Background()) }()
		<-blocked
		data := make([]byte, 3<<20)
		_, _ = rand.Read(data)
		p := bytes.Clone(data)
		var results []chan error
		ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, errEnough)
		defer cancel()
		for i := range 3 { // one of them writes, the others wait for their turn
			result := make(chan error, 1)
			results = append(results, result)
			go func() {
				_, err := o.WriteAt(ctx, p[i<<20:][:1<<20], int64(i)<<20)
				result <- err
			}()
		}
		for _, result := range results {
			if err := <-result; !errors.Is(err, errEnough) {
				t.Fatalf("got %v", err)
			}
		}
		clear(p)
		close(goOn)
		sameCredits(t, server, tree.session.conn)
		if got, ok := server.Tree.ReadFile("f"); !ok || len(got) == 0 || !bytes.Equal(got, data[:len(got)]) && !sparseEqual(got, data) {
			t.Fatalf("%d bytes were written, and not those that were meant", len(got))
		}
	}
}

// sparseEqual compares where something was written: a part may never have been sent.
func sparseEqual(got, want []byte) bool {
	for off := 0; off < len(got); off += 1 << 20 {
		part := got[off:min(off+1<<20, len(got))]
		if !bytes.Equal(part, want[off:off+len(part)]) && !bytes.Equal(part, make([]byte, len(part))) {
			return false
		}
	}
	return true
}

// TestCreditWait ends the context of somebody who waits for credits. Large requests are not starved by small ones.
func TestCreditWait(t *testing.T) {
	p := newCreditPool()
	if n, err := p.acquire(context.Background(), 1, 1); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	results := make(chan error, 1)
	go func() { _, err := p.acquire(ctx, 1, 1); results <- err }()
	eventually(t, func() bool { return waiting(p) == 1 })
	cancel(errEnough)
	if err := <-results; !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	order := make(chan int, 3)
	for i, want := range []int{5, 1, 1} {
		go func() {
			if n, err := p.acquire(context.Background(), want, 1); n != want || err != nil {
				t.Error(n, err)
			}
			order <- want
		}()
		eventually(t, func() bool { return waiting(p) == i+1 })
	}
	p.answered(4, 0, 0)
	if waiting(p) != 3 {
		t.Fatal("a small request went past a large one")
	}
	p.answered(1, 1, 0)
	if first := <-order; first != 5 {
		t.Fatal("not in order")
	}
	p.answered(2, 5, 0)
	<-order
	<-order
	// Alone, a request takes what is there, rather than to wait for what can never come.
	p.answered(3, 2, 0)
	if n, err := p.acquire(context.Background(), 10, 1); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	p.answered(0, 3, 1)
	parkedCtx, cancelParked := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancelParked()
	if _, err := p.acquire(parkedCtx, 1, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a parked request may still bring credits: %v", err)
	}
	p.answered(0, 0, -1)
	if _, err := p.acquire(context.Background(), 1, 1); !errors.Is(err, ErrCredits) {
		t.Fatalf("nothing can bring credits: %v", err)
	}
}

func waiting(p *creditPool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiters)
}
