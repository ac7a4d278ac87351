package health

import (
	"testing"
	"time"

	"smbfs/cache"
	"smbfs/notify"
	"smbfs/share"
	"smbfs/smbclient/wire"
)

// script plays traces at moments of its own.
type script struct {
	Recorder
	at time.Time
}

func (s *script) after(d time.Duration) *script {
	s.at = s.at.Add(d)
	return s
}

func (s *script) said(names ...string) *script {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range names {
		s.hear(cache.Place{Dir: 1, Name: n}, wire.ActionAdded, s.at)
	}
	return s
}

func (s *script) told(op cache.Op, name string) (said []Said, latency *float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.explain(&cache.Change{Op: op, From: cache.Place{Dir: 1, Name: name}}, s.at)
}

func TestExplain(t *testing.T) {
	s := &script{at: time.Unix(1000, 0)}
	s.said("a").after(2 * time.Millisecond).said("a").after(time.Millisecond)
	if said, l := s.told(cache.Create, "a"); len(said) != 2 || l == nil || *l != 0.003 {
		t.Errorf("a change and its notifications: %v, %v", said, l)
	}
	if said, l := s.told(cache.Modify, "a"); len(said) != 2 || l == nil || *l != 0.003 {
		t.Errorf("what follows from the same ones: %v, %v", said, l)
	}
	if _, l := s.told(cache.Rest, "a"); l != nil {
		t.Errorf("CLOSE_WRITE waits by intent, and has the latency %v", *l)
	}
	if said, l := s.told(cache.Create, "b"); said != nil || l != nil {
		t.Errorf("a change that nobody notified: %v, %v", said, l)
	}
	s.after(time.Minute)
	if said, l := s.told(cache.Modify, "a"); said != nil || l != nil {
		t.Errorf("a minute later, found by comparison: %v, %v", said, l)
	}
	s.said("a").after(time.Second)
	if said, l := s.told(cache.Modify, "a"); len(said) != 1 || l == nil || *l != 1 {
		t.Errorf("notified anew: %v, %v", said, l)
	}
}

// Memory for what was heard is bounded; the oldest is forgotten.
func TestHeardIsBounded(t *testing.T) {
	s := &script{at: time.Unix(1000, 0)}
	var name [3]byte
	for i := range 2 * maxHeard {
		name = [3]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		s.said(string(name[:]))
	}
	if len(s.heard) != maxHeard || len(s.ring) != maxHeard {
		t.Errorf("%d names are remembered, %d in the ring", len(s.heard), len(s.ring))
	}
	if said, _ := s.told(cache.Create, string(name[:])); len(said) != 1 {
		t.Error("the latest is forgotten")
	}
	if said, _ := s.told(cache.Create, "\x00\x00\x00"); len(said) != 0 {
		t.Error("the oldest is remembered")
	}
}

// What the server said is shown as it said it, also where it names nothing here; nothing of it steers the terminal.
func TestServersWords(t *testing.T) {
	s := &script{at: time.Unix(1000, 0)}
	sub := s.Subscribe("")
	s.Trace(notify.Trace{
		At: s.at, Dir: 1, Overflow: true,
		Said:   []wire.NotifyEvent{{Action: wire.ActionAdded, Name: "a:b\x1b[31m"}, {Action: wire.ActionRenamedOldName, Name: "c"}},
		Events: []share.Event{{Name: "c", Action: wire.ActionRenamedOldName}},
	})
	e := <-sub.Events
	if e.Kind != KindSaid || len(e.Said) != 2 || !e.Overflow {
		t.Errorf("%+v", e)
	}
	want := e.Time.Local().Format("15:04:05.000") + `  (server)     /                                         [ADDED "a:b\x1b[31m", RENAMED_OLD_NAME c, some lost: the directory is compared]`
	if e.Line() != want {
		t.Errorf("%s\nwant %s", e.Line(), want)
	}
}

func TestLines(t *testing.T) {
	at := time.Date(2025, 3, 4, 12, 0, 0, 5e6, time.Local)
	ms := 0.00125
	for want, e := range map[string]Event{
		"12:00:00.005  CREATE       d/new/                                    [ADDED new]  1.25 ms":                                                   {Kind: KindTold, Change: "create", Object: "directory", Path: "d/new", Said: []Said{{"ADDED", "new"}}, Latency: &ms},
		"12:00:00.005  MOVE         a -> b                                    [nothing said: found by comparison]":                                    {Kind: KindTold, Change: "rename", Object: "file", Path: "a", To: "b"},
		"12:00:00.005  CLOSE_WRITE  a                                         [at rest]":                                                              {Kind: KindTold, Change: "close-write", Object: "file", Path: "a"},
		"12:00:00.005  DELETE       \"a\\nb\"                                    [nothing said: found by comparison]  not told: something is mounted": {Kind: KindUntold, Change: "remove", Object: "file", Path: "a\nb", Error: "something is mounted"},
	} {
		e.Time = at
		if got := e.Line(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
