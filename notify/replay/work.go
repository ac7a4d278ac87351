package replay

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

// work is the confined helper: it starts a worker for every socket that comes over the
// control socket, and returns at its end. Returning ends the process and, as soon as
// their FUSE requests are answered, the workers.
func work(device uint64, mountpoint string) error {
	// Sent to all processes at a shutdown, they must not take the helper from a daemon
	// that still has to unmount. Go's runtime does not leave them blocked.
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM)
	var data [1]byte
	rights := make([]byte, unix.CmsgSpace(4))
	for {
		n, oobn, _, _, err := unix.Recvmsg(controlFD, data[:], rights, unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("control socket: %w", err)
		}
		if n == 0 {
			return nil
		}
		fd, err := passedDescriptor(rights[:oobn])
		if err != nil {
			return err
		}
		go (&runner{device: device, mountpoint: mountpoint}).serve(fd)
	}
}

func passedDescriptor(oob []byte) (int, error) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return -1, fmt.Errorf("control message: %w", err)
	}
	if len(msgs) != 1 {
		return -1, fmt.Errorf("%w: %d control messages", errWire, len(msgs))
	}
	fds, err := unix.ParseUnixRights(&msgs[0])
	if err != nil {
		return -1, fmt.Errorf("control message: %w", err)
	}
	if len(fds) != 1 {
		return -1, fmt.Errorf("%w: %d descriptors", errWire, len(fds))
	}
	return fds[0], nil
}

// serve is a worker. It keeps its thread: the thread is what the daemon knows it by.
// Reads and writes are blocking calls of this thread, with no poller between.
func (r *runner) serve(fd int) {
	runtime.LockOSThread() // never unlocked: the thread ends with the worker
	defer unix.Close(fd)
	in := make([]byte, maxMessage)
	out := make([]byte, 0, replyLen)
	for {
		n, err := unix.Read(fd, in)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		m, err := parseMessage(in[:n])
		if err != nil {
			// The other side is the same binary: this is a bug, not an input.
			fmt.Fprintf(os.Stderr, "%s: %v\n", helperName, err)
			os.Exit(1)
		}
		out = r.run(&m).append(out[:0])
		if err := unix.Send(fd, out, unix.MSG_NOSIGNAL); err != nil {
			return
		}
	}
}
