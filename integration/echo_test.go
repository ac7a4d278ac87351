//go:build soak

package integration

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// Local programs, second clients and a program on the server work in the same directories and on the same files.
// Each watcher gets each change once: those made here as the kernel tells them, though each comes back as a
// notification; those made elsewhere once or, where one undid another before it could be told, not at all.

const (
	echoChanges = 2000 // by all together
	echoEach    = 20   // by each at least
	echoLocals  = 4
	echoClients = 2
	echoFiles   = 10 // of each worker at a time
)

var echoDirs = []string{"a", "b", "c"}

// echoKey is a kind of event of one name.
type echoKey struct {
	mask uint32
	path string
}

// echoWorker makes changes of names of its own, which are never used again, and of shared files.
type echoWorker struct {
	name   string
	actor  actor
	local  bool
	rnd    *rand.Rand
	names  []string // what there is of its files
	dirs   []string // and of its directories
	last   int
	did    int
	counts map[echoKey]int   // the events that a local program's changes cause in the kernel
	shared map[string]int    // writes to shared files
	from   map[string]string // what a file was called before its last rename
	to     map[string]string // and after it
	writes map[string]int    // to a file, up to now or to the end of its name
}

func (w *echoWorker) fresh() string {
	w.last++
	return path.Join(echoDirs[w.rnd.IntN(len(echoDirs))], fmt.Sprintf("%s-%d", w.name, w.last))
}

func (w *echoWorker) text() string { return fmt.Sprintf("%s.%d.", w.name, w.rnd.Uint32()) }

func (w *echoWorker) expect(name string, masks ...uint32) {
	for _, m := range masks {
		w.counts[echoKey{m, name}]++
	}
}

// take removes one of a list at random.
func (w *echoWorker) take(list *[]string) string {
	i := w.rnd.IntN(len(*list))
	name := (*list)[i]
	*list = slices.Delete(*list, i, i+1)
	return name
}

// step makes one change.
func (w *echoWorker) step() error {
	w.did++
	n := w.rnd.IntN(100)
	switch {
	case len(w.names) < 3 || n < 25 && len(w.names) < echoFiles:
		name := w.fresh()
		w.names = append(w.names, name)
		w.writes[name] = 1
		w.expect(name, unix.IN_CREATE, unix.IN_MODIFY, unix.IN_CLOSE_WRITE)
		return w.actor.write(name, "trunc", w.text())
	case n < 45:
		name := w.names[w.rnd.IntN(len(w.names))]
		w.writes[name]++
		w.expect(name, unix.IN_MODIFY, unix.IN_CLOSE_WRITE)
		return w.actor.write(name, "append", w.text())
	case n < 60:
		from, to := w.take(&w.names), w.fresh()
		w.names = append(w.names, to)
		w.expect(from, unix.IN_MOVED_FROM)
		w.expect(to, unix.IN_MOVED_TO)
		w.from[to], w.to[from], w.writes[to] = from, to, w.writes[from]
		return w.actor.rename(from, to)
	case n < 75:
		name := w.take(&w.names)
		w.expect(name, unix.IN_DELETE)
		return w.actor.unlink(name)
	case n < 90:
		name := path.Join(echoDirs[w.rnd.IntN(len(echoDirs))], "shared")
		w.shared[name]++
		return w.actor.write(name, "append", w.text())
	case len(w.dirs) > 0 && n < 95:
		name := w.take(&w.dirs)
		w.expect(name, unix.IN_DELETE)
		return w.actor.rmdir(name)
	default:
		name := w.fresh()
		w.dirs = append(w.dirs, name)
		w.expect(name, unix.IN_CREATE)
		return w.actor.mkdir(name, false)
	}
}

// run works until all together have done enough, and each has. Remote workers leave the server time for others.
func (w *echoWorker) run(all *atomic.Int64) error {
	for all.Add(1) < echoChanges || w.did < echoEach {
		if err := w.step(); err != nil {
			return fmt.Errorf("%s, change %d: %w", w.name, w.did, err)
		}
		if !w.local {
			time.Sleep(time.Duration(w.rnd.IntN(8)) * time.Millisecond)
		}
	}
	return nil
}

