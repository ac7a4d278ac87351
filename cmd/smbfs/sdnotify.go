package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// serviceManager is the socket on which systemd is told how the daemon does: sd_notify(3). Nil: nobody wants to know.
type serviceManager struct {
	conn     *net.UnixConn
	log      *slog.Logger
	watchdog time.Duration // WATCHDOG=1 is due within this; 0: never
}

// findServiceManager takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment: they are for this process and not for its
// children.
func findServiceManager(log *slog.Logger) *serviceManager {
	address := os.Getenv("NOTIFY_SOCKET")
	usec, pid := os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		_ = os.Unsetenv(name)
	}
	if !strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "@") {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		log.Warn("the service manager is not told how the mount does", "err", err)
		return nil
	}
	s := &serviceManager{conn: conn, log: log}
	if n, err := strconv.ParseInt(usec, 10, 64); err == nil && n > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		s.watchdog = time.Duration(n) * time.Microsecond
	}
	return s
}

// tell sends assignments, such as READY=1.
func (s *serviceManager) tell(assignments ...string) {
	if s == nil {
		return
	}
	if _, err := s.conn.Write([]byte(strings.Join(assignments, "\n"))); err != nil {
		s.log.Debug("service manager", "err", err)
	}
}

// reloading begins what READY=1 ends.
func (s *serviceManager) reloading() {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	s.tell("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000))
}

// conditionInterval is how often the condition is looked at, and told if it is another one.
const conditionInterval = 5 * time.Second

// attend tells the status when it changes, and while the mount can say it, that it is alive: condition takes the locks that
// everything else takes. It ends with stop.
func (s *serviceManager) attend(condition func() string, stop <-chan struct{}) {
	if s == nil {
		return
	}
	interval := conditionInterval
	if s.watchdog > 0 {
		interval = min(interval, s.watchdog/3)
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	told := ""
	for {
		var lines []string
		if c := oneLine(condition()); c != told {
			lines, told = append(lines, "STATUS="+c), c
		}
		if s.watchdog > 0 {
			lines = append(lines, "WATCHDOG=1")
		}
		if len(lines) > 0 {
			s.tell(lines...)
		}
		select {
		case <-tick.C:
		case <-stop:
			return
		}
	}
}
