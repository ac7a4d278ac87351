package integration

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// work is one kind of ordinary file work.
type work struct {
	name string
	do   func(t *testing.T, w workplace)
}

// workplace is a mounted folder and the same folder on the server.
type workplace struct {
	mount, server string
	full          bool
}

func (w workplace) sized(full, small int) int {
	if w.full {
		return full
	}
	return small
}

var works = []work{
	{"copy and compare", copyAndCompare},
	{"tar", tarExtract},
	{"git", gitClone},
	{"sqlite3", sqliteInserts},
	{"four processes", fourProcesses},
}

// mode is a way to mount, and what smbstatus must say of every session then.
type mode struct {
	options []string
	status  []string
	full    bool // full sizes; the others do the same with less
}

var modes = []mode{
	{nil, []string{"SMB3_11"}, true},
	{[]string{"vers=2.1"}, []string{"SMB2_10"}, false},
	{[]string{"vers=3.0"}, []string{"SMB3_00"}, false},
	{[]string{"vers=3.0.2"}, []string{"SMB3_02"}, false},
	{[]string{"vers=3.1.1"}, []string{"SMB3_11"}, false},
	{[]string{"vers=2.1", "sign"}, []string{"SMB2_10", "HMAC-SHA256"}, false},
	{[]string{"sign"}, []string{"SMB3_11", "AES-128-"}, false},
	{[]string{"seal"}, []string{"SMB3_11", "AES-128-GCM"}, false},
	{[]string{"vers=3.0", "seal"}, []string{"SMB3_00", "AES-128-CCM"}, false},
}

func (m mode) name() string {
	if len(m.options) == 0 {
		return "default"
	}
	return strings.Join(m.options, ",")
}

// TestWork does ordinary work through the mount, over each dialect, signed and sealed.
func TestWork(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name(), func(t *testing.T) {
			t.Parallel()
			s := testenv.MustSamba(t, testenv.Options{})
			mnt := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: m.options})
			checkStatus(t, s, m.status)
			for _, w := range works {
				t.Run(w.name, func(t *testing.T) {
					dir := folder(t, s)
					shown(t, mnt.Path(dir), s.Path(dir))
					w.do(t, workplace{mnt.Path(dir), s.Path(dir), m.full})
					if !t.Failed() {
						must(t, os.RemoveAll(mnt.Path(dir)))
						must(t, gone(s.Path(dir)))
					}
				})
			}
		})
	}
}

// TestAlgorithms: each cipher and each signing algorithm that the server can be
// made to insist on.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	for _, a := range []struct{ setting, name, option string }{
		{"server smb3 encryption algorithms", "AES-128-GCM", "seal"},
		{"server smb3 encryption algorithms", "AES-128-CCM", "seal"},
		{"server smb3 encryption algorithms", "AES-256-GCM", "seal"},
		{"server smb3 encryption algorithms", "AES-256-CCM", "seal"},
		{"server smb3 signing algorithms", "HMAC-SHA256", "sign"},
		{"server smb3 signing algorithms", "AES-128-CMAC", "sign"},
		{"server smb3 signing algorithms", "AES-128-GMAC", "sign"},
	} {
		t.Run(a.option+"/"+a.name, func(t *testing.T) {
			t.Parallel()
			s := testenv.MustSamba(t, testenv.Options{Global: []string{a.setting + " = " + a.name}})
			mnt := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{a.option}})
			checkStatus(t, s, []string{a.name})
			dir := folder(t, s)
			shown(t, mnt.Path(dir), s.Path(dir))
			copyAndCompare(t, workplace{mnt.Path(dir), s.Path(dir), false})
		})
	}
}

// TestServerDemands: a server that requires encryption or signing gets it unasked.
func TestServerDemands(t *testing.T) {
	t.Parallel()
	for _, d := range []struct{ setting, status string }{
		{"smb encrypt = required", "AES-128-GCM"},
		{"server signing = mandatory", "AES-128-"},
	} {
		t.Run(d.setting, func(t *testing.T) {
			t.Parallel()
			s := testenv.MustSamba(t, testenv.Options{Global: []string{d.setting}})
			mnt := testenv.MustMount(t, testenv.MountOptions{Samba: s})
			checkStatus(t, s, []string{d.status})
			dir := folder(t, s)
			shown(t, mnt.Path(dir), s.Path(dir))
			copyAndCompare(t, workplace{mnt.Path(dir), s.Path(dir), false})
		})
	}
}

// checkStatus checks that every session of the server has these words; the
// server's only client is the mount.
func checkStatus(t *testing.T, s *testenv.Samba, words []string) {
	t.Helper()
	status := try[string](t)(s.Status())
	sessions := 0
	for line := range strings.Lines(status) {
		if !strings.Contains(line, "127.0.0.1") {
			continue
		}
		sessions++
		for _, word := range words {
			if !strings.Contains(line, word) {
				t.Errorf("smbstatus has no %s: %s", word, strings.TrimSpace(line))
			}
		}
	}
	if sessions == 0 {
		t.Errorf("smbstatus shows no session:\n%s", status)
	}
}

