package testenv

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// RawNotify is Samba's own client waiting for the changes of one directory: when a
// name arrives there, the notification itself has arrived at this machine.
type RawNotify struct {
	proc *Process
	pipe *io.PipeWriter
	done chan struct{}

	mu      sync.Mutex
	arrived map[string]time.Time // guarded by mu; the first arrival of each name as ADDED
}

// StartRawNotify runs `smbclient -c "notify DIR"` for a directory below the share.
func StartRawNotify(s *Samba, dir string) (*RawNotify, error) {
	// stdbuf, because smbclient's lines would wait in a buffer.
	cmd := exec.Command("stdbuf", "-oL", "smbclient", s.Source(), "-p", strconv.Itoa(s.Port), "-U", s.User, "-c", fmt.Sprintf(`notify "%s"`, dir))
	cmd.Env = append(os.Environ(), "PASSWD="+s.Password)
	r, w := io.Pipe()
	n := &RawNotify{arrived: map[string]time.Time{}, pipe: w, done: make(chan struct{})}
	go n.read(r)
	var err error
	if n.proc, err = startProcessTo(cmd, w); err != nil {
		w.Close()
		<-n.done
		return nil, fmt.Errorf("smbclient notify: %w", err)
	}
	return n, nil
}

// read takes lines such as "0001 name": MS-FSCC 2.7.1 FILE_ACTION_ADDED is 1.
func (n *RawNotify) read(r io.Reader) {
	defer close(n.done)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		now := time.Now()
		if name, ok := strings.CutPrefix(lines.Text(), "0001 "); ok {
			n.mu.Lock()
			if n.arrived[name].IsZero() {
				n.arrived[name] = now
			}
			n.mu.Unlock()
		}
	}
}

// Arrival is when the notification that a name was added arrived; zero if it has not.
func (n *RawNotify) Arrival(name string) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.arrived[name]
}

// Close ends smbclient and the reader.
func (n *RawNotify) Close() {
	n.proc.Terminate(time.Second)
	n.pipe.Close()
	<-n.done
}
