package main

import (
	"log/slog"
	"strings"
	"testing"
)

type fakeSyslog struct{ lines []string }

func (f *fakeSyslog) add(sev, s string) error {
	f.lines = append(f.lines, sev+" "+strings.TrimSpace(s))
	return nil
}
func (f *fakeSyslog) Err(s string) error     { return f.add("err", s) }
func (f *fakeSyslog) Warning(s string) error { return f.add("warning", s) }
func (f *fakeSyslog) Info(s string) error    { return f.add("info", s) }
func (f *fakeSyslog) Debug(s string) error   { return f.add("debug", s) }

func TestSyslogHandler(t *testing.T) {
	var w fakeSyslog
	log := slog.New(newSyslogHandler(&w, slog.LevelInfo))
	log.Error("a", "k", 1)
	log.With("x", "y").Warn("b")
	log.WithGroup("g").Info("c", "level", 2)
	log.Debug("not shown")
	want := []string{"err msg=a k=1", "warning msg=b x=y", "info msg=c g.level=2"}
	if got := strings.Join(w.lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("%s", got)
	}
	debug := slog.New(newSyslogHandler(&w, slog.LevelDebug))
	debug.Debug("d")
	if got := w.lines[len(w.lines)-1]; got != "debug msg=d" {
		t.Errorf("%s", got)
	}
}
