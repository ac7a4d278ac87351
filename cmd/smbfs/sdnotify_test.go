package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// notifySocket plays the service manager.
type notifySocket struct {
	t    *testing.T
	conn *net.UnixConn
}

func listenNotify(t *testing.T, c *command) notifySocket {
	t.Helper()
	address := &net.UnixAddr{Name: filepath.Join(c.dir, "notify"), Net: "unixgram"}
	conn, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c.env = append(c.env, "NOTIFY_SOCKET="+address.Name)
	return notifySocket{t, conn}
}

// wait reads until a message matches.
func (n notifySocket) wait(pattern string) {
	n.t.Helper()
	_ = n.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 4096)
	var seen []string
	for {
		size, err := n.conn.Read(b)
		if err != nil {
			n.t.Fatalf("no message %q: %v; there were %q", pattern, err, seen)
		}
		seen = append(seen, string(b[:size]))
		if regexp.MustCompile("^" + pattern + "$").Match(b[:size]) {
			return
		}
	}
}

// TestServiceManager goes through a daemon's life: ready, a status, alive, reloading, stopping.
func TestServiceManager(t *testing.T) {
	c := newCommand(t, "busy")
	manager := listenNotify(t, c)
	c.env = append(c.env, "WATCHDOG_USEC=60000")
	logFile := filepath.Join(c.dir, "log")
	cmd := c.cmd("-f", "-o", "password=x,logfile="+logFile, "//host/share", c.mnt)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	manager.wait("READY=1")
	manager.wait("STATUS=as it should be\nWATCHDOG=1")
	manager.wait("WATCHDOG=1")

	if err := os.Rename(logFile, logFile+".1"); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Signal(unix.SIGHUP)
	manager.wait(`RELOADING=1\nMONOTONIC_USEC=[0-9]+`)
	manager.wait("READY=1")
	if _, err := os.Stat(logFile); err != nil {
		t.Errorf("the log file was not opened again: %v", err)
	}

	c.leave("stuck") // the mount's locks are held by somebody who never gives them back
	until(t, "WATCHDOG=1 stays away", func() bool {
		_ = manager.conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		_, err := manager.conn.Read(make([]byte, 4096))
		return err != nil
	})
	c.leave("unstuck")
	manager.wait("WATCHDOG=1")

	_ = cmd.Process.Signal(unix.SIGTERM)
	manager.wait("STOPPING=1\nSTATUS=unmounting")
	manager.wait("STATUS=in use: served until the last user is gone")
	c.leave("umount")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestServiceManagerElsewhere: a socket that is not there, and a watchdog for another process, change nothing.
func TestServiceManagerElsewhere(t *testing.T) {
	c := newCommand(t, "ok")
	manager := listenNotify(t, c)
	c.env = append(c.env, "WATCHDOG_USEC=1000", "WATCHDOG_PID=1")
	if code, stderr := c.run("-o", "password=x", "//host/share", c.mnt); code != 0 {
		t.Fatal(code, stderr)
	}
	pid := c.daemonPID()
	manager.wait("READY=1")
	manager.wait("STATUS=as it should be")
	c.leave("umount")
	until(t, "the daemon ends", func() bool { return !alive(pid) })
	for b := make([]byte, 4096); ; {
		_ = manager.conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		n, err := manager.conn.Read(b)
		if err != nil {
			break
		}
		if strings.Contains(string(b[:n]), "WATCHDOG") {
			t.Error("another process's watchdog was fed")
		}
	}

	gone := newCommand(t, "ok")
	gone.env = append(gone.env, "NOTIFY_SOCKET="+filepath.Join(gone.dir, "nobody"))
	if code, stderr := gone.run("-o", "password=x", "//host/share", gone.mnt); code != 0 {
		t.Fatal(code, stderr)
	}
	pid = gone.daemonPID()
	gone.leave("umount")
	until(t, "the daemon ends", func() bool { return !alive(pid) })
}
