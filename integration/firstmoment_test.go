package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// firstMomentRounds is how often each delay of TestFirstMoment is tried; SMBFS_ROUNDS says otherwise.
const firstMomentRounds = 15

// TestFirstMoment: what happens on the server directly after a local program has begun to watch a directory that nobody
// has listed is told, and what was there before is not.
func TestFirstMoment(t *testing.T) {
	t.Parallel()
	rounds := firstMomentRounds
	if n, err := strconv.Atoi(os.Getenv("SMBFS_ROUNDS")); err == nil {
		rounds = n
	}
	delays := []time.Duration{0, 2 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond, 300 * time.Millisecond}
	s := plainSamba(t)
	dir := folder(t, s)
	name := func(delay time.Duration, round int) string { return fmt.Sprintf("d%v-%d", delay, round) }
	for _, delay := range delays {
		for round := range rounds {
			d := s.Path(dir, name(delay, round))
			must(t, os.Mkdir(d, 0o755))
			must(t, os.WriteFile(filepath.Join(d, "old"), []byte("old"), 0o644))
			must(t, os.WriteFile(filepath.Join(d, "written"), []byte("old"), 0o644))
		}
	}
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	for _, delay := range delays {
		t.Run(delay.String(), func(t *testing.T) {
			t.Parallel()
			lost := map[string]int{}
			for round := range rounds {
				server := s.Path(dir, name(delay, round))
				w := testenv.MustWatch(t, testenv.WatchInotify, m.Path(dir, name(delay, round)), testenv.WatchOptions{Flat: true})
				time.Sleep(delay)
				must(t, os.WriteFile(filepath.Join(server, "new"), []byte("new"), 0o644))
				must(t, runStep(folderActor(server), "append written more"))
				for mask, name := range map[uint32]string{unix.IN_CREATE: "new", unix.IN_MODIFY: "written"} {
					if w.WaitFor(5*time.Second, testenv.Seen(mask, name)) != nil {
						lost[testenv.MaskName(mask)]++
					}
				}
				for _, e := range w.Events() {
					if e.Name == "old" || e.Mask == unix.IN_CREATE && e.Name != "new" {
						t.Fatalf("round %d: told:\n%s", round, testenv.FormatEvents(w.Events()))
					}
				}
				w.Close()
			}
			if len(lost) > 0 {
				t.Errorf("lost in %d rounds: %v", rounds, lost)
			}
		})
	}
}