// run runs a command that must succeed within a few minutes, and gives its output.
func run(t *testing.T, dir string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command("timeout", append([]string{"300", name}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8",
		"GIT_CONFIG_COUNT=3", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		"GIT_CONFIG_KEY_1=user.name", "GIT_CONFIG_VALUE_1=t", "GIT_CONFIG_KEY_2=user.email", "GIT_CONFIG_VALUE_2=t@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, brief(string(out)))
	}
	return string(out)
}

// strangeNames are legal on Linux and not in SMB; mapposix carries them.
var strangeNames = []string{"co:lon", "ques?tion", "st*ar", `qu"ote`, "less<more>", "pi|pe", "dot.", "space ", "Größe-日本"}

// sourceTree makes a local tree of n files, a few with strange names.
func sourceTree(t *testing.T, n int) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "tree")
	random := rand.NewChaCha8([32]byte{1})
	for i := range n {
		dir := filepath.Join(root, fmt.Sprintf("d%02d", i%50), fmt.Sprintf("e%d", i%3))
		must(t, os.MkdirAll(dir, 0o755))
		name := fmt.Sprintf("file-%05d", i)
		if i < len(strangeNames) {
			name = strangeNames[i]
		}
		data := make([]byte, random.Uint64()%16384)
		_, _ = random.Read(data)
		must(t, os.WriteFile(filepath.Join(dir, name), data, 0o755)) // as the mount shows every file
	}
	return root
}

func copyAndCompare(t *testing.T, w workplace) {
	tree := sourceTree(t, w.sized(5000, 300))
	back := filepath.Join(t.TempDir(), "back")
	run(t, "", "cp", "-r", tree, filepath.Join(w.mount, "copy"))
	run(t, "", "diff", "-r", tree, filepath.Join(w.mount, "copy"))
	run(t, "", "cp", "-r", filepath.Join(w.mount, "copy"), back)
	run(t, "", "diff", "-r", tree, back)
}

func tarExtract(t *testing.T, w workplace) {
	tree := sourceTree(t, w.sized(1000, 100))
	archive := filepath.Join(t.TempDir(), "a.tar")
	run(t, tree, "tar", "cf", archive, ".")
	run(t, w.mount, "tar", "xf", archive)
	run(t, "", "diff", "-r", tree, w.mount)
	run(t, w.mount, "tar", "df", archive) // modification times too; differences make it fail
}

func gitClone(t *testing.T, w workplace) {
	tree := sourceTree(t, w.sized(500, 100))
	run(t, tree, "git", "init", "-q")
	run(t, tree, "git", "add", "-A")
	run(t, tree, "git", "commit", "-q", "-m", "tree")
	clone := filepath.Join(w.mount, "clone")
	run(t, w.mount, "git", "clone", "-q", "file://"+tree, clone)
	if out := run(t, clone, "git", "status", "--porcelain"); out != "" {
		t.Errorf("a fresh clone is not clean: %s", brief(out))
	}
	must(t, os.WriteFile(filepath.Join(clone, "new"), []byte("x"), 0o644))
	if out := run(t, clone, "git", "status", "--porcelain"); out != "?? new\n" {
		t.Errorf("git status says %q", out)
	}
	run(t, clone, "git", "add", "-A")
	run(t, clone, "git", "commit", "-q", "-m", "new")
	run(t, clone, "git", "fsck", "--strict")
}

func sqliteInserts(t *testing.T, w workplace) {
	n := w.sized(2000, 100)
	var sql strings.Builder
	sql.WriteString("create table t(id integer primary key, v text);\n")
	for i := range n { // each a transaction of its own
		fmt.Fprintf(&sql, "insert into t values(%d, 'value %d');\n", i, i)
	}
	sql.WriteString("begin;\n")
	for i := range n {
		fmt.Fprintf(&sql, "insert into t values(%d, 'value %d');\n", n+i, i)
	}
	sql.WriteString("commit;\n")
	script := filepath.Join(t.TempDir(), "script")
	must(t, os.WriteFile(script, []byte(sql.String()), 0o644))
	db := filepath.Join(w.mount, "db")
	run(t, "", "sqlite3", "-bail", db, ".read "+script)
	for _, name := range []string{db, filepath.Join(w.server, "db")} {
		out := run(t, "", "sqlite3", name, "pragma integrity_check; select count(*), sum(id) from t;")
		if want := fmt.Sprintf("ok\n%d|%d\n", 2*n, n*(2*n-1)); out != want {
			t.Errorf("%s says %q, want %q", name, out, want)
		}
	}
}

