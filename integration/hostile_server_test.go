package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"

	"golang.org/x/sys/unix"
)

var le = binary.LittleEndian

// mountHostile mounts a scripted server, with its hooks in place from the start.
func mountHostile(t *testing.T, hooks map[wire.Command]smbtest.Hook, options ...string) (*testenv.Mounted, *smbtest.Server) {
	t.Helper()
	s, port := scripted(t, nil)
	for command, h := range hooks {
		s.Hook(command, h)
	}
	s.Tree.WriteFile("a", []byte("content of a"))
	s.Tree.WriteFile("b", []byte("content of b, which is longer"))
	point := filepath.Join(t.TempDir(), "mnt") // nobody looks into a folder with all the mounts that there are
	must(t, os.Mkdir(point, 0o755))
	return testenv.MustMount(t, testenv.MountOptions{
		Point: point, Source: "//127.0.0.1/" + smbtest.Share, Options: append(options, "port="+port, "username="+smbtest.User),
		Env: []string{"PASSWD=" + smbtest.Password},
	}), s
}

// stillWorks checks that a mount has survived: a file of which the server has told no lies is there, if only after it was told.
func stillWorks(t *testing.T, m *testenv.Mounted, name string) {
	t.Helper()
	err := within(t, stepTimeout, "the mount", func() (err error) {
		testenv.WaitUntil(stepTimeout/2, func() bool { _, err = os.ReadFile(m.Path(name)); return err == nil })
		return err
	})
	if err != nil || !testenv.Alive(m.PID) || strings.Contains(m.Log(), "panic") {
		t.Errorf("afterwards: %v, daemon alive: %v", err, testenv.Alive(m.PID))
	}
}

// impossible are names that no file system may show; Ω stands for half a surrogate pair.
var impossible = []string{
	".", "..", "", "a/b", "../../escaped", "/escaped", "x\x00y", "\uf029", ".\uf029", "\uf029\uf029", "half \u03a9",
	strings.Repeat("x", 256), strings.Repeat("x", 1000), strings.Repeat("ä", 128),
}

// halves puts half a surrogate pair in the place of each Ω.
func halves(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0xa9, 0x03}, []byte{0x00, 0xd8}) }

// TestHostileNames: names that mean something else, or nothing, come neither out of a listing nor out of a notification.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	list := []wire.DirEntry{{Name: "a", EndOfFile: 12}, {Name: "a", EndOfFile: 13}, {Name: "a", Attributes: wire.AttributeDirectory}}
	var events []wire.NotifyEvent
	for _, name := range impossible {
		list = append(list, wire.DirEntry{Name: name}, wire.DirEntry{Name: name, Attributes: wire.AttributeDirectory})
		for _, action := range []wire.NotifyAction{wire.ActionAdded, wire.ActionModified, wire.ActionRenamedOldName, wire.ActionRenamedNewName, wire.ActionRemoved} {
			events = append(events, wire.NotifyEvent{Action: action, Name: name})
		}
	}
	list = append(list, wire.DirEntry{Name: "good"})
	m, s := mountHostile(t, map[wire.Command]smbtest.Hook{
		wire.CommandQueryDirectory: func(r *smbtest.Request) {
			var in wire.QueryDirectoryRequest
			_ = in.Decode(r.Body)
			if in.Pattern != "*" {
				r.Serve()
				return
			}
			if in.Flags&(wire.Reopen|wire.RestartScans) == 0 {
				r.Reply(wire.StatusNoMoreFiles, nil)
				return
			}
			r.Reply(wire.StatusSuccess, &wire.QueryDirectoryResponse{Output: halves(wire.AppendDirEntries(nil, list))})
		},
	})
	s.Tree.WriteFile("good", nil)
	parent := names(m.Path(".."))
	var shown []string
	if !testenv.WaitUntil(stepTimeout, func() bool { // when what the listing says of them has been told
		shown = nil
		for _, e := range try[[]os.DirEntry](t)(os.ReadDir(m.Mountpoint)) {
			if shown = append(shown, e.Name()); e.Name() != "a" && e.Name() != "b" && e.Name() != "good" {
				t.Fatalf("listed: %q", e.Name())
			}
		}
		return slices.Equal(shown, []string{"a", "good"}) || slices.Equal(shown, []string{"good", "a"})
	}) {
		t.Errorf("listed: %q", shown)
	}
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
	if !testenv.WaitUntil(stepTimeout, func() bool { return s.Tree.Notify("", wire.StatusSuccess, events...) > 0 }) {
		t.Fatal("nobody waits for notifications")
	}
	// A change after the impossible ones is told: they are through.
	if err := w.WaitFor(stepTimeout, func(seen []testenv.Event) bool {
		s.Tree.WriteFile("told", []byte(fmt.Sprint(len(seen))))
		return slices.ContainsFunc(seen, func(e testenv.Event) bool { return e.Name == "told" })
	}); err != nil {
		t.Error(err)
	}
	for _, e := range w.Events() {
		if e.Name != "a" && e.Name != "b" && e.Name != "good" && e.Name != "told" && e.Name != "" {
			t.Errorf("told: %v", e)
		}
	}
	if after := names(m.Path("..")); parent != after && strings.Contains(after, "escaped") {
		t.Errorf("beside the mount: %s", after)
	}
	stillWorks(t, m, "told")
}

