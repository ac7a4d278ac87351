package testenv

import (
	"io"
	"net"
	"testing"
	"time"
)

// TestDelay: what is sent at once arrives at once, a delay later, each way.
func TestDelay(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	const delay, pieces = 20 * time.Millisecond, 50
	d, err := StartDelay(echo.Addr().String(), 2*delay)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Stop()
	c, err := net.Dial("tcp", (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: d.Port}).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	start := time.Now()
	for range pieces {
		if _, err := c.Write([]byte("piece")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := io.ReadFull(c, make([]byte, 5*pieces)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 2*delay || took > pieces*delay {
		t.Errorf("%d pieces there and back took %v, %v each way", pieces, took, delay)
	}
}
