package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// MountOptions say what to mount and how.
type MountOptions struct {
	Samba   *Samba   // gives source, port, user and password unless they are set below
	Source  string   // //host/share[/path]; empty: Samba's share
	Path    string   // below the share, appended to the source
	Options []string // for -o, each "name" or "name=value"
	Args    []string // further arguments, such as "-v"
	Env     []string // further environment, "NAME=value"
	Point   string   // the mount point; empty: a new temporary folder
	Daemon  bool     // without -f: the command returns when the mount works
	Timeout time.Duration
}

// Mounted is a mount made by the real binary.
type Mounted struct {
	Mountpoint string
	PID        int // the daemon

	dev      int // minor device number of the mount
	proc     *Process
	ownsDir  bool
	shutdown bool
}

// mountTimeout bounds a mount that should work; the machine may be busy.
const mountTimeout = 30 * time.Second

// Mount runs smbfs and returns when the mount is in the kernel's mount table and
// the daemon, if it does not run in the background, has said so.
// The caller ends it with Close.
func Mount(o MountOptions) (*Mounted, error) {
	cmd, point, err := Command(o)
	if err != nil {
		return nil, err
	}
	m := &Mounted{Mountpoint: point, ownsDir: o.Point == ""}
	if m.proc, err = startProcess(cmd); err != nil {
		m.removeDir()
		return nil, fmt.Errorf("start smbfs: %w", err)
	}
	if o.Timeout == 0 {
		o.Timeout = mountTimeout
	}
	if err := m.waitReady(o); err != nil {
		log := m.Log()
		m.Close()
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(log))
	}
	return m, nil
}

// ArgsEnv names the environment variable with further arguments for every mount,
// such as -v when a failed test is to be looked into.
const ArgsEnv = "SMBFS_TEST_ARGS"

// Command is the smbfs command for the options, not yet started, and its mount
// point. The password travels in the environment.
func Command(o MountOptions) (*exec.Cmd, string, error) {
	bin, err := Binary()
	if err != nil {
		return nil, "", err
	}
	source, options, env := o.Source, o.Options, o.Env
	if s := o.Samba; s != nil {
		if source == "" {
			source = s.Source()
		}
		options = append([]string{fmt.Sprintf("port=%d", s.Port), "username=" + s.User}, options...)
		env = append([]string{"PASSWD=" + s.Password}, env...)
	}
	source += o.Path
	point := o.Point
	if point == "" {
		if point, err = os.MkdirTemp("", "smbfs-mnt"); err != nil {
			return nil, "", err
		}
	}
	if point, err = filepath.Abs(point); err != nil {
		return nil, "", err
	}
	args := append(strings.Fields(os.Getenv(ArgsEnv)), o.Args...)
	if !o.Daemon {
		args = append(args, "-f")
	}
	if len(options) > 0 {
		args = append(args, "-o", strings.Join(options, ","))
	}
	cmd := exec.Command(bin, append(args, source, point)...)
	cmd.Env = append(os.Environ(), env...)
	return cmd, point, nil
}

func (m *Mounted) waitReady(o MountOptions) error {
	mounted := func() bool {
		e, ok := findMount(m.Mountpoint)
		ok = ok && strings.HasPrefix(e.fstype, "fuse")
		if ok {
			m.dev = e.minor
		}
		return ok
	}
	if o.Daemon {
		if !m.proc.WaitTimeout(o.Timeout) {
			return errors.New("smbfs does not return")
		}
		if err := m.proc.Err(); err != nil {
			return fmt.Errorf("smbfs: %w", err)
		}
		if !mounted() {
			return errors.New("smbfs returned 0 but nothing is mounted")
		}
		m.PID = findDaemon(m.Mountpoint)
		if m.PID == 0 {
			return errors.New("smbfs returned 0 but no daemon runs")
		}
		return nil
	}
	m.PID = m.proc.PID()
	ended := func() bool { return m.proc.WaitTimeout(0) }
	// The kernel has the mount a moment before the daemon has its helper.
	ready := func() bool { return mounted() && strings.Contains(m.Log(), "msg=mounted") }
	if !waitMountTable(o.Timeout, func() bool { return ready() || ended() }) {
		return errors.New("smbfs does not mount")
	}
	if ended() {
		return fmt.Errorf("smbfs ended: %v", m.proc.Err())
	}
	return nil
}