// allHaveID has a server give everything the same file id.
func allHaveID(id uint64) map[wire.Command]smbtest.Hook {
	return map[wire.Command]smbtest.Hook{
		wire.CommandQueryDirectory: rewrite(func(b []byte) { le.PutUint64(b[96:], id) }), // FileId (MS-FSCC 2.4.17)
		wire.CommandQueryInfo: func(r *smbtest.Request) {
			var in wire.QueryInfoRequest
			if _ = in.Decode(r.Body); in.Type == wire.InfoFile && in.Class == wire.ClassFileAll {
				r.Alter(func(body []byte) { le.PutUint64(body[8+64:], id) }) // IndexNumber (MS-FSCC 2.4.2)
			}
			r.Serve()
		},
	}
}

// TestHostileIdentities: ids of files that are 0, all ones, or the same for all make no two files one.
func TestHostileIdentities(t *testing.T) {
	t.Parallel()
	for _, id := range []uint64{0, 7, ^uint64(0)} {
		t.Run(fmt.Sprintf("%#x", id), func(t *testing.T) {
			t.Parallel()
			m, s := mountHostile(t, allHaveID(id))
			entries := try[[]os.DirEntry](t)(os.ReadDir(m.Mountpoint))
			if len(entries) != 2 {
				t.Errorf("listed: %v", entries)
			}
			wantContent(t, m.Path("a"), "content of a")
			wantContent(t, m.Path("b"), "content of b, which is longer")
			must(t, os.WriteFile(m.Path("a"), []byte("new"), 0o644))
			must(t, os.Rename(m.Path("a"), m.Path("c")))
			wantContent(t, m.Path("b"), "content of b, which is longer")
			wantContent(t, m.Path("c"), "new")
			if got, ok := s.Tree.ReadFile("c"); !ok || string(got) != "new" {
				t.Errorf("the server has %q, %v", got, ok)
			}
		})
	}
}

// rewrite changes what a listing says, the fixed part of each entry at a time.
func rewrite(change func(entry []byte)) smbtest.Hook {
	return func(r *smbtest.Request) {
		r.Alter(func(body []byte) {
			const fixed = 8 // of the response (MS-SMB2 2.2.34)
			for at := fixed; at+104 <= len(body); {
				change(body[at:])
				next := int(le.Uint32(body[at:]))
				if next == 0 {
					break
				}
				at += next
			}
		})
		r.Serve()
	}
}

// TestHostileSizes: sizes beyond what a file can have are an error or a size, and reading ends.
func TestHostileSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []uint64{1 << 63, ^uint64(0), 1<<63 - 1} {
		t.Run(fmt.Sprintf("%#x", size), func(t *testing.T) {
			t.Parallel()
			m, _ := mountHostile(t, map[wire.Command]smbtest.Hook{
				wire.CommandQueryDirectory: rewrite(func(b []byte) { le.PutUint64(b[40:], size) }),
				wire.CommandCreate: func(r *smbtest.Request) {
					r.Alter(func(body []byte) { le.PutUint64(body[48:], size) }) // EndofFile (MS-SMB2 2.2.14)
					r.Serve()
				},
			})
			_ = within(t, stepTimeout, "a listing", func() error { _, err := os.ReadDir(m.Mountpoint); return err })
			_ = within(t, stepTimeout, "a read", func() error {
				f, err := os.Open(m.Path("a"))
				if err != nil {
					return err
				}
				defer f.Close()
				if st, err := f.Stat(); err == nil && st.Size() < 0 {
					t.Errorf("a size of %d", st.Size())
				}
				_, err = f.Read(make([]byte, 1<<20))
				return err
			})
			if !testenv.Alive(m.PID) || strings.Contains(m.Log(), "panic") {
				t.Error("the daemon has crashed")
			}
		})
	}
}

