package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var twoDirs = []string{"mkdir d", "mkdir e", "write d/a hello"}

// behaviours are those of servers at large; each was seen on Samba or Windows, or is allowed by the protocol (MS-SMB2 3.3.4.4, MS-FSCC 2.7.1).
var behaviours = []behaviour{
	{"a request is not armed yet when it is pending", twoDirs,
		[]string{"mute", "write d/f x"},
		[]string{"create d/f", "modify d/f", "close-write d/f"}},
	{"one change, told three times over", twoDirs,
		[]string{"mute", "write d/f x", "tell d +f", "tell d ~f ~f", "tell d +f ~f"},
		[]string{"create d/f", "modify d/f", "close-write d/f"}},
	{"MODIFIED before ADDED", twoDirs,
		[]string{"mute", "write d/f x", "tell d ~f", "tell d +f"},
		[]string{"create d/f", "modify d/f", "close-write d/f"}},
	{"too many changes: ENUM_DIR", twoDirs,
		[]string{"mute", "write d/f x", "rm d/a", "answer d enum"},
		[]string{"create d/f", "modify d/f", "remove d/a", "close-write d/f"}},
	{"too many changes: success without an entry", twoDirs,
		[]string{"mute", "mv d/a d/b", "answer d empty"},
		[]string{"rename d/a d/b"}},
	{"a handle that died: CLEANUP", twoDirs,
		[]string{"mute", "mv d/a e/a", "answer d cleanup", "tell e +a"},
		[]string{"rename d/a e/a"}},

	{"a rename in two notifications", twoDirs,
		[]string{"mute", "mv d/a d/b", "tell d <a", "wait 50ms", "tell d >b"},
		[]string{"rename d/a d/b"}},
	{"REMOVED before a rename onto an existing name", twoDirs,
		[]string{"write d/b old", "wait 5s", "mute", "mv d/a d/b", "tell d -b", "wait 20ms", "tell d <a >b", "wait 20ms", "tell d ~b"},
		[]string{"create d/b", "modify d/b", "close-write d/b", "rename d/a d/b"}},
	{"REMOVED before the rename has happened", twoDirs,
		[]string{"write d/b old", "wait 5s", "mute", "tell d -b", "wait 20ms", "mv d/a d/b", "tell d <a >b"},
		[]string{"create d/b", "modify d/b", "close-write d/b", "rename d/a d/b"}},
	{"a rename between directories: REMOVED first", twoDirs,
		[]string{"mute", "mv d/a e/b", "tell d -a", "wait 100ms", "tell e +b"},
		[]string{"rename d/a e/b"}},
	{"a rename between directories: ADDED first", twoDirs,
		[]string{"mute", "mv d/a e/b", "tell e +b", "wait 100ms", "tell d -a"},
		[]string{"rename d/a e/b"}},
	{"NEW without OLD: from where nobody looks", append(slices.Clone(twoDirs), "aside h", "write h/x hello"),
		[]string{"mute", "mv h/x d/x", "tell d >x"},
		[]string{"arrive d/x"}},
	{"ADDED of what has long been there: from where nobody looks", append(slices.Clone(twoDirs), "aside h", "write h/x hello"),
		[]string{"mute", "mv h/x d/x", "tell d +x"},
		[]string{"arrive d/x"}},
	{"ADDED and MODIFIED of what seems to be old: it was written to", append(slices.Clone(twoDirs), "aside h", "write h/x hello"),
		[]string{"mute", "mv h/x d/x", "tell d +x", "wait 20ms", "tell d ~x"},
		[]string{"create d/x", "modify d/x", "close-write d/x"}},
	{"ADDED of what was made just now", append(slices.Clone(twoDirs), "aside h"),
		[]string{"mute", "write h/x hello", "wait 1s", "mv h/x d/x", "tell d +x"},
		[]string{"create d/x", "modify d/x", "close-write d/x"}},
	{"OLD without NEW: to where nobody looks", append(slices.Clone(twoDirs), "aside h"),
		[]string{"mute", "mv d/a h/x", "tell d <a"},
		[]string{"remove d/a"}},
	{"a chain in one notification", twoDirs,
		[]string{"mute", "mv d/a d/b", "mv d/b d/c", "tell d <a >b <b >c"},
		[]string{"rename d/a d/c"}},
	{"REMOVED of the old name long after the rename (Samba 4.24)", twoDirs,
		[]string{"mute", "mv d/a d/b", "tell d <a >b", "write d/a new", "tell d +a ~a", "wait 100ms", "tell d ~b -a"},
		[]string{"rename d/a d/b", "create d/a", "modify d/a", "close-write d/a"}},

	{"a watched directory removed by another client: DELETE_PENDING", []string{"mkdir d", "mkdir d/s"},
		[]string{"delete d/s"},
		[]string{"remove d/s"}},
	{"a watched directory that goes and comes back: DELETE_PENDING in between", []string{"mkdir d", "mkdir d/s"},
		[]string{"delete d/s", "wait 100ms", "mkdir d/s"},
		[]string{"remove d/s", "create d/s"}},
	{"a watched directory replaced by another of its name, of which nothing is told", []string{"mkdir d", "mkdir d/s", "write d/s/a hello"},
		[]string{"mute", "rm d/s", "mkdir d/s", "tell d -s +s", "loud"},
		[]string{"remove d/s/a", "remove d/s", "create d/s"}},
	{"a watched directory renamed, with everything below", []string{"mkdir d", "mkdir d/s", "mkdir d/s/t", "write d/s/t/a hello"},
		[]string{"mv d/s d/u", "wait 1s", "write d/u/t/b x", "mv d/u/t/a d/u/c"},
		[]string{"rename d/s d/u", "create d/u/t/b", "modify d/u/t/b", "rename d/u/t/a d/u/c", "close-write d/u/t/b"}},

	{"own create, notified before it is answered", twoDirs,
		[]string{"begin make d/f", "wait 300ms", "end", "wait 5s", "rm d/f"},
		[]string{"remove d/f"}},
	{"own create, notified long after", twoDirs,
		[]string{"mute", "own make d/f", "wait 2500ms", "tell d +f ~f"},
		nil},
	{"own create, undone by another before it is answered", twoDirs,
		[]string{"begin make d/f", "rm d/f", "wait 300ms", "end"},
		[]string{"remove d/f"}},
	{"own removal, undone by another before it is answered", append(slices.Clone(twoDirs), "write d/z hello"),
		[]string{"own rm d/z", "wait 5s", // after which it is known how this server removes
			"begin rm d/a", "write d/a new", "wait 300ms", "end"},
		[]string{"create d/a", "modify d/a", "close-write d/a"}},
	{"an own rename, and its MODIFIED long after it", twoDirs,
		[]string{"mute", "own mv d/a e/b", "tell d -a", "tell e +b", "wait 1500ms", "tell e ~b"},
		nil},
	{"content that is changed after an own rename under the old time and size", twoDirs,
		[]string{"mute", "own mv d/a e/b", "tell d -a", "tell e +b", "wait 5s", "tell e ~b"},
		[]string{"modify e/b", "close-write e/b"}},
	{"own rename, notified before it is answered", twoDirs,
		[]string{"begin mv d/a d/b", "wait 300ms", "end"},
		nil},
	{"own rename, its old name taken by another before it is answered", twoDirs,
		[]string{"begin mv d/a d/b", "write d/a new", "wait 300ms", "end"},
		[]string{"create d/a", "modify d/a", "close-write d/a"}},
	{"own rename, undone by another before it is answered", twoDirs,
		[]string{"begin mv d/a d/b", "mv d/b d/a", "wait 300ms", "end"},
		[]string{"rename d/b d/a"}},
	{"own move between directories, its halves notified before and after", twoDirs,
		[]string{"mute", "begin mv d/a e/a", "tell d -a", "wait 100ms", "end", "wait 1s", "tell e +a"},
		nil},
}

