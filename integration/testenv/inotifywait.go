package testenv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"smbfs/health"
)

// Inotifywait is the program of that name, watching a tree of any size. What it prints is counted by path as it comes:
// there may be a hundred thousand, and who waits for them looks every moment.
type Inotifywait struct {
	proc *Process

	mu    sync.Mutex
	rest  []byte              // guarded by mu: a line that is not whole yet
	told  map[string]struct{} // guarded by mu
	twice string              // guarded by mu: one that was told more than once
}

// StartInotifywait runs inotifywait on the tree at root for the events named, as for its option -e. The caller ends it with Close.
func StartInotifywait(root, events string) (*Inotifywait, error) {
	w := &Inotifywait{told: map[string]struct{}{}}
	var err error
	w.proc, err = startProcessTo(exec.Command("inotifywait", "-m", "-r", "-e", events, "--format", "%w%f", root), w)
	if errors.Is(err, exec.ErrNotFound) {
		err = errors.New("inotifywait not found: install it with `apt-get install inotify-tools`")
	}
	return w, err
}

func (w *Inotifywait) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, b...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		path := string(line)
		if _, again := w.told[path]; again {
			w.twice = path
		}
		w.told[path] = struct{}{}
		w.rest = rest
	}
}

// WaitEstablished waits until it says that it watches all that is there.
func (w *Inotifywait) WaitEstablished(d time.Duration) error {
	if !WaitUntil(d, func() bool { return strings.Contains(w.proc.Log(), "Watches established.") || w.proc.WaitTimeout(0) }) || w.proc.WaitTimeout(0) {
		return fmt.Errorf("inotifywait does not come to watch: %s", w.proc.Log())
	}
	return nil
}

// Told is how many paths have been told of, and one that was told more than once, if there is any.
func (w *Inotifywait) Told() (paths int, twice string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.told), w.twice
}

// Close ends it.
func (w *Inotifywait) Close() { w.proc.KillGroup() }

// Status is what `smbfs status` says of the mount.
func (m *Mounted) Status() (health.Status, error) {
	bin, err := Binary()
	if err != nil {
		return health.Status{}, err
	}
	out, err := exec.Command(bin, "status", "--json", m.Mountpoint).Output()
	if err != nil {
		return health.Status{}, fmt.Errorf("smbfs status: %w", err)
	}
	var list []health.Status
	if err := json.Unmarshal(out, &list); err != nil || len(list) != 1 {
		return health.Status{}, fmt.Errorf("smbfs status: %w: %s", err, out)
	}
	return list[0], nil
}

// WaitArmed waits until the server notifies of n directories.
func (m *Mounted) WaitArmed(n int, d time.Duration) error {
	return m.waitStatus(d, func(s *health.Status) bool { return s.Notify.Watched-s.Notify.Polled >= n })
}

// WaitPinned waits until n directories are known to be watched here.
func (m *Mounted) WaitPinned(n int, d time.Duration) error {
	return m.waitStatus(d, func(s *health.Status) bool { return s.Notify.Pinned >= n })
}

// WaitRested waits until n directories that are watched have been compared as often as they are after they were armed: that takes some ten
// seconds, and goes on beside everything else.
func (m *Mounted) WaitRested(n int, d time.Duration) error {
	var before int64
	var at time.Time
	return m.waitStatus(d, func(s *health.Status) bool {
		if s.Time.Sub(at) < time.Second {
			return false
		}
		few := !at.IsZero() && s.Notify.Listings-before <= int64(n/50)
		before, at = s.Notify.Listings, s.Time
		return few
	})
}

func (m *Mounted) waitStatus(d time.Duration, enough func(*health.Status) bool) error {
	deadline := time.Now().Add(d)
	for {
		st, err := m.Status()
		if err == nil && enough(&st) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not all directories are watched, or at rest: %+v, %w", st.Notify, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