// TestHostileKinds: what was a file is a directory the next moment, again and again, while it is used.
func TestHostileKinds(t *testing.T) {
	t.Parallel()
	m, s := mountHostile(t, nil)
	quit, changed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(changed)
		for {
			select {
			case <-quit:
				return
			default:
				s.Tree.WriteFile("x", []byte("file"))
				s.Tree.Remove("x")
				s.Tree.Mkdir("x")
				s.Tree.Remove("x")
			}
		}
	}()
	err := within(t, time.Minute, "the use of a name that changes its kind", func() error {
		for range 300 {
			_, _ = os.Stat(m.Path("x"))
			_, _ = os.ReadFile(m.Path("x"))
			_, _ = os.ReadDir(m.Path("x"))
			_ = os.WriteFile(m.Path("x", "below"), nil, 0o644)
			if f, err := os.OpenFile(m.Path("x"), os.O_WRONLY, 0); err == nil {
				_ = f.Close()
			}
		}
		return nil
	})
	must(t, err)
	close(quit)
	<-changed
	s.Tree.Remove("x")
	s.Tree.Mkdir("x")
	if !testenv.WaitUntil(stepTimeout, func() bool { st, err := os.Stat(m.Path("x")); return err == nil && st.IsDir() }) {
		t.Error("in the end it is no directory")
	}
	stillWorks(t, m, "a")
}

// TestNotificationStorm: a server that answers each request for notification at once, for ever, holds nobody up and fills no memory.
func TestNotificationStorm(t *testing.T) {
	t.Parallel()
	var events []wire.NotifyEvent
	for i := range 200 {
		events = append(events, wire.NotifyEvent{Action: wire.ActionAdded, Name: fmt.Sprint("never there ", i)}, wire.NotifyEvent{Action: wire.ActionModified, Name: "a"})
	}
	var answered atomic.Int64
	body := &wire.ChangeNotifyResponse{Output: wire.AppendNotifyEvents(nil, events)}
	m, _ := mountHostile(t, map[wire.Command]smbtest.Hook{
		wire.CommandChangeNotify: func(r *smbtest.Request) {
			answered.Add(1)
			r.Reply(wire.StatusSuccess, body)
		},
	})
	w := testenv.MustWatch(t, testenv.WatchInotify, m.Mountpoint, testenv.WatchOptions{})
	if !testenv.WaitUntil(stepTimeout, func() bool { return answered.Load() > 500 }) {
		t.Fatalf("only %d notifications", answered.Load())
	}
	before, _, err := testenv.Memory(m.PID)
	must(t, err)
	for range 20 {
		stillWorks(t, m, "a")
	}
	start := answered.Load()
	if !testenv.WaitUntil(4*stepTimeout, func() bool { return answered.Load() > start+1500 }) {
		t.Errorf("only %d notifications more", answered.Load()-start)
	}
	after, _, err := testenv.Memory(m.PID)
	must(t, err)
	if after > before+64<<20 {
		t.Errorf("memory went from %d to %d MiB over %d notifications", before>>20, after>>20, answered.Load()-start)
	}
	for _, e := range w.Events() {
		if e.Mask&unix.IN_CREATE != 0 {
			t.Errorf("what never was is told: %v", e)
			break
		}
	}
}

// TestReadsOfNothing: a server that answers reads with no bytes and success does not make a reader read for ever.
func TestReadsOfNothing(t *testing.T) {
	t.Parallel()
	m, _ := mountHostile(t, map[wire.Command]smbtest.Hook{
		wire.CommandRead: func(r *smbtest.Request) { r.Reply(wire.StatusSuccess, &wire.ReadResponse{}) },
	})
	err := within(t, stepTimeout, "a read", func() error { _, err := os.ReadFile(m.Path("b")); return err })
	if err == nil {
		wantContent(t, m.Path("b"), "")
	} else if !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v", err)
	}
}