func TestBehaviours(t *testing.T) {
	for _, b := range behaviours {
		t.Run(b.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { b.play(t, Options{}) })
		})
	}
}

// TestBufferLimit: more than 64 KiB of changes come while no request is outstanding. The server has lost them, and says so; each is told once.
func TestBufferLimit(t *testing.T) {
	b := behaviour{setup: []string{"mkdir d", "write d/a hello"}, steps: []string{"withhold", "write d/first x"}}
	long := strings.Repeat("n", 200)
	names := []string{"first"}
	for i := range 200 { // 200 names of 400 bytes, ADDED and MODIFIED
		name := fmt.Sprintf("%s-%03d", long, i)
		b.steps = append(b.steps, "write d/"+name+" x")
		names = append(names, name)
	}
	b.steps = append(b.steps, "take")
	synctest.Test(t, func(t *testing.T) {
		r := b.run(t, Options{})
		for _, name := range names {
			for _, what := range []string{"create", "modify", "close-write"} {
				if n := r.count(what + " d/" + name); n != 1 {
					t.Fatalf("%s of %s was told %d times", what, name, n)
				}
			}
		}
		if st := r.engine.Stats(); st.Overflows != 1 || st.Missed != 0 {
			t.Errorf("status: %+v", st)
		}
	})
}

// TestAsyncLimit: Windows Server allows 512 asynchronous operations on a connection. What is watched beyond that is compared, and all is told.
func TestAsyncLimit(t *testing.T) {
	const dirs, limit = 600, 512
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, allowing(limit))
		r.watched(dirs)
		time.Sleep(30 * time.Second)
		if st := r.engine.Stats(); st.Notified < limit/2 || st.Notified > limit || st.Pinned != dirs || st.OverBudget != dirs+1-st.Notified { // and the root above them
			t.Errorf("status: %+v", st)
		}
		for i := range dirs {
			r.write(fmt.Sprintf(`d%d\f`, i), "hello")
		}
		time.Sleep(10 * time.Second)
		for i := range dirs {
			for _, what := range []string{"create", "modify", "close-write"} {
				if n := r.count(fmt.Sprintf("%s d%d/f", what, i)); n != 1 {
					t.Fatalf("%s in directory %d was told %d times", what, i, n)
				}
			}
		}
		r.said("the server allows no more watches", 1)
	})
}
