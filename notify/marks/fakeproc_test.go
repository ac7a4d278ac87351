package marks

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fakeProc is a folder that looks like /proc, for what cannot be made to happen there.
type fakeProc struct {
	t    *testing.T
	path string
}

func newFakeProc(t *testing.T) (fakeProc, *Scanner) {
	f := fakeProc{t, t.TempDir()}
	return f, newScanner(t, unix.Mkdev(0, 0x2f), Options{Proc: f.path})
}

func (f fakeProc) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// put gives a process an inotify descriptor with this fdinfo.
func (f fakeProc) put(pid, fd int, fdinfo string) {
	f.t.Helper()
	dir := filepath.Join(f.path, strconv.Itoa(pid))
	number := strconv.Itoa(fd)
	f.must(errors.Join(os.MkdirAll(filepath.Join(dir, "fd"), 0o755), os.MkdirAll(filepath.Join(dir, "fdinfo"), 0o755)))
	if err := os.Symlink(inotifyLink, filepath.Join(dir, "fd", number)); !errors.Is(err, os.ErrExist) {
		f.must(err)
	}
	f.must(os.WriteFile(filepath.Join(dir, "fdinfo", number), []byte(fdinfo), 0o644))
}

// watches is the fdinfo of marks on nodes of four hexadecimal digits.
func watches(nodes ...string) string {
	var b strings.Builder
	b.WriteString("pos:\t0\nflags:\t00\nmnt_id:\t17\nino:\t1044\n")
	for _, n := range nodes {
		b.WriteString("inotify wd:1 ino:1 sdev:2f mask:fff ignored_mask:0 fhandle-bytes:c fhandle-type:81 f_handle:")
		b.WriteString(strings.Repeat(n+n, 2) + "00000000\n")
	}
	return b.String()
}

// node is what watches makes of these digits, whatever the byte order: they are palindromes.
func node(n uint64) uint64 { return n * 0x1_0001_0001_0001 }

func TestContentChanges(t *testing.T) {
	f, s := newFakeProc(t)
	const a, b, c, d = "1111", "2222", "3333", "4444"
	for _, step := range []struct {
		nodes          []string
		added, removed []uint64
	}{
		{[]string{b, a}, []uint64{node(0x1111), node(0x2222)}, nil},
		{[]string{b, a}, nil, nil},
		{[]string{c, b, a}, []uint64{node(0x3333)}, nil},
		{[]string{c, a}, nil, []uint64{node(0x2222)}},
		{[]string{a, c}, nil, nil},
		{[]string{a, a, c}, nil, nil},
		{[]string{a, c}, nil, nil},
		{[]string{d, b}, []uint64{node(0x2222), node(0x4444)}, []uint64{node(0x1111), node(0x3333)}},
		{nil, nil, []uint64{node(0x2222), node(0x4444)}},
	} {
		f.put(10, 3, watches(step.nodes...))
		r := scan(t, s)
		wantNodes(t, "added", r.Added, step.added...)
		wantNodes(t, "removed", r.Removed, step.removed...)
		if want := len(s.marked()); r.Stats.Marked != want {
			t.Errorf("%d marked, want %d", r.Stats.Marked, want)
		}
	}
}

// Another process with the id of one that ended.
func TestProcessIDReused(t *testing.T) {
	f, s := newFakeProc(t)
	f.put(10, 3, watches("1111"))
	scan(t, s)
	old := s.procs[10]
	f.must(os.Rename(filepath.Join(f.path, "10"), filepath.Join(f.path, "ended"))) // keeps its inode
	f.put(10, 4, watches("2222"))
	r := scan(t, s)
	wantNodes(t, "added", r.Added, node(0x2222))
	wantNodes(t, "removed", r.Removed, node(0x1111))
	if s.procs[10] == old {
		t.Error("it is taken for the old one")
	}
}

// Descriptors that are closed, or that are something else by now.
func TestDescriptorsChange(t *testing.T) {
	f, s := newFakeProc(t)
	f.put(10, 3, watches("1111"))
	f.put(10, 4, watches("2222"))
	f.put(10, 5, watches("3333"))
	scan(t, s)
	dir := filepath.Join(f.path, "10")
	f.must(os.Remove(filepath.Join(dir, "fd", "3")))
	f.must(os.Remove(filepath.Join(dir, "fd", "4")))
	f.must(os.Symlink("/etc/hostname", filepath.Join(dir, "fd", "4")))
	f.must(os.Remove(filepath.Join(dir, "fdinfo", "5")))
	r := scan(t, s)
	wantNodes(t, "removed", r.Removed, node(0x1111), node(0x2222), node(0x3333))
	if r.Stats.Groups != 1 {
		t.Errorf("%d groups are known, want the one whose fdinfo is gone", r.Stats.Groups)
	}
}

