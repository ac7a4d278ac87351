package integration

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"

	"golang.org/x/sys/unix"
)

// TestHostileDirectoryIdentities: directories have the id of what they are in, as the roots of volumes that are mounted in each other have. A walk comes
// to an end, and the mount goes on.
func TestHostileDirectoryIdentities(t *testing.T) {
	t.Parallel()
	for _, id := range []uint64{0, 7, ^uint64(0)} {
		t.Run(fmt.Sprintf("%#x", id), func(t *testing.T) {
			t.Parallel()
			m, s := mountHostile(t, allHaveID(id))
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
			_ = within(t, stepTimeout, "a rename of a directory", func() error { return os.Rename(m.Path("d", "d"), m.Path("e", "d")) })
			s.Tree.Rename("e", `d\e`)
			s.Tree.WriteFile("told", nil)
			must(t, w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, "told")))
			stillWorks(t, m, "a")
		})
	}
}

// TestCopyOfNothing: a server that says of each copy that it went well, and was of no bytes: for cp(1) that is the end of the file. The kernel
// copies by itself then.
func TestCopyOfNothing(t *testing.T) {
	t.Parallel()
	m, s := mountHostile(t, map[wire.Command]smbtest.Hook{
		wire.CommandIoctl: func(r *smbtest.Request) {
			var in wire.IoctlRequest
			_ = in.Decode(r.Body)
			reply := func(out []byte) {
				r.Reply(wire.StatusSuccess, &wire.IoctlResponse{CtlCode: in.CtlCode, FileID: in.FileID, Output: out})
			}
			switch in.CtlCode {
			case wire.FsctlSrvRequestResumeKey:
				reply((&wire.SrvRequestResumeKeyResponse{}).Append(nil))
			case wire.FsctlSrvCopychunkWrite:
				reply((&wire.SrvCopychunkResponse{}).Append(nil))
			default:
				r.Serve()
			}
		},
	})
	from := try[*os.File](t)(os.Open(m.Path("b")))
	defer from.Close()
	to := try[*os.File](t)(os.Create(m.Path("copy")))
	defer to.Close()
	copyRange(t, from, to, 0, 0, len("content of b, which is longer"))
	must(t, to.Close())
	if got, _ := s.Tree.ReadFile("copy"); string(got) != "content of b, which is longer" {
		t.Errorf("the copy has %q", got)
	}
}

// TestHostileLinks: targets of symbolic links that cannot be.
func TestHostileLinks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target string
		fails  bool
	}{
		"plain":    {`x\y`, false},
		"empty":    {"", true},
		"NUL":      {"x\x00y", true},
		"too long": {strings.Repeat("x", unix.PathMax), true},
		"longest":  {strings.Repeat("x", unix.PathMax-1), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, _ := mountHostile(t, map[wire.Command]smbtest.Hook{
				wire.CommandQueryDirectory: rewrite(func(b []byte) {
					le.PutUint32(b[56:], uint32(wire.AttributeReparsePoint)) // FileAttributes and EaSize (MS-FSCC 2.4.17)
					le.PutUint32(b[64:], uint32(wire.ReparseTagSymlink))
				}),
				wire.CommandIoctl: func(r *smbtest.Request) {
					var in wire.IoctlRequest
					if _ = in.Decode(r.Body); in.CtlCode != wire.FsctlGetReparsePoint {
						r.Serve()
						return
					}
					link := wire.SymlinkReparse{SubstituteName: c.target, Flags: wire.SymlinkRelative}
					b := link.Buffer()
					r.Reply(wire.StatusSuccess, &wire.IoctlResponse{CtlCode: in.CtlCode, FileID: in.FileID, Output: b.Append(nil)})
				},
			})
			got, err := os.Readlink(m.Path("a"))
			want := strings.ReplaceAll(c.target, `\`, "/")
			switch {
			case c.fails && !errors.Is(err, syscall.EIO):
				t.Errorf("%s, %v", brief(got), err)
			case !c.fails && (err != nil || got != want):
				t.Errorf("%s, %v", brief(got), err)
			}
			if !testenv.Alive(m.PID) || strings.Contains(m.Log(), "panic") {
				t.Error("the daemon has crashed")
			}
		})
	}
}
