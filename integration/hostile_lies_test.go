package integration

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"

	"golang.org/x/sys/unix"
)

// TestHostileDirectoryIdentities: directories have the id of what they are in, as the roots of volumes that are mounted in each other have. A walk comes
// to an end, and what is in them stays apart.
func TestHostileDirectoryIdentities(t *testing.T) {
	for _, id := range []uint64{0, 7, ^uint64(0)} {
		t.Run(fmt.Sprintf("%#x", id), func(t *testing.T) {
			t.Parallel()
			m, s := mountHostile(t, map[wire.Command]smbtest.Hook{
				wire.CommandQueryDirectory: rewrite(func(b []byte) { le.PutUint64(b[96:], id) }), // FileId (MS-FSCC 2.4.17)
				wire.CommandQueryInfo: func(r *smbtest.Request) {
					var in wire.QueryInfoRequest
					if _ = in.Decode(r.Body); in.Type == wire.InfoFile && in.Class == wire.ClassFileAll {
						r.Alter(func(body []byte) { le.PutUint64(body[8+64:], id) }) // IndexNumber (MS-FSCC 2.4.2)
					}
					r.Serve()
				},
			})
			for _, dir := range []string{"d", `d\d`, `d\d\d`, "e"} {
				s.Tree.Mkdir(dir)
				s.Tree.WriteFile(dir+`\f`, []byte("in "+dir))
			}
			w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{Flat: true})
			most := 0
			err := within(t, time.Minute, "a walk", func() error {
				for range 5 {
					seen := 0
					_ = filepath.WalkDir(m.Mountpoint, func(string, fs.DirEntry, error) error { seen++; return nil })
					most = max(most, seen)
				}
				return nil
			})
			must(t, err)
			if most > 20 {
				t.Errorf("a walk over 10 names saw %d", most)
			}
			for _, dir := range []string{"d", `d\d`, "e"} { // an error, or what is there: never what is elsewhere
				got, err := os.ReadFile(m.Path(strings.ReplaceAll(dir, `\`, "/"), "f"))
				if err == nil && string(got) != "in "+dir {
					t.Errorf("%s\\f has %q", dir, got)
				}
			}
			_ = within(t, stepTimeout, "a rename of a directory", func() error { return os.Rename(m.Path("d", "d"), m.Path("e", "d")) })
			s.Tree.Rename("e", `d\e`)
			s.Tree.WriteFile("told", nil)
			must(t, w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, "told")))
			stillWorks(t, m, "a")
		})
	}
}