// echoWorkers are who takes part.
func echoWorkers(t *testing.T, s *testenv.Samba, m *testenv.Mounted, dir string, seed uint64) []*echoWorker {
	var all []*echoWorker
	add := func(name string, a actor, local bool) {
		all = append(all, &echoWorker{name: name, actor: a, local: local, rnd: rand.New(rand.NewPCG(seed, uint64(len(all)))),
			counts: map[echoKey]int{}, shared: map[string]int{}, from: map[string]string{}, to: map[string]string{}, writes: map[string]int{}})
	}
	for i := range echoLocals {
		add(fmt.Sprint("local", i), folderActor(m.Path(dir)), true)
	}
	for i := range echoClients {
		add(fmt.Sprint("client", i), peerActor{testenv.MustPeer(t, s), s, dir}, false)
	}
	add("server", folderActor(s.Path(dir)), false)
	return all
}

// TestEcho has the process to itself: a child that another test starts would have a copy of each open file for a moment, and the last close,
// which CLOSE_WRITE follows, would be its own, after the file was renamed.
func TestEcho(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d", seed)
	s := plainSamba(t)
	dir := folder(t, s)
	for _, d := range echoDirs {
		must(t, os.Mkdir(s.Path(dir, d), 0o755))
		must(t, os.WriteFile(s.Path(dir, d, "shared"), nil, 0o644))
	}
	m := testenv.MustMount(t, testenv.MountOptions{Samba: s})
	shown(t, m.Path(dir), s.Path(dir))
	watchers := []*testenv.Watcher{
		testenv.MustWatch(t, testenv.WatchInotify, m.Path(dir), testenv.WatchOptions{}),
		testenv.MustWatch(t, testenv.WatchInotify, m.Path(dir), testenv.WatchOptions{}),
	}
	arm(t, watchers[0], s.Path(dir))
	starts := []int{watchers[0].Len(), watchers[1].Len()}
	workers := echoWorkers(t, s, m, dir, seed)
	workAll(t, workers)
	for i, w := range watchers {
		settleEcho(t, w, starts[i], s.Path(dir))
		checkEcho(t, w.Events()[starts[i]:], workers)
	}
	for _, d := range echoDirs {
		wantContent(t, m.Path(dir, d, "shared"), string(try[[]byte](t)(os.ReadFile(s.Path(dir, d, "shared")))))
	}
}

