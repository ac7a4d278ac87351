package testenv

import (
	"math"
	"os"
	"time"
)

// TB is the part of testing.TB that the wrappers below use.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Failed() bool
}

// MustSamba starts a server that ends with the test.
func MustSamba(t TB, o Options) *Samba {
	t.Helper()
	s, err := StartSamba(o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(s.Stop)
	return s
}

// MustDelay is a way to the server with roundTrip added, until the test ends.
func MustDelay(t TB, s *Samba, roundTrip time.Duration) *Delay {
	t.Helper()
	d, err := StartDelay(s.Addr(), roundTrip)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(d.Stop)
	return d
}

// MustMount mounts until the test ends, and shows smbfs's log if it failed.
func MustMount(t TB, o MountOptions) *Mounted {
	t.Helper()
	m, err := Mount(o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		m.Close()
		if t.Failed() {
			t.Logf("smbfs said:\n%s", tail(m.Log(), logLines()))
		}
	})
	return m
}

// MustPeer connects the second client until the test ends.
func MustPeer(t TB, s *Samba) *Peer {
	t.Helper()
	p, err := DialPeer(s)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// logLines is how much of a log is shown: all if more was asked for.
func logLines() int {
	if os.Getenv(ArgsEnv) != "" {
		return math.MaxInt
	}
	return 400
}

// tail is the last n lines of s.
func tail(s string, n int) string {
	for i := len(s) - 1; i > 0; i-- {
		if s[i-1] == '\n' {
			if n--; n == 0 {
				return s[i:]
			}
		}
	}
	return s
}

// MustWatch starts a watcher that ends with the test; start is WatchInotify or
// WatchFanotify.
func MustWatch(t TB, start func(string, WatchOptions) (*Watcher, error), root string, o WatchOptions) *Watcher {
	t.Helper()
	w, err := start(root, o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(w.Close)
	return w
}
