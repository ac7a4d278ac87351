package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"log/syslog"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// openLog makes the logger: to logfile=, else to standard error in the foreground, else to the system log. The warning says if the
// log goes nowhere.
func openLog(cfg Config, foreground bool) (log *slog.Logger, warning string, err error) {
	level := slog.LevelInfo
	if cfg.Verbose {
		level = slog.LevelDebug
	}
	o := &slog.HandlerOptions{Level: level}
	if cfg.LogFile != "" {
		f, err := openLogFile(cfg.LogFile)
		if err != nil {
			return nil, "", err
		}
		file := &logFile{name: cfg.LogFile, f: f}
		return slog.New(fileHandler{slog.NewTextHandler(file, o), file}), "", nil
	}
	if foreground {
		return slog.New(slog.NewTextHandler(os.Stderr, o)), "", nil
	}
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_INFO, "smbfs")
	if err != nil {
		return slog.New(slog.NewTextHandler(io.Discard, o)), "there is no system log here, so the daemon's log is lost; -o logfile=FILE keeps it", nil
	}
	return slog.New(newSyslogHandler(w, level)).With("mount", cfg.Mountpoint), "", nil
}

// logFileError is a log file that cannot be written.
type logFileError struct {
	name string
	err  error
}

func (e logFileError) Error() string { return fmt.Sprintf("log file %s: %v", e.name, e.err) }
func (e logFileError) Unwrap() error { return e.err }

func openLogFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, logFileError{name, explainFileError(err)}
	}
	return f, nil
}

// fileHandler logs to a file.
type fileHandler struct {
	slog.Handler
	file *logFile
}

// logFile is logfile=, which can be opened again when somebody has moved it away.
type logFile struct {
	name string
	mu   sync.Mutex
	f    *os.File // guarded by mu
}

// Write implements io.Writer.
func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(b)
}

// reopenLog goes on in a new log file of the same name. It does nothing if the log is no file.
func reopenLog(log *slog.Logger) error {
	h, ok := log.Handler().(fileHandler)
	if !ok {
		return nil
	}
	f, err := openLogFile(h.file.name)
	if err != nil {
		return err
	}
	h.file.mu.Lock()
	defer h.file.mu.Unlock()
	if refersTo(stderrFD, h.file.f) { // the daemon's: see leaveTerminal
		_ = unix.Dup3(int(f.Fd()), stderrFD, 0)
	}
	h.file.f.Close()
	h.file.f = f
	return nil
}

// stderrFD is standard error.
const stderrFD = 2

// refersTo tells whether a descriptor and a file are one.
func refersTo(fd int, f *os.File) bool {
	var a, b unix.Stat_t
	return unix.Fstat(fd, &a) == nil && unix.Fstat(int(f.Fd()), &b) == nil && a.Dev == b.Dev && a.Ino == b.Ino
}

// severityWriter is the part of *syslog.Writer that is used.
type severityWriter interface {
	Err(string) error
	Warning(string) error
	Info(string) error
	Debug(string) error
}

// syslogHandler formats as slog's text handler does and sends each record with its severity. The system log adds the time.
type syslogHandler struct {
	text slog.Handler // writes to out.buf
	out  *syslogOut
}

type syslogOut struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
	w   severityWriter
}

func newSyslogHandler(w severityWriter, level slog.Level) *syslogHandler {
	out := &syslogOut{w: w}
	drop := func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
			return slog.Attr{}
		}
		return a
	}
	return &syslogHandler{slog.NewTextHandler(&out.buf, &slog.HandlerOptions{Level: level, ReplaceAttr: drop}), out}
}

// Enabled implements slog.Handler.
func (h *syslogHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.text.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (h *syslogHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return &syslogHandler{h.text.WithAttrs(a), h.out}
}

// WithGroup implements slog.Handler.
func (h *syslogHandler) WithGroup(name string) slog.Handler {
	return &syslogHandler{h.text.WithGroup(name), h.out}
}

// Handle implements slog.Handler.
func (h *syslogHandler) Handle(ctx context.Context, r slog.Record) error {
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	h.out.buf.Reset()
	if err := h.text.Handle(ctx, r); err != nil {
		return err
	}
	line := h.out.buf.String()
	switch {
	case r.Level >= slog.LevelError:
		return h.out.w.Err(line)
	case r.Level >= slog.LevelWarn:
		return h.out.w.Warning(line)
	case r.Level >= slog.LevelInfo:
		return h.out.w.Info(line)
	}
	return h.out.w.Debug(line)
}
