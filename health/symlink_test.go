package health

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestSymlinkedControlSocket: where our control socket would be made there is a symbolic link, to a file, to another's socket, or to nothing. The
// daemon makes no socket, what the link points to stays as it is, and who asks for the mount's status does not speak to it.
func TestSymlinkedControlSocket(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, victim string){
		"to a file":    func(t *testing.T, victim string) { must(t, os.WriteFile(victim, []byte("precious"), 0o644)) },
		"to a socket":  listenAt,
		"to nothing":   func(*testing.T, string) {},
		"to directory": func(t *testing.T, victim string) { must(t, os.Mkdir(victim, 0o755)) },
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			dir, victim := filepath.Join(parent, "smbfs"), filepath.Join(parent, "victim")
			must(t, os.Mkdir(dir, 0o700))
			prepare(t, victim)
			must(t, os.Symlink(victim, filepath.Join(dir, SocketName(point))))
			before, errBefore := os.Lstat(victim)

			s, err := Serve(dir, point, new(source), slog.New(slog.DiscardHandler))
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, ErrUnsafe) {
				t.Errorf("the daemon: %v", err)
			}
			if c, err := dial(dir, point, os.Geteuid()); !errors.Is(err, ErrUnsafe) {
				t.Errorf("a client: %v, %v", c, err)
			}
			after, errAfter := os.Lstat(victim)
			if errBefore == nil && (errAfter != nil || !os.SameFile(before, after) || before.Mode() != after.Mode() || before.Size() != after.Size()) {
				t.Errorf("%v became %v, %v", before, after, errAfter)
			}
			if errBefore != nil && !errors.Is(errAfter, fs.ErrNotExist) {
				t.Errorf("%v was made: %v", after, errAfter)
			}
		})
	}
}

// listenAt makes a socket that nobody may speak to.
func listenAt(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	must(t, err)
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		if c, err := l.Accept(); err == nil {
			c.Close()
			t.Error("somebody spoke to the socket behind the link")
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-accepted
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
