package testenv

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// echoServer sends back what it gets.
func echoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	return l.Addr().String()
}

func proxied(t *testing.T) (*Proxy, func() net.Conn) {
	t.Helper()
	p, err := NewProxy(echoServer(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, func() net.Conn {
		c, err := net.Dial("tcp", p.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		return c
	}
}

// say sends b and reads as much back.
func say(c net.Conn, b []byte) ([]byte, error) {
	if _, err := c.Write(b); err != nil {
		return nil, err
	}
	got := make([]byte, len(b))
	n, err := io.ReadFull(c, got)
	return got[:n], err
}

func TestProxyPassesOn(t *testing.T) {
	p, dial := proxied(t)
	want := bytes.Repeat([]byte("0123456789"), 1000)
	for _, f := range []Faults{{}, {Split: 100}, {Delay: time.Millisecond}} {
		p.Set(f)
		if got, err := say(dial(), want); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%+v: %d of %d bytes came back: %v", f, len(got), len(want), err)
		}
	}
}

func TestProxyFaults(t *testing.T) {
	p, dial := proxied(t)
	for name, fault := range map[string]func(net.Conn){
		"reset": func(net.Conn) { p.Reset() },
		"cut":   func(net.Conn) { p.Cut() },
		"truncated": func(c net.Conn) {
			p.Set(Faults{Truncate: 3})
			got, err := say(c, []byte("hello"))
			if len(got) > 3 || err == nil {
				t.Errorf("after 3 bytes the connection ends: got %q, %v", got, err)
			}
		},
	} {
		c := dial()
		if _, err := say(c, []byte("hello")); err != nil {
			t.Fatalf("%s: before: %v", name, err)
		}
		fault(c)
		p.Set(Faults{})
		if got, err := say(c, []byte("hello")); err == nil {
			t.Errorf("%s: %q came back", name, got)
		}
	}
	c := dial()
	p.Set(Faults{Drop: true})
	_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
	var timeout net.Error
	if _, err := say(c, []byte("hello")); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("dropped: %v", err)
	}
	p.Set(Faults{})
	p.Refuse(true)
	c, err := net.Dial("tcp", p.listener.Addr().String())
	if err == nil {
		_, err = say(c, []byte("hello"))
	}
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("refused: %v", err)
	}
}

func TestProxyTarget(t *testing.T) {
	p, dial := proxied(t)
	p.Target("127.0.0.1:1")                                                // nobody
	if c, err := net.Dial("tcp", p.listener.Addr().String()); err == nil { // it may be reset that soon
		if got, err := say(c, []byte("x")); err == nil {
			t.Errorf("%q came back from nobody", got)
		}
	}
	p.Target(echoServer(t))
	if _, err := say(dial(), []byte("x")); err != nil {
		t.Error(err)
	}
	if n := p.Served(); n != 1 {
		t.Errorf("%d connections were passed on", n)
	}
}
