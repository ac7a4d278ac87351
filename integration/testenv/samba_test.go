package testenv

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestSambaServesItsFolder(t *testing.T) {
	s := MustSamba(t, Options{})
	if err := os.WriteFile(s.Path("f"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := MustPeer(t, s)
	got, err := p.ReadFile("f")
	if err != nil || string(got) != "hello" {
		t.Fatalf("second client read %q, %v", got, err)
	}
	if err := p.WriteFile("g", []byte("back"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(s.Path("g")); err != nil || string(got) != "back" {
		t.Fatalf("the server's folder has %q, %v", got, err)
	}
}

func TestSambaSeveralAtOnceAndRestart(t *testing.T) {
	a, b := MustSamba(t, Options{}), MustSamba(t, Options{Name: "other", Share: []string{"read only = yes"}})
	MustPeer(t, a)
	if err := MustPeer(t, b).WriteFile("f", nil, 0o644); err == nil {
		t.Fatal("a write to a read-only share succeeded")
	}
	port := a.Port
	a.Kill()
	if !a.proc.WaitTimeout(0) || probeSMB2(a.Addr()) == nil {
		t.Fatal("the killed server still answers")
	}
	if err := a.Restart(); err != nil {
		t.Fatal(err)
	}
	if a.Port != port {
		t.Fatalf("restarted on port %d, was %d", a.Port, port)
	}
	MustPeer(t, a)
	MustPeer(t, b)
}

func TestSambaStopLeavesNothing(t *testing.T) {
	s, err := StartSamba(Options{})
	if err != nil {
		t.Fatal(err)
	}
	children := Children(s.PID())
	if len(children) == 0 {
		t.Fatal("smbd has no children: is Children right?")
	}
	s.Stop()
	for _, pid := range append(children, s.PID()) {
		if !WaitUntil(5*time.Second, func() bool { return processState(pid) == 0 }) {
			t.Errorf("process %d still runs", pid)
		}
	}
	if _, err := os.Stat(s.state); !os.IsNotExist(err) {
		t.Errorf("state folder: %v", err)
	}
}

func TestSambaBadConfigurationIsAnError(t *testing.T) {
	s, err := StartSamba(Options{Global: []string{"interfaces = nonsense.invalid"}})
	if err == nil {
		s.Stop()
		t.Fatal("a server with no usable interface started")
	}
	if !strings.Contains(err.Error(), "start smbd") {
		t.Errorf("error does not say what failed: %v", err)
	}
}
