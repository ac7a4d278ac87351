package main

import (
	"testing"

	"smbfs/health"
)

// TestCondition: what systemd's status line says.
func TestCondition(t *testing.T) {
	up := health.ConnectionStatus{Purpose: "work", Up: true}
	for _, c := range []struct {
		work   health.ConnectionStatus
		notify health.NotifyStatus
		want   string
	}{
		{up, health.NotifyStatus{Mode: "dir"}, "//nas/s: connected, notify dir"},
		{up, health.NotifyStatus{Mode: "poll", Every: 2}, "//nas/s: connected, not notified, compared every 2 s"},
		{up, health.NotifyStatus{Mode: "poll", Every: 2, Why: "it fails"}, "//nas/s: connected, not notified, compared every 2 s: it fails"},
		{up, health.NotifyStatus{Mode: "dir", Pinned: 3, Unseen: 2}, "//nas/s: unhealthy: 2 directories that programs watch are neither notified nor compared"},
		{health.ConnectionStatus{Error: "EOF"}, health.NotifyStatus{Mode: "dir", Unseen: 2}, "//nas/s: no connection: EOF"},
	} {
		st := health.Status{Connections: []health.ConnectionStatus{c.work, {Purpose: "watch"}}, Notify: c.notify}
		if got := condition("//nas/s", st); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
