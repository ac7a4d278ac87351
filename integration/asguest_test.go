package integration

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"smbfs/integration/testenv"
)

// TestGuest: who asks for it is let in as guest and sees changes, without having to know that guests cannot sign.
func TestGuest(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{
		Global: []string{"map to guest = Bad User", "guest account = root"},
		Share:  []string{"guest ok = yes"},
	})
	for _, option := range []string{"guest", "sec=none"} {
		m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{option, "nodiratime"}})
		if st := statusOf(t, m); !st.Server.Guest || !strings.Contains(m.Log(), "mounted as guest") {
			t.Errorf("%s: %+v; the log:\n%s", option, st.Server, m.Log())
		}
		w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
		name := "by-" + option[:3]
		must(t, os.WriteFile(filepath.Join(s.Dir, name), nil, 0o644))
		must(t, w.WaitFor(stepTimeout, testenv.Seen(syscall.IN_CREATE, name)))
	}
}