// workAll has everybody work at the same time.
func workAll(t *testing.T, workers []*echoWorker) {
	t.Helper()
	var all atomic.Int64
	var wg sync.WaitGroup
	for _, w := range workers {
		wg.Go(func() {
			if err := w.run(&all); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, w := range workers {
		t.Logf("%s: %d changes", w.name, w.did)
	}
}

// settleEcho waits until the names made of events alone are those that the server has, and nothing more comes.
func settleEcho(t *testing.T, w *testenv.Watcher, start int, server string) {
	t.Helper()
	want := map[string]bool{}
	must(t, filepath.WalkDir(server, func(p string, _ fs.DirEntry, err error) error {
		if rel, relErr := filepath.Rel(server, p); relErr == nil && filepath.Dir(rel) != "." {
			want[rel] = true
		}
		return err
	}))
	got := map[string]bool{}
	for _, d := range echoDirs {
		got[path.Join(d, "shared")] = true
	}
	at := start
	err := w.WaitFor(stepTimeout, func(events []testenv.Event) bool {
		for ; at < len(events); at++ {
			switch e := events[at]; e.Mask {
			case unix.IN_CREATE, unix.IN_MOVED_TO:
				got[e.Path()] = true
			case unix.IN_DELETE, unix.IN_MOVED_FROM:
				delete(got, e.Path())
			}
		}
		if len(got) != len(want) {
			return false
		}
		for name := range want {
			if !got[name] {
				return false
			}
		}
		return true
	})
	if err != nil {
		t.Errorf("%v: by the events there are %d names, on the server %d", err, len(got), len(want))
		for name := range got {
			if !want[name] {
				t.Errorf("there by the events alone: %s", name)
			}
		}
		for name := range want {
			if !got[name] {
				t.Errorf("never told: %s", name)
			}
		}
	}
	must(t, w.WaitQuiet(afterglow, stepTimeout))
}

// checkEcho compares what was told with what was done.
func checkEcho(t *testing.T, events []testenv.Event, workers []*echoWorker) {
	t.Helper()
	told := map[echoKey]int{}
	for _, e := range events {
		if e.Name != "" && e.Mask&(unix.IN_CREATE|unix.IN_DELETE|unix.IN_MOVED_FROM|unix.IN_MOVED_TO|unix.IN_MODIFY|unix.IN_ATTRIB|unix.IN_CLOSE_WRITE) != 0 {
			told[echoKey{e.Mask, e.Path()}]++
		}
	}
	var wrong []string
	names := map[string]bool{}
	complain := func(k echoKey, what string) {
		names[k.path] = true
		wrong = append(wrong, fmt.Sprintf("%s of %s was told %d times, %s", testenv.MaskName(k.mask), k.path, told[k], what))
	}
	for _, w := range workers {
		if w.local {
			for k, n := range w.counts {
				if k.mask != unix.IN_CLOSE_WRITE && told[k] != n {
					complain(k, fmt.Sprintf("the kernel tells it %d times", n))
				}
			}
			for name := range w.writes {
				k := echoKey{unix.IN_CLOSE_WRITE, name}
				if got, want := w.overNames(told, k), w.overNames(w.counts, k); w.from[name] == "" && got != want {
					complain(k, fmt.Sprintf("%d under all its names, and the kernel tells it %d times", got, want))
				}
			}
			continue
		}
		for _, to := range w.names {
			k, from := echoKey{unix.IN_MOVED_TO, to}, w.from[to]
			if known := told[echoKey{unix.IN_CREATE, from}] + told[echoKey{unix.IN_MOVED_TO, from}]; known > 0 && told[k] != 1 {
				complain(k, "and it was "+from)
			}
		}
	}
	for k, n := range told {
		most := 0
		for _, w := range workers {
			most += w.most(k, told)
		}
		if n > most {
			complain(k, fmt.Sprintf("which is right %d times at most", most))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		of := slices.DeleteFunc(slices.Clone(events), func(e testenv.Event) bool { return !names[e.Path()] })
		t.Errorf("%d of %d kinds of events:\n%s\nwhat was told of these names:\n%s", len(wrong), len(told), strings.Join(wrong[:min(len(wrong), 20)], "\n"),
			testenv.FormatEvents(of[:min(len(of), 60)]))
	}
}

// overNames is how often an event of a file came under the name it had then and its later ones. The kernel tells CLOSE_WRITE when the last
// reference to the open file goes. Who reads /proc/PID/fd holds one for a moment, as every smbfs on the machine does that looks for
// watchers: then CLOSE_WRITE comes after close has returned, and under the name that the file has by then.
func (w *echoWorker) overNames(n map[echoKey]int, k echoKey) (sum int) {
	for name := k.path; name != ""; name = w.to[name] {
		sum += n[echoKey{k.mask, name}]
	}
	return sum
}

// written is how often a file may be told to have been written under a name: as often as it was, up to the end of the last of its next names
// of which nothing was told. What is written after a rename that is not told yet is told under the name that is known.
func (w *echoWorker) written(name string, told map[echoKey]int) int {
	for next := w.to[name]; next != "" && told[echoKey{unix.IN_CREATE, next}]+told[echoKey{unix.IN_MOVED_TO, next}] == 0; next = w.to[next] {
		name = next
	}
	return w.writes[name]
}

// most is how often an event may be told on account of a worker. Of what is done elsewhere the steps may be told as one: a file
// that was made and renamed at once was made under its new name, and one that was renamed and removed went under its old
// one. A file that takes the id of one just removed, made in the same tick of the server's clock, is that file under another name.
//
// Of a second client's write the server shows the new size first and the new time when the file is closed: there may be
// time enough in between to tell of both.
func (w *echoWorker) most(k echoKey, told map[echoKey]int) int {
	done := func(mask uint32) int { return w.counts[echoKey{mask, k.path}] }
	_, client := w.actor.(peerActor)
	writes := w.written(k.path, told)
	if client {
		writes *= 2
	}
	switch {
	case w.shared[k.path] > 0 && client:
		return 2 * w.shared[k.path]
	case w.shared[k.path] > 0:
		return w.shared[k.path]
	case w.local && k.mask == unix.IN_CLOSE_WRITE:
		return w.writes[k.path] // see overNames
	case w.local:
		return done(k.mask)
	case k.mask == unix.IN_CREATE || k.mask == unix.IN_MOVED_TO:
		return done(unix.IN_CREATE) + done(unix.IN_MOVED_TO)
	case k.mask == unix.IN_DELETE || k.mask == unix.IN_MOVED_FROM:
		return done(unix.IN_DELETE) + done(unix.IN_MOVED_FROM)
	case k.mask == unix.IN_MODIFY || k.mask == unix.IN_CLOSE_WRITE:
		return writes
	}
	return 0
}
