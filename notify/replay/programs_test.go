package replay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var eventNames = []struct {
	mask uint32
	name string
}{
	{unix.IN_CREATE, "CREATE"}, {unix.IN_DELETE, "DELETE"}, {unix.IN_DELETE_SELF, "DELETE_SELF"},
	{unix.IN_MOVED_FROM, "MOVED_FROM"}, {unix.IN_MOVED_TO, "MOVED_TO"}, {unix.IN_MOVE_SELF, "MOVE_SELF"},
	{unix.IN_MODIFY, "MODIFY"}, {unix.IN_ATTRIB, "ATTRIB"}, {unix.IN_OPEN, "OPEN"},
	{unix.IN_CLOSE_WRITE, "CLOSE_WRITE"}, {unix.IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"}, {unix.IN_ACCESS, "ACCESS"},
	{unix.IN_IGNORED, "IGNORED"}, {unix.IN_UNMOUNT, "UNMOUNT"}, {unix.IN_Q_OVERFLOW, "Q_OVERFLOW"},
	{unix.IN_ISDIR, "ISDIR"},
}

// watcherMain watches the paths that follow a base and prints every event: the path
// below the base, the mask, the cookie, the name.
func watcherMain(args []string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return err
	}
	labels := map[int32]string{}
	for _, arg := range args {
		label, path, _ := strings.Cut(arg, "=")
		wd, err := unix.InotifyAddWatch(fd, path, unix.IN_ALL_EVENTS|unix.IN_DONT_FOLLOW)
		if err != nil {
			return fmt.Errorf("watch %s: %w", path, err)
		}
		labels[int32(wd)] = label
	}
	fmt.Println("ready")
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil {
			return err
		}
		for b := buf[:n]; len(b) > 0; {
			wd, mask := int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:])
			cookie, l := binary.NativeEndian.Uint32(b[8:]), binary.NativeEndian.Uint32(b[12:])
			name, _, _ := bytes.Cut(b[16:16+l], []byte{0})
			fmt.Printf("%s\t%s\t%d\t%s\n", labels[wd], maskString(mask), cookie, name)
			b = b[16+l:]
		}
	}
}

func maskString(mask uint32) string {
	var s []string
	for _, e := range eventNames {
		if mask&e.mask != 0 {
			s = append(s, e.name)
		}
	}
	return strings.Join(s, "|")
}

// actorMain makes one call as any local program would, and prints "ok" or the errno.
func actorMain(args []string) error {
	err := act(args)
	var errno syscall.Errno
	switch {
	case err == nil:
		fmt.Println("ok")
	case errors.As(err, &errno):
		fmt.Println(unix.ErrnoName(errno))
	default:
		return err
	}
	return nil
}

func act(args []string) error {
	switch args[0] {
	case "mknod":
		return unix.Mknod(args[1], unix.S_IFREG|0o644, 0)
	case "storm": // many, as fast as they go
		n, err := strconv.Atoi(args[2])
		for i := 0; i < n && err == nil; i++ {
			err = unix.Mknod(args[1]+strconv.Itoa(i), unix.S_IFREG|0o644, 0)
		}
		return err
	case "unlink":
		return unix.Unlink(args[1])
	case "stat":
		var st unix.Stat_t
		return unix.Lstat(args[1], &st)
	case "introduce": // a lookup like a worker's, but with a nonce that nobody expects
		var st unix.Stat_t
		return unix.Lstat(args[1]+"/"+noncePrefix+"00000000000000000000000000000000", &st)
	case "stay": // keeps a file system alive by its working directory
		if err := unix.Chdir(args[1]); err != nil {
			return err
		}
		fmt.Println("ready")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case "lease": // holds a read lease, which an open for writing has to wait for
		return holdLease(args[1])
	}
	return fmt.Errorf("no such act: %q", args)
}

func holdLease(path string) error {
	fd, err := unix.Open(path, unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// daemonMain is a whole daemon, to be killed: it mounts, starts a helper, says its pid,
// and leaves a call unanswered.
func daemonMain(args []string) error {
	fs := newMemFS(0)
	held := fs.holdNext("MKNOD")
	if _, err := serveMount(fs, args[0]); err != nil {
		return err
	}
	h, err := startHelper(fs, args[0], Config{})
	if err != nil {
		return err
	}
	go do(h, Call{Op: Mknod, Name: "never"})
	select {
	case <-held.arrived:
	case <-time.After(limit):
		return errors.New("the call did not arrive")
	}
	fmt.Println(h.Status().Pid)
	select {}
}
