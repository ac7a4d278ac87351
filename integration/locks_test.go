package integration

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// Locks are taken here as OFD locks, which are fcntl's but belong to an open file: one process can be several owners.

// lock asks for a lock of n bytes from off on; F_UNLCK gives it back.
func lock(f *os.File, kind int16, off, n int64) error {
	return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: off, Len: n})
}

// lockWait is lock for who waits.
func lockWait(f *os.File, kind int16, off, n int64) error {
	for {
		err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLKW, &unix.Flock_t{Type: kind, Start: off, Len: n})
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// lockedBy asks which lock is in the way of one.
func lockedBy(f *os.File, kind int16, off, n int64) (unix.Flock_t, error) {
	l := unix.Flock_t{Type: kind, Start: off, Len: n}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &l)
	return l, err
}

func openRW(t *testing.T, name string) *os.File {
	t.Helper()
	f := try[*os.File](t)(os.OpenFile(name, os.O_RDWR, 0))
	t.Cleanup(func() { f.Close() })
	return f
}

func wantLock(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// TestLocksMeetOthers: who has a lock has it against another machine, and against a program on the server.
func TestLocksMeetOthers(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	must(t, os.WriteFile(s.Path(dir, "f"), []byte("0123456789"), 0o644))
	here, there := testenv.MustMount(t, testenv.MountOptions{Samba: s}), testenv.MustMount(t, testenv.MountOptions{Samba: s})
	alone := testenv.MustMount(t, testenv.MountOptions{Samba: s, Options: []string{"nobrl"}})
	ours, theirs, servers := openRW(t, here.Path(dir, "f")), openRW(t, there.Path(dir, "f")), openRW(t, s.Path(dir, "f"))

	wantLock(t, "ours", lock(ours, unix.F_WRLCK, 0, 5), nil)
	wantLock(t, "theirs", lock(theirs, unix.F_RDLCK, 4, 1), unix.EAGAIN)
	wantLock(t, "the server's", lock(servers, unix.F_RDLCK, 4, 1), unix.EAGAIN)
	wantLock(t, "theirs behind it", lock(theirs, unix.F_WRLCK, 5, 5), nil)
	if l := try[unix.Flock_t](t)(lockedBy(theirs, unix.F_RDLCK, 0, 2)); l.Type != unix.F_WRLCK {
		t.Errorf("in their way is %+v", l)
	}
	if l := try[unix.Flock_t](t)(lockedBy(ours, unix.F_WRLCK, 20, 2)); l.Type != unix.F_UNLCK {
		t.Errorf("in the way of what nobody has is %+v", l)
	}
	wantLock(t, "nobrl", lock(openRW(t, alone.Path(dir, "f")), unix.F_WRLCK, 0, 10), nil)

	wantLock(t, "ours shared", lock(ours, unix.F_RDLCK, 0, 5), nil)
	wantLock(t, "theirs shared", lock(theirs, unix.F_RDLCK, 0, 5), nil)
	if l := try[unix.Flock_t](t)(lockedBy(openRW(t, there.Path(dir, "f")), unix.F_WRLCK, 0, 5)); l.Type != unix.F_RDLCK {
		t.Errorf("in the way of an exclusive lock is %+v", l)
	}
	wantLock(t, "ours exclusive again", lock(ours, unix.F_WRLCK, 0, 5), unix.EAGAIN)
	wantLock(t, "theirs given back", lock(theirs, unix.F_UNLCK, 0, 0), nil)
	wantLock(t, "ours exclusive at last", lock(ours, unix.F_WRLCK, 0, 5), nil)

	must(t, ours.Close())
	wantLock(t, "theirs when ours is closed", lockWait(theirs, unix.F_WRLCK, 0, 0), nil)
}

// TestLocksOfLocalPrograms: between local programs locks are what they are on a local file: what is asked for in any order is granted and
// refused as there. And they are advisory: who asks for none reads and writes.
func TestLocksOfLocalPrograms(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir, local := folder(t, s), filepath.Join(t.TempDir(), "f")
	for _, name := range []string{s.Path(dir, "f"), local} {
		must(t, os.WriteFile(name, []byte("0123456789"), 0o644))
	}
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	openRW(t, testenv.MustMount(t, testenv.MountOptions{Samba: s}).Path(dir, "f")) // so that locks are the server's at once
	var here, there []*os.File
	for range 4 {
		here, there = append(here, openRW(t, m.Path(dir, "f"))), append(there, openRW(t, local))
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	granted := 0
	for i := range 1500 {
		who, kind := rng.IntN(len(here)), []int16{unix.F_RDLCK, unix.F_WRLCK, unix.F_UNLCK}[rng.IntN(3)]
		off, n := rng.Int64N(20), 1+rng.Int64N(8)
		if rng.IntN(20) == 0 {
			off, n = 0, 0
		}
		if kind != unix.F_UNLCK {
			got, want := try[unix.Flock_t](t)(lockedBy(here[who], kind, off, n)), try[unix.Flock_t](t)(lockedBy(there[who], kind, off, n))
			if (got.Type == unix.F_UNLCK) != (want.Type == unix.F_UNLCK) {
				t.Fatalf("step %d: in the way is %+v, on a local file %+v", i, got, want)
			}
		}
		got, want := lock(here[who], kind, off, n), lock(there[who], kind, off, n)
		if !errors.Is(got, want) {
			t.Fatalf("step %d: lock kind %d of %d bytes at %d by %d: %v, on a local file %v", i, kind, n, off, who, got, want)
		}
		if got == nil && kind != unix.F_UNLCK {
			granted++
		}
	}
	if granted < 100 {
		t.Errorf("%d locks were granted: this test has shown nothing", granted)
	}
	for _, f := range here {
		must(t, lock(f, unix.F_UNLCK, 0, 0))
	}
	must(t, lock(here[0], unix.F_WRLCK, 0, 0))
	if _, err := here[1].WriteAt([]byte("abc"), 0); err != nil {
		t.Errorf("write by who has no lock: %v", err)
	}
	buf := make([]byte, 3)
	if _, err := try[*os.File](t)(os.Open(m.Path(dir, "f"))).ReadAt(buf, 0); err != nil || string(buf) != "abc" {
		t.Errorf("read by who has no lock: %q, %v", buf, err)
	}
	must(t, here[1].Sync())
	if _, err := here[1].WriteAt([]byte("def"), 0); err != nil {
		t.Errorf("write by who has no lock: %v", err)
	}
	must(t, os.Chtimes(here[1].Name(), time.Time{}, time.Unix(1e9, 0))) // goes in one message with what was written
	must(t, here[1].Sync())
	wantContent(t, s.Path(dir, "f"), "def3456789")
	must(t, lock(here[0], unix.F_UNLCK, 0, 0))
	wantLock(t, "all is given back", lock(openRW(t, s.Path(dir, "f")), unix.F_WRLCK, 0, 0), nil)
}

// TestLockShowsOthersWork: who waits for a lock gets it soon after it is given back, and sees what the other has written.
func TestLockShowsOthersWork(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	must(t, os.WriteFile(s.Path(dir, "n"), []byte("000000"), 0o644))
	const rounds = 40
	var wg sync.WaitGroup
	step := func(f *os.File) error {
		if err := lockWait(f, unix.F_WRLCK, 0, 0); err != nil {
			return err
		}
		b := make([]byte, 6)
		if _, err := f.ReadAt(b, 0); err != nil {
			return err
		}
		n, err := strconv.Atoi(string(b))
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(fmt.Appendf(nil, "%06d", n+1), 0); err != nil {
			return err
		}
		return lock(f, unix.F_UNLCK, 0, 0)
	}
	count := func(f *os.File) {
		for i := range rounds {
			if err := step(f); err != nil {
				t.Errorf("%s, round %d: %v", f.Name(), i, err)
				return
			}
		}
	}
	workers := 0
	for range 2 {
		m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
		for range 2 {
			workers++
			f := openRW(t, m.Path(dir, "n"))
			wg.Go(func() { count(f) })
		}
	}
	workers++
	f := openRW(t, s.Path(dir, "n"))
	wg.Go(func() { count(f) })
	wg.Wait()
	wantContent(t, s.Path(dir, "n"), fmt.Sprintf("%06d", workers*rounds))
}

// TestDatabaseOnTwoMachines: sqlite goes by locks.
func TestDatabaseOnTwoMachines(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	const rounds = 25
	var wg sync.WaitGroup
	db := func(root, sql string) (string, error) {
		out, err := exec.Command("sqlite3", "-cmd", ".timeout 60000", filepath.Join(root, "n.db"), sql).CombinedOutput()
		return string(out), err
	}
	if out, err := db(s.Path(dir), "create table n (v int); insert into n values (0);"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for range 2 {
		m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
		shown(t, m.Path(dir), s.Path(dir))
		wg.Go(func() {
			for range rounds {
				if out, err := db(m.Path(dir), "begin immediate; update n set v = v + 1; commit;"); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			}
		})
	}
	wg.Wait()
	if out, err := db(s.Path(dir), "pragma integrity_check; select v from n;"); err != nil || out != fmt.Sprintf("ok\n%d\n", 2*rounds) {
		t.Errorf("%v: %s, want %d", err, out, 2*rounds)
	}
}

// TestFlock: the other kind of lock, which knows nothing of the first, and ends with the last copy of the descriptor.
func TestFlock(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	must(t, os.WriteFile(s.Path(dir, "f"), nil, 0o644))
	here, there := testenv.MustMount(t, testenv.MountOptions{Samba: s}), testenv.MustMount(t, testenv.MountOptions{Samba: s})
	a, b, other := openRW(t, here.Path(dir, "f")), openRW(t, here.Path(dir, "f")), openRW(t, there.Path(dir, "f"))
	flock := func(f *os.File, how int) error { return unix.Flock(int(f.Fd()), how|unix.LOCK_NB) }
	wantLock(t, "exclusive", flock(a, unix.LOCK_EX), nil)
	wantLock(t, "another's here", flock(b, unix.LOCK_SH), unix.EAGAIN)
	wantLock(t, "another's elsewhere", flock(other, unix.LOCK_SH), unix.EAGAIN)
	wantLock(t, "fcntl here", lock(b, unix.F_WRLCK, 0, 1), nil)
	dup := try[int](t)(unix.Dup(int(a.Fd())))
	must(t, a.Close())
	wantLock(t, "another's while a copy is open", flock(b, unix.LOCK_SH), unix.EAGAIN)
	must(t, unix.Close(dup))
	wantLock(t, "another's when it is closed", unix.Flock(int(b.Fd()), unix.LOCK_EX), nil)
	wantLock(t, "elsewhere, for both", flock(other, unix.LOCK_SH), unix.EAGAIN)
	must(t, flock(b, unix.LOCK_UN))
	wantLock(t, "elsewhere, for fcntl's", lock(other, unix.F_RDLCK, 0, 1), unix.EAGAIN)
	must(t, lock(b, unix.F_UNLCK, 0, 0))
	wantLock(t, "elsewhere", flock(other, unix.LOCK_EX), nil)
}

// TestLockOfKilledProgram: a lock ends with its program, and the wait for one too.
func TestLockOfKilledProgram(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	must(t, os.WriteFile(s.Path(dir, "f"), nil, 0o644))
	m, other := testenv.MustMount(t, testenv.MountOptions{Samba: s}), testenv.MustMount(t, testenv.MountOptions{Samba: s})
	f := openRW(t, other.Path(dir, "f")) // flock(1) opens the file for reading, and Samba then locks it shared at the most on its disk
	start := func() *exec.Cmd {
		cmd := exec.Command("flock", "--no-fork", m.Path(dir, "f"), "sleep", "1000")
		must(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		return cmd
	}
	holder := start()
	refused := func() bool {
		return errors.Is(lock(f, unix.F_RDLCK, 0, 1), unix.EAGAIN) || lock(f, unix.F_UNLCK, 0, 1) != nil
	}
	if !testenv.WaitUntil(stepTimeout, refused) {
		t.Fatal("the lock does not get to the server")
	}
	waiter := start()
	time.Sleep(300 * time.Millisecond) // it has begun to wait, or else is killed before
	must(t, waiter.Process.Kill())
	ended := make(chan error, 1)
	go func() { ended <- waiter.Wait() }()
	select {
	case <-ended:
	case <-time.After(stepTimeout):
		t.Error("a program that waits for a lock cannot be killed")
	}
	must(t, holder.Process.Kill())
	_ = holder.Wait()
	if !testenv.WaitUntil(stepTimeout, func() bool { return lock(f, unix.F_WRLCK, 0, 1) == nil }) {
		t.Error("the lock outlives its program")
	}
}

// TestLocksSurviveReset: locks are there again when the connection is, by way of durable handles and by name.
func TestLocksSurviveReset(t *testing.T) {
	t.Parallel()
	for _, durable := range []bool{true, false} {
		t.Run(fmt.Sprint("durable=", durable), func(t *testing.T) {
			t.Parallel()
			s := durableSamba(t)
			if !durable {
				s = testenv.MustSamba(t, testenv.Options{Share: []string{"durable handles = no"}})
			}
			dir := folder(t, s)
			must(t, os.WriteFile(s.Path(dir, "f"), []byte("0123456789"), 0o644))
			m, p := through(t, s)
			other := testenv.MustMount(t, testenv.MountOptions{Samba: s})
			ours := openRW(t, m.Path(dir, "f"))
			for i := range int64(100) { // more than fit into one message
				must(t, lock(ours, unix.F_WRLCK, 100+2*i, 1))
			}
			must(t, lock(ours, unix.F_RDLCK, 0, 5))
			if p.Reset() == 0 {
				t.Fatal("there was no connection to break")
			}
			if st := reconnected(t, m, 1); st.Files.Lost != 0 || (st.Files.Reconnected == 1) != durable {
				t.Errorf("files: %+v", st.Files)
			}
			theirs := openRW(t, other.Path(dir, "f"))
			_, err := ours.ReadAt(make([]byte, 2), 0)
			must(t, err)
			wantLock(t, "theirs", lock(theirs, unix.F_WRLCK, 4, 1), unix.EAGAIN)
			wantLock(t, "theirs", lock(theirs, unix.F_RDLCK, 298, 1), unix.EAGAIN)
			wantLock(t, "theirs beside it", lock(theirs, unix.F_RDLCK, 299, 1), nil)
			must(t, lock(ours, unix.F_UNLCK, 0, 0))
			wantLock(t, "theirs when ours is given back", lock(theirs, unix.F_WRLCK, 0, 0), nil)
		})
	}
}

// TestLocksSurviveRename: a file is closed on the server for the moment in which a directory above it is renamed.
func TestLocksSurviveRename(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	dir := folder(t, s)
	must(t, os.Mkdir(s.Path(dir, "d"), 0o755))
	must(t, os.WriteFile(s.Path(dir, "d", "f"), []byte("0123456789"), 0o644))
	m, other := testenv.MustMount(t, testenv.MountOptions{Samba: s}), testenv.MustMount(t, testenv.MountOptions{Samba: s})
	ours := openRW(t, m.Path(dir, "d", "f"))
	must(t, lock(ours, unix.F_WRLCK, 0, 5))
	must(t, os.Rename(m.Path(dir, "d"), m.Path(dir, "e")))
	shown(t, other.Path(dir), s.Path(dir))
	theirs := openRW(t, other.Path(dir, "e", "f"))
	wantLock(t, "theirs", lock(theirs, unix.F_RDLCK, 0, 1), unix.EAGAIN)
	must(t, lock(ours, unix.F_UNLCK, 0, 0))
	wantLock(t, "theirs when ours is given back", lock(theirs, unix.F_RDLCK, 0, 1), nil)
}

// TestLockLostToOthers: somebody takes a lock while its owner is cut off. The owner is told, by everything that he does with the file.
func TestLockLostToOthers(t *testing.T) {
	t.Parallel()
	s := durableSamba(t)
	must(t, os.WriteFile(s.Path("f"), []byte("0123456789"), 0o644))
	must(t, os.WriteFile(s.Path("g"), []byte("0123456789"), 0o644))
	m, p := through(t, s)
	other := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	ours, unlocked := openRW(t, m.Path("f")), openRW(t, m.Path("g"))
	must(t, lock(ours, unix.F_WRLCK, 0, 5))
	p.Refuse(true)
	p.Reset()
	theirs := openRW(t, other.Path("f"))
	must(t, lockWait(theirs, unix.F_WRLCK, 0, 5))
	p.Refuse(false)
	reconnected(t, m, 1)
	for range 2 {
		_, err := ours.WriteAt([]byte("x"), 0)
		if err == nil {
			err = ours.Sync()
		}
		wantLock(t, "a write", err, unix.ESTALE)
		_, err = unlocked.WriteAt([]byte("x"), 0)
		must(t, err)
		must(t, unlocked.Sync())
	}
	must(t, lock(theirs, unix.F_UNLCK, 0, 0))
	wantContent(t, s.Path("f"), "0123456789")
	if st := statusOf(t, m); st.Files.Lost != 1 {
		t.Errorf("files: %+v", st.Files)
	}
	must(t, lock(openRW(t, m.Path("f")), unix.F_WRLCK, 0, 5)) // who opens it anew begins anew
}