func TestGarbage(t *testing.T) {
	f, s := newFakeProc(t)
	f.must(os.WriteFile(filepath.Join(f.path, "11"), nil, 0o644)) // no directory
	f.must(os.Mkdir(filepath.Join(f.path, "12"), 0o755))          // nothing in it
	f.put(10, 3, "\x00\n"+strings.Repeat("inotify wd:", chunkBytes)+"\n"+watches("1111")+
		"inotify wd:1 ino:1 sdev:2f mask:fff ignored_mask:0 \n"+watches("2222")+"inotify wd:2 sdev:2f")
	r := scan(t, s)
	wantNodes(t, "added", r.Added, node(0x1111), node(0x2222))
	if r.Stats.Nameless != 1 || r.Stats.Processes != 3 {
		t.Errorf("%+v", r.Stats)
	}
}

// What the budget does not allow waits, and is done when it does; a hint goes first.
func TestDeferred(t *testing.T) {
	f, s := newFakeProc(t)
	f.put(10, 3, watches("1111"))
	f.put(11, 3, watches("2222"))
	scan(t, s)
	f.put(10, 3, watches("3333"))
	f.put(11, 3, watches("4444"))
	for i := range s.budgets { // nothing is earned
		s.budgets[i].left, s.budgets[i].at = 0, time.Now().Add(time.Hour)
	}
	if r := scan(t, s); len(r.Added) != 0 || r.Stats.Deferred != 4 || r.Stats.Examined != 0 {
		t.Errorf("without a budget: %+v", r)
	}
	s.Hint(11)
	for want := 3; want >= 0; want-- {
		s.budgets[paysSmall].left = 1 // for one examination
		r := scan(t, s)
		if r.Stats.Examined != 1 {
			t.Fatalf("%d examinations, want one: %+v", r.Stats.Examined, r)
		}
		if s.Marked(node(0x3333)) > 0 {
			t.Fatal("the one that was named did not go first")
		}
		if s.Marked(node(0x4444)) > 0 {
			return
		}
	}
	t.Error("the one that was named was not read")
}

// Each kind of work has a budget of its own.
func TestPayers(t *testing.T) {
	_, s := newFakeProc(t)
	s.scans = 2
	light, heavy := &group{cost: small}, &group{cost: small + 1}
	for _, test := range []struct {
		name   string
		job    job
		closed []int
		payer  int
		ok     bool
	}{
		{"light", job{g: light, class: classRan}, []int{paysLarge}, paysSmall, true},
		{"light, closed", job{g: light, class: classRan}, []int{paysSmall}, paysSmall, false},
		{"heavy", job{g: heavy, class: classRan}, []int{paysSmall}, paysLarge, true},
		{"heavy, closed", job{g: heavy, class: classRan}, []int{paysLarge}, paysLarge, false},
		{"heavy, named", job{g: heavy, class: classHinted}, []int{paysLarge}, paysHinted, true},
		{"heavy, named, closed", job{g: heavy, class: classHinted}, []int{paysHinted}, paysLarge, true},
		{"light, named, all closed", job{g: light, class: classHinted}, []int{paysHinted, paysSmall}, paysSmall, false},
	} {
		for i := range s.budgets {
			s.budgets[i].left = time.Second
		}
		for _, i := range test.closed {
			s.budgets[i].left = 0
		}
		if payer, ok := s.payer(&test.job); payer != test.payer || ok != test.ok {
			t.Errorf("%s: %d, %v; want %d, %v", test.name, payer, ok, test.payer, test.ok)
		}
	}
	s.budgets = [budgets]budget{{left: 10 * small}, {left: 10 * small}, {left: 10 * small}}
	s.pay(paysSmall, 5*small)
	s.pay(paysHinted, 5*small)
	if got, want := s.budgets, ([budgets]budget{{left: 9 * small}, {left: 6 * small}, {left: 5 * small}}); got != want {
		t.Errorf("left are %v, want %v", got, want)
	}
}
