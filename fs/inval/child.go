package inval

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	processName = "smbfs-inval" // argv[0] of the process
	selfPath    = "/proc/self/exe"
	controlFD   = 3
	deviceFD    = 4

	// maxRequest is more than the largest request the kernel sends: a WRITE of 1 MiB.
	maxRequest = 1<<20 + 1<<16
	// maxPacket is a number and a notification with the longest name.
	maxPacket = 4096
	// buryPoll is how often, in milliseconds, it is looked whether the notifications have returned.
	buryPoll = 20
)

// processEnv is the whole environment of the process, without what would keep descriptors.
var processEnv = []string{"GODEBUG=containermaxprocs=0,updatemaxprocs=0", "GOMAXPROCS=2"}

// RunIfProcess comes first in main: in a process that was started to send notifications it does that
// and does not return, in any other it does nothing.
func RunIfProcess() {
	if len(os.Args) != 1 || os.Args[0] != processName {
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", processName, err)
		syscall.Exit(1)
	}
	syscall.Exit(0)
}

// serve sends what comes until the daemon says that no more will, or dies.
func serve() error {
	if unix.Getuid() != unix.Geteuid() || unix.Getgid() != unix.Getegid() {
		return syscall.EPERM // someone else's privilege must not be had by choosing argv[0]
	}
	if kind, err := unix.GetsockoptInt(controlFD, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || kind != unix.SOCK_SEQPACKET {
		return errors.New("this is for smbfs itself")
	}
	// Who ends all processes of a service with SIGTERM wants the daemon to end this one.
	signal.Ignore(unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT)
	var sending sync.WaitGroup
	packet := make([]byte, maxPacket)
	for {
		n, err := unix.Read(controlFD, packet)
		switch {
		case err == unix.EINTR:
		case err != nil || n < 8: // the daemon is dead
			return bury(&sending)
		case order.Uint64(packet) == 0:
			go awaitEnd(&sending)
		default:
			msg := append([]byte(nil), packet[:n]...)
			sending.Go(func() { send(msg) })
		}
	}
}

// send sends one notification and tells what became of it.
func send(packet []byte) {
	var errno syscall.Errno
	if _, err := unix.Write(deviceFD, packet[8:]); err != nil {
		errno, _ = err.(syscall.Errno)
	}
	answer := order.AppendUint32(append([]byte(nil), packet[:8]...), uint32(errno))
	_ = unix.Sendto(controlFD, answer, unix.MSG_NOSIGNAL, nil)
}

// awaitEnd ends the process when its notifications have returned.
func awaitEnd(sending *sync.WaitGroup) {
	sending.Wait()
	syscall.Exit(0)
}

// bury stands in for the dead daemon until the notifications have returned: it refuses all requests.
func bury(sending *sync.WaitGroup) error {
	var idle atomic.Bool
	go func() {
		sending.Wait()
		idle.Store(true)
	}()
	if err := unix.SetNonblock(deviceFD, true); err != nil {
		return err
	}
	request := make([]byte, maxRequest)
	for !idle.Load() {
		ready := []unix.PollFd{{Fd: deviceFD, Events: unix.POLLIN}}
		if n, err := unix.Poll(ready, buryPoll); n <= 0 || err != nil {
			continue
		}
		n, err := unix.Read(deviceFD, request)
		switch err {
		case nil:
			if answer := refusal(request[:n]); answer != nil {
				_, _ = unix.Write(deviceFD, answer)
			}
		case unix.ENODEV: // aborted: everything has ended
			return nil
		}
	}
	return nil
}
