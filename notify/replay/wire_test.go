package replay

import (
	"errors"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

var wireCalls = []message{
	{Call: Call{Op: Unlink, Name: "a", Atime: time.Unix(0, 0), Mtime: time.Unix(0, 0)}, mountID: 1},
	{Call: Call{Op: Rename, Dir: "a/b", Name: "c", NewDir: "d", NewName: "é", Mode: 0o755,
		Atime: time.Unix(-11644473600, 1), Mtime: time.Unix(1<<40, 999_999_999)}, mountID: 1<<64 - 1},
	{Call: Call{Op: Symlink, Name: "a", Target: strings.Repeat("x/", 2000), Atime: someTime, Mtime: someTime}},
}

func TestMessageRoundTrip(t *testing.T) {
	for _, want := range wireCalls {
		b, err := want.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseMessage(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		for n := range b {
			if _, err := parseMessage(b[:n]); !errors.Is(err, errWire) {
				t.Fatalf("%d of %d bytes: %v", n, len(b), err)
			}
		}
		if _, err := parseMessage(append(b, 0)); !errors.Is(err, errWire) {
			t.Errorf("a byte too many: %v", err)
		}
	}
	long := message{Call: Call{Dir: strings.Repeat("x", maxMessage-callHeader)}}
	if _, err := long.append(nil); !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Errorf("a message too long: %v", err)
	}
}

func TestReplyRoundTrip(t *testing.T) {
	for _, want := range []reply{{}, {mountID: 7}, {step: StepCall, errno: syscall.EBUSY},
		{step: StepPath, kind: kindOutside, errno: syscall.EXDEV}} {
		b := want.append(nil)
		if got, err := parseReply(b); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		for n := range b {
			if _, err := parseReply(b[:n]); !errors.Is(err, errWire) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
	for _, bad := range []reply{{step: StepCall + 1}, {kind: kindEnd}} {
		if _, err := parseReply(bad.append(nil)); !errors.Is(err, errWire) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, m := range wireCalls {
		b, err := m.append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMessage(b)
		if err != nil {
			return
		}
		again, err := m.append(nil)
		if err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		if back, err := parseMessage(again); err != nil || !reflect.DeepEqual(back, m) {
			t.Fatalf("%+v came back as %+v, %v", m, back, err)
		}
	})
}

func FuzzParseReply(f *testing.F) {
	f.Add(reply{step: StepCall, errno: syscall.EBUSY}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseReply(b)
		if err == nil && string(r.append(nil)) != string(b) {
			t.Fatalf("%x came back as %x", b, r.append(nil))
		}
	})
}
