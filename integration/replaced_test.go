package integration

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"smbfs/integration/testenv"
)

// TestReplacedByFolder: a file that a program has open was replaced on the server by a folder with somebody's work in it. Who removes the file, or
// renames another over it, before that is known here, does not touch the folder.
func TestReplacedByFolder(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{"notify=off", "actimeo=60"}})
	for name, remove := range map[string]func(doc string) error{
		"unlink": func(doc string) error { return unix.Unlink(doc) },
		"rename": func(doc string) error { return unix.Rename(filepath.Join(m.Mountpoint, "new"), doc) },
	} {
		t.Run(name, func(t *testing.T) {
			doc, onServer := filepath.Join(m.Mountpoint, "doc"+name), filepath.Join(s.Dir, "doc"+name)
			must(t, os.WriteFile(filepath.Join(m.Mountpoint, "new"), []byte("new"), 0o644))
			must(t, os.WriteFile(doc, []byte("old"), 0o644))
			f := try[*os.File](t)(os.Open(doc))
			defer f.Close()
			must(t, os.Remove(onServer))
			must(t, os.Mkdir(onServer, 0o755))
			must(t, os.WriteFile(filepath.Join(onServer, "work"), []byte("of weeks"), 0o644))
			if err := remove(doc); !errors.Is(err, unix.EISDIR) {
				t.Error(err)
			} else {
				t.Logf("%s: %v", name, err)
			}
			if b, err := os.ReadFile(filepath.Join(onServer, "work")); err != nil || string(b) != "of weeks" {
				t.Errorf("the work: %q, %v", b, err)
			}
			for _, e := range try[[]os.DirEntry](t)(os.ReadDir(s.Dir)) {
				if strings.HasPrefix(e.Name(), ".smbfs-removed-") {
					t.Errorf("the server has %s", e.Name())
				}
			}
		})
	}
}
