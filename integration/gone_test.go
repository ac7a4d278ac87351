package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// TestGoneAndNotYetTold: a directory is removed on the server. Up to the moment in which that is told, and after it,
// what local programs try in it fails as it does on any file system.
func TestGoneAndNotYetTold(t *testing.T) {
	t.Parallel()
	st := newStage(t, "mkdir keep")
	tries := []struct {
		name string
		do   func(dir string) error
	}{
		{"mkdir", func(dir string) error { return os.Mkdir(dir+"/n", 0o755) }},
		{"create", func(dir string) error { return os.WriteFile(dir+"/new", nil, 0o644) }},
		{"open", func(dir string) error { _, err := os.ReadFile(dir + "/none"); return err }},
		{"rename", func(dir string) error { return os.Rename(dir+"/none", dir+"/other") }},
		{"rename into", func(dir string) error { return os.Rename(st.local+"/spare", dir+"/other") }},
		{"list", func(dir string) error { _, err := os.ReadDir(dir); return err }},
		{"remove", func(dir string) error { return os.Remove(dir + "/none") }},
	}
	st.do(t, "write spare x")
	start := st.w.Len()
	st.waitTold(t, 0, "CREATE spare")
	for round := range 5 {
		name := fmt.Sprint("d", round)
		dir := filepath.Join(st.local, name)
		st.do(t, "mkdir "+name)
		st.waitTold(t, start, "CREATE,ISDIR "+name)
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
		st.do(t, "rmdir "+name)
		told := func() bool { return count(st.w.Events()[start:], unix.IN_DELETE, name) > 0 }
		for deadline, after := time.Now().Add(stepTimeout), 0; after < 2; {
			if told() {
				after++ // once more with the telling behind us
			}
			for _, try := range tries {
				if err := try.do(dir); err != nil && !errors.Is(err, unix.ENOENT) {
					t.Fatalf("%s: %v", try.name, err)
				}
			}
			if time.Now().After(deadline) {
				t.Fatalf("the removal was not told; told:\n%s", testenv.FormatEvents(st.w.Events()[start:]))
			}
		}
	}
}

// TestWrittenWhenJustSeen: a local program finds a file by its name before its creation was told, and
// writes to it at once. Watchers hear of the file first.
func TestWrittenWhenJustSeen(t *testing.T) {
	t.Parallel()
	st := newStage(t, "mkdir other")
	const rounds = 5
	start := st.w.Len()
	for round := range rounds {
		name, vanishing := fmt.Sprint("f", round), fmt.Sprint("vanishing", round)
		st.do(t, "write "+vanishing)
		st.waitTold(t, start, "CREATE "+vanishing)
		// What vanished may turn up in the other directory: what comes after it waits.
		st.do(t, "rm "+vanishing, "write "+name)
		listed := func() bool {
			entries, err := os.ReadDir(st.local)
			must(t, err)
			return slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == name })
		}
		if !testenv.WaitUntil(stepTimeout, listed) {
			t.Fatalf("%s is not listed", name)
		}
		f, err := os.OpenFile(filepath.Join(st.local, name), os.O_WRONLY|os.O_APPEND, 0)
		must(t, err)
		_, err = f.WriteString("local")
		must(t, err)
		must(t, f.Close())
	}
	must(t, st.w.WaitQuiet(time.Second, stepTimeout))
	events := st.w.Events()[start:]
	for round := range rounds {
		name := fmt.Sprint("f", round)
		created := slices.IndexFunc(events, func(e testenv.Event) bool { return e.Name == name })
		if created < 0 || events[created].Mask != unix.IN_CREATE {
			t.Errorf("%s: the first event is not its CREATE; told:\n%s", name, testenv.FormatEvents(events))
			return
		}
		if n := count(events, unix.IN_CREATE, name); n != 1 {
			t.Errorf("CREATE of %s was told %d times", name, n)
		}
	}
}