// fourProcesses writes 1 GiB by four processes at once, and reads it by four.
func fourProcesses(t *testing.T, w workplace) {
	const processes = 4
	mib := w.sized(1024, 64) / processes
	dir := t.TempDir()
	each := func(what string, command func(i int) *exec.Cmd) []string {
		outs := make([]string, processes)
		errs := make(chan error, processes)
		for i := range processes {
			go func() {
				out, err := command(i).CombinedOutput()
				outs[i], _, _ = strings.Cut(string(out), " ")
				if err != nil {
					err = fmt.Errorf("%s: %w: %s", what, err, brief(string(out)))
				}
				errs <- err
			}()
		}
		for range processes {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		return outs
	}
	name := func(i int) string { return fmt.Sprint("part", i) }
	for i := range processes {
		writeRandom(t, filepath.Join(dir, name(i)), uint64(i), int64(mib)<<20)
	}
	each("dd", func(i int) *exec.Cmd {
		return exec.Command("timeout", "300", "dd", "if="+filepath.Join(dir, name(i)), "of="+filepath.Join(w.mount, name(i)), "bs=1M", "conv=fsync", "status=none")
	})
	sums := func(root string) []string {
		return each("sha256sum", func(i int) *exec.Cmd {
			return exec.Command("timeout", "300", "sha256sum", filepath.Join(root, name(i)))
		})
	}
	want := fmt.Sprint(sums(dir))
	for _, root := range []string{w.mount, w.server} {
		if got := fmt.Sprint(sums(root)); got != want {
			t.Errorf("checksums in %s are %s, want %s", root, got, want)
		}
	}
}

func writeRandom(t *testing.T, name string, seed uint64, size int64) {
	t.Helper()
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed+1)
	f := try[*os.File](t)(os.Create(name))
	_, err := io.CopyN(f, rand.NewChaCha8(key), size)
	must(t, err)
	must(t, f.Close())
}

// TestOpenFileUnlinked: a file removed while open can be used until it is closed,
// and one renamed while open keeps its content.
func TestOpenFileUnlinked(t *testing.T) {
	s := plainSamba(t)
	mnt := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	name := folder(t, s)
	dir := mnt.Path(name)
	shown(t, dir, s.Path(name))
	f := try[*os.File](t)(os.Create(filepath.Join(dir, "f")))
	defer f.Close()
	try[int](t)(f.WriteString("hello"))
	must(t, os.Remove(f.Name()))
	must(t, gone(f.Name()))
	buf := make([]byte, 5)
	try[int](t)(f.ReadAt(buf, 0))
	if string(buf) != "hello" {
		t.Errorf("read %q", buf)
	}
	try[int](t)(f.WriteAt([]byte("J"), 0))
	must(t, f.Close())
	if names := listing(t, dir); len(names) != 1 {
		t.Errorf("something is left: %q", names)
	}
	g := try[*os.File](t)(os.Create(filepath.Join(dir, "g")))
	defer g.Close()
	must(t, os.Rename(g.Name(), filepath.Join(dir, "h")))
	try[int](t)(g.WriteString("renamed"))
	must(t, g.Close())
	wantContent(t, filepath.Join(dir, "h"), "renamed")
}

// TestTransferSizes: rsize and wsize bound what one request carries.
func TestTransferSizes(t *testing.T) {
	s := plainSamba(t)
	mnt := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{"rsize=16384", "wsize=20480"}, Args: []string{"-v"}})
	if log := mnt.Log(); strings.Count(log, "maxRead=16384 maxWrite=20480") != 2 {
		t.Errorf("not both connections have these sizes: %s", log)
	}
	name := folder(t, s)
	shown(t, mnt.Path(name), s.Path(name))
	src := filepath.Join(t.TempDir(), "f")
	writeRandom(t, src, 1, 3<<20+12345)
	content := string(try[[]byte](t)(os.ReadFile(src)))
	must(t, os.WriteFile(mnt.Path(name, "own"), []byte(content), 0o644))
	wantContent(t, s.Path(name, "own"), content)
	run(t, "", "cp", src, s.Path(name, "other"))
	whole := func() bool {
		fi, err := os.Stat(mnt.Path(name, "other"))
		return err == nil && fi.Size() == int64(len(content))
	}
	if !testenv.WaitUntil(stepTimeout, whole) {
		t.Error("the file made on the server never has its size")
	}
	wantContent(t, mnt.Path(name, "other"), content)
}

// TestTwoWriters: a second client and the mount write to one folder
// at the same time; afterwards both see the same.
func TestTwoWriters(t *testing.T) {
	t.Parallel()
	const files = 200
	s := plainSamba(t)
	mnt := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	dir := folder(t, s)
	shown(t, mnt.Path(dir), s.Path(dir))
	peer := testenv.MustPeer(t, s)
	done := make(chan error, 1)
	go func() {
		for i := range files {
			if err := peer.WriteFile(dir+"/"+fmt.Sprint("peer", i), []byte(word(i)), 0o644); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for i := range files {
		must(t, os.WriteFile(mnt.Path(dir, fmt.Sprint("own", i)), []byte(word(i)), 0o644))
	}
	must(t, <-done)
	deadline := time.Now().Add(stepTimeout)
	for len(listing(t, mnt.Path(dir))) != 2*files+1 && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	wantListing(t, mnt.Path(dir), s.Path(dir))
	for i := range files {
		wantContent(t, mnt.Path(dir, fmt.Sprint("peer", i)), word(i))
	}
}