// Path is a name's place below the mount point.
func (m *Mounted) Path(name ...string) string {
	return filepath.Join(append([]string{m.Mountpoint}, name...)...)
}

// Log is what smbfs has written so far; a daemonized one has closed its output.
func (m *Mounted) Log() string { return m.proc.Log() }

// Stacks ends the daemon with SIGQUIT, and returns what all its goroutines were doing: why something hangs.
func (m *Mounted) Stacks() string {
	_ = syscall.Kill(m.PID, syscall.SIGQUIT)
	m.waitGone(10 * time.Second)
	m.proc.WaitTimeout(10 * time.Second) // for all that it has written
	log := m.Log()
	if i := strings.LastIndex(log, "SIGQUIT: quit"); i >= 0 {
		log = log[i:]
	}
	return log
}

// Process is the started command. Daemonized, it is the one that has returned.
func (m *Mounted) Process() *Process { return m.proc }

// Kill ends the daemon alone with SIGKILL, and waits until it is gone.
func (m *Mounted) Kill() error {
	if err := syscall.Kill(m.PID, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill smbfs: %w", err)
	}
	if !m.waitGone(10 * time.Second) {
		return fmt.Errorf("smbfs %d cannot be killed", m.PID)
	}
	return nil
}

// Unmount unmounts with fusermount3 and waits until the daemon has ended.
func (m *Mounted) Unmount() error {
	if err := unmount(m.Mountpoint); err != nil {
		return err
	}
	if !m.waitGone(15 * time.Second) {
		return fmt.Errorf("smbfs %d runs on after the unmount", m.PID)
	}
	return nil
}

// Close ends the mount by whatever it takes: an unmount, SIGTERM, an abort of the
// connection, SIGKILL, a lazy unmount, in this order. It may be called at any time and
// more than once.
func (m *Mounted) Close() {
	if m.shutdown {
		return
	}
	m.shutdown = true
	if IsMounted(m.Mountpoint) && unmount(m.Mountpoint) == nil {
		m.waitGone(5 * time.Second)
	}
	helpers := m.HelperPIDs()
	if m.alive() {
		_ = syscall.Kill(m.PID, syscall.SIGTERM)
		m.waitGone(5 * time.Second)
	}
	if m.dev != 0 && IsMounted(m.Mountpoint) {
		_ = abortConnection(m.dev)
	}
	if m.alive() {
		_ = syscall.Kill(m.PID, syscall.SIGKILL)
		m.waitGone(5 * time.Second)
	}
	for _, pid := range helpers {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for range 16 { // a stack of mounts on one directory is taken down one by one
		if !IsMounted(m.Mountpoint) || unix.Unmount(m.Mountpoint, unix.MNT_DETACH) != nil {
			break
		}
	}
	m.proc.KillGroup()
	m.removeDir()
}

// removeDir removes the mount point if it is ours and empty; never what is in it.
func (m *Mounted) removeDir() {
	if m.ownsDir && !IsMounted(m.Mountpoint) {
		_ = os.Remove(m.Mountpoint)
	}
}

func (m *Mounted) alive() bool { return m.PID != 0 && processState(m.PID) != 0 }

func (m *Mounted) waitGone(d time.Duration) bool {
	return WaitUntil(d, func() bool { return !m.alive() })
}

// WaitUntil looks every ten milliseconds whether the condition holds.
func WaitUntil(d time.Duration, done func() bool) bool {
	deadline := time.Now().Add(d)
	for !done() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}
