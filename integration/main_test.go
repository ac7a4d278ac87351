package integration

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// Most tests wait far more than they compute, so more of them run at once than
// there are processors, unless the command line says otherwise.
const parallelTests = "7"

// letForksWait keeps this process going while one of its children is between fork and exec. There the child closes what happens to be open under the
// number that its end of a pipe is moved to (syscall.forkAndExecInChild), in this process's memory, so that the thread which made it has to wait
// and cannot be stopped. If that is a file that was written to on a mount whose server is reached by way of a proxy in this process, the
// close waits for the proxy, and the proxy for the next garbage collection, which waits for the thread: 30 s, until the mount gives its connection up.
// So garbage is collected when there is no such child, and at no other time.
func letForksWait() {
	runtime.GOMAXPROCS(max(8, runtime.NumCPU()))
	debug.SetGCPercent(-1)
	go func() {
		for range time.Tick(10 * time.Second) {
			syscall.ForkLock.Lock()
			runtime.GC()
			syscall.ForkLock.Unlock()
		}
	}()
}

func TestMain(m *testing.M) {
	if root := os.Getenv(fsnotifyEnv); root != "" {
		fmt.Fprintln(os.Stderr, watchWithFsnotify(root))
		os.Exit(1)
	}
	// Programs that use a mount in the tests' stead.
	if program := map[string]func(string) error{mappedName: mappedMain, holderName: holderMain, chaosName: chaosMain}[os.Args[0]]; program != nil {
		if err := program(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	letForksWait()
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", parallelTests); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if plain.samba != nil {
		plain.samba.Stop()
	}
	testenv.CleanUp()
	os.Exit(code)
}

var plain struct {
	once  sync.Once
	samba *testenv.Samba
	err   error
}

// plainSamba is the one server with default settings that tests share. It ends
// after the last test.
func plainSamba(t *testing.T) *testenv.Samba {
	t.Helper()
	plain.once.Do(func() { plain.samba, plain.err = testenv.StartSamba(testenv.Options{}) })
	if plain.err != nil {
		t.Fatal(plain.err)
	}
	return plain.samba
}

// folder makes a folder of the test's own on the server and gives its name.
func folder(t *testing.T, s *testenv.Samba) string {
	t.Helper()
	dir, err := os.MkdirTemp(s.Dir, strings.Map(plainRune, t.Name())+"-")
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	return dir[len(s.Dir)+1:]
}

// shown waits until the mount shows what the server's folder has: a name made on
// the server is there for local programs when it has been told, not before.
func shown(t *testing.T, mount, server string) {
	t.Helper()
	var got, want string
	same := func() bool {
		got, want = names(mount), names(server)
		return got == want
	}
	if !testenv.WaitUntil(stepTimeout, same) {
		t.Fatalf("the mount shows %s, the server has %s", brief(got), brief(want))
	}
}

// names lists a tree in one string; what cannot be read is left out.
func names(root string) string {
	var b strings.Builder
	_ = filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil {
			b.WriteString(p[len(root):] + "\n")
		}
		return nil
	})
	return b.String()
}

func plainRune(r rune) rune {
	if r == '/' || r == ' ' || r == '=' || r == ',' {
		return '_'
	}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// try is must for work that has a result.
func try[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantContent(t testing.TB, file, want string) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("read: %v", err)
	} else if string(got) != want {
		t.Errorf("%s has %s, want %s", file, brief(string(got)), brief(want))
	}
}

func brief(s string) string {
	if len(s) > 80 {
		return fmt.Sprintf("%q… (%d bytes)", s[:80], len(s))
	}
	return fmt.Sprintf("%q", s)
}
