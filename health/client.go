package health

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	askTimeout = 5 * time.Second
	maxLine    = 4 << 20 // bytes of a response
)

// ErrNoDaemon says that no daemon answers for a mount: it runs in an older version, or without a control socket.
var ErrNoDaemon = errors.New("no daemon answers; its log may say why")

// ErrForbidden says that the mount is another user's.
var ErrForbidden = errors.New("only the mount's owner and root may ask")

// Ask asks for the status of a mount that the user owner made.
func Ask(ctx context.Context, mountpoint string, owner int) (*Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var st *Status
	err := talk(ctx, mountpoint, owner, &request{Op: "status"}, func(r *response) error {
		st = r.Status
		return io.EOF
	})
	if err == nil && st == nil {
		err = ErrNoDaemon
	}
	return st, err
}

// Watch gives each event at or below a directory of the mount to f, until f fails, ctx ends or the daemon has no more. ready is called
// when the watch has begun.
func Watch(ctx context.Context, mountpoint string, owner int, below string, ready func(), f func(*Event) error) error {
	return talk(ctx, mountpoint, owner, &request{Op: "watch", Below: below}, func(r *response) error {
		switch {
		case r.Ready:
			ready()
		case r.Notice != "":
			return errors.New(printable(r.Notice))
		case r.Event != nil:
			return f(r.Event)
		}
		return nil
	})
}

// talk sends one request and gives each line of the answer to f until that fails; io.EOF is a good end.
func talk(ctx context.Context, mountpoint string, owner int, req *request, f func(*response) error) error {
	c, err := dial(RuntimeDirectory(owner), mountpoint, owner)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })
	defer stop()
	if err := json.NewEncoder(c).Encode(req); err != nil {
		return ended(ctx, err)
	}
	lines := bufio.NewScanner(c)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var r response
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("the daemon's answer: %w", err)
		}
		if r.Error != "" {
			return errors.New(printable(r.Error))
		}
		if err := f(&r); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return ended(ctx, err)
	}
	return errors.New("the daemon has hung up")
}

// ended tells the end of the context from a failure.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// dial connects to a mount's daemon and makes sure that it is the owner's, or root's.
func dial(dir, mountpoint string, owner int) (*net.UnixConn, error) {
	d, err := openDirectory(dir, owner, false)
	if err != nil {
		return nil, cannotReach(err)
	}
	defer d.Close()
	socket, err := d.socket(SocketName(mountpoint), owner)
	if err != nil {
		return nil, cannotReach(err)
	}
	defer socket.Close()
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("/proc/self/fd/%d", socket.Fd())})
	if err != nil {
		return nil, cannotReach(err)
	}
	if uid, err := peer(c); err != nil || uid != owner && uid != 0 {
		c.Close()
		return nil, fmt.Errorf("the socket in %s is answered by user %d: %w", filepath.Clean(dir), uid, errors.Join(ErrUnsafe, err))
	}
	return c, nil
}

func cannotReach(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return ErrForbidden
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED), errors.Is(err, os.ErrDeadlineExceeded):
		return ErrNoDaemon
	}
	return err
}
