package cache

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	randomSeed = flag.Uint64("cache.seed", 0, "run the random test with this seed only")
	randomFor  = flag.Duration("cache.for", 2*time.Second, "how long the random test runs")
)

// world is a play with a random author.
type world struct {
	*play
	r       *rand.Rand
	news    *ledger
	answers []late
	changes []*inFlight
	ops     []*ownOp
	epoch   int // raised by whatever may overtake a change
	log     []string
}

// late is an answer of the server's that has not been read yet.
type late struct {
	dir  ID
	asOf Stamp
	acts int // what had happened when it was asked for
	list bool
	obs  []Observation
}

type inFlight struct {
	c     *Change
	epoch int
}

// ownOp is a local operation that the server has carried out and that has not ended.
type ownOp struct {
	own    *Own
	places []Place
	end    func()
}

func TestRandom(t *testing.T) {
	if *randomSeed != 0 {
		live(t, *randomSeed)
		return
	}
	live(t, 7312429820984414313)  // once told a rename out of a directory that nobody knew, by way of what was in the way there
	live(t, 16708312420261083208) // once adopted a directory that seemed to be in itself
	runs := 0
	for start := time.Now(); time.Since(start) < *randomFor; runs++ {
		live(t, rand.Uint64())
	}
	t.Logf("%d lives", runs)
}

func live(t *testing.T, seed uint64) {
	w := &world{play: newPlay(t), r: rand.New(rand.NewPCG(seed, 1)), news: newLedger()}
	w.judge = w.isNews
	defer func() {
		if e := recover(); e != nil {
			t.Fatalf("%v", e)
		}
	}()
	w.tb = reporter{t, func() { t.Logf("-cache.seed=%d\n%s", seed, strings.Join(w.log, "\n")) }}
	w.setUp()
	for range 150 {
		w.act()
		w.verify("an act")
	}
	w.settleDown()
	w.compareViews()
	w.tearDown()
}

func (w *world) verify(after string) {
	w.play.verify(after)
	w.news.prune(w.w.dirs)
}

// reporter prints the life that led to a failure before it.
type reporter struct {
	testing.TB
	before func()
}

func (r reporter) Fatalf(format string, args ...any) {
	r.TB.Helper()
	r.before()
	r.TB.Fatalf(format, args...)
}

func (w *world) logf(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *world) chance(percent int) bool { return w.r.IntN(100) < percent }

var nameSet = []string{"a", "b", "c", "d", "e"}

func (w *world) randomName() string { return nameSet[w.r.IntN(len(nameSet))] }

func (w *world) setUp() {
	for range 10 {
		w.serverAct()
	}
	w.watch(w.t.byID[RootID])
	for range 2 {
		w.watchOne()
	}
}

// dirs are the server's directories.
func (w *world) dirs() (all []*node) {
	var walk func(*node)
	walk = func(d *node) {
		all = append(all, d)
		for _, name := range sorted(d.names) {
			if n := d.names[name]; n.names != nil && n.parent == d {
				walk(n)
			}
		}
	}
	walk(w.srv.root)
	return all
}

func sorted[V any](m map[string]V) (names []string) {
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (w *world) someDir() *node { d := w.dirs(); return d[w.r.IntN(len(d))] }

// someKnown is a directory of the tree's, alive or not.
func (w *world) someKnown() *object {
	var ids []ID
	for id, o := range w.t.byID {
		if o.dir != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return w.t.byID[ids[w.r.IntN(len(ids))]]
}

func (w *world) act() {
	switch n := w.r.IntN(100); {
	case n < 20:
		w.serverAct()
	case n < 35:
		w.askSome()
	case n < 55:
		w.readAnswer()
	case n < 70:
		w.takeStep()
	case n < 82:
		w.finishChange()
	case n < 86:
		w.beginOwn()
	case n < 90:
		w.endOwn()
	case n < 93:
		w.watchOne()
	case n < 94:
		w.unwatchOne()
	case n < 97:
		w.lookOne()
	case n < 98:
		w.forgetOne()
	default:
		w.now = w.now.Add(time.Duration(w.r.IntN(200)) * time.Millisecond)
	}
}

func (w *world) serverAct() {
	defer func() { w.news.survey(w.dirs()) }()
	d, e := w.someDir(), w.someDir()
	x, y := w.randomName(), w.randomName()
	c := d.names[x]
	switch n := w.r.IntN(10); {
	case c == nil && n < 6:
		w.logf("server: create %d/%s", d.identity.Created, x)
		d.put(x, w.srv.make(File))
	case c == nil:
		w.logf("server: mkdir %d/%s", d.identity.Created, x)
		d.put(x, w.srv.make(Directory))
	case n < 4:
		err := w.srv.move(d, x, e, y)
		w.logf("server: mv %d/%s %d/%s: %v", d.identity.Created, x, e.identity.Created, y, err)
	case n < 5:
		err := w.srv.exchange(d, x, e, y)
		w.logf("server: swap %d/%s %d/%s: %v", d.identity.Created, x, e.identity.Created, y, err)
	case n < 7:
		w.logf("server: rm %d/%s", d.identity.Created, x)
		w.srv.drop(d, x)
	case n < 8 && c.names == nil && e.names[y] == nil:
		w.logf("server: ln %d/%s %d/%s", d.identity.Created, x, e.identity.Created, y)
		e.names[y] = c
	case n < 9:
		c.attr.Size++
	default:
		w.logf("server: replace %d/%s", d.identity.Created, x)
		w.srv.drop(d, x)
		d.put(x, w.srv.make(c.identity.Kind))
	}
}

// isNews holds a change that is about to be told against what has happened.
func (w *world) isNews(c *Change) error {
	o, dir := w.t.byID[c.ID], w.t.byID[c.From.Dir]
	if o == nil || dir == nil {
		return nil
	}
	for _, other := range w.t.byID {
		if other != dir && w.node(other) != nil && w.node(other) == w.node(dir) {
			return nil // the directory was told gone, or is shown twice: what is in it is told anew
		}
	}
	return w.news.told(c, o, w.node(dir))
}

// node is the server's directory that o stands for, or nil.
func (w *world) node(o *object) *node { return w.find(w.srv.root, o.identity) }

// askSome asks the server something; the answer is read later.
func (w *world) askSome() {
	o := w.someKnown()
	d := w.node(o)
	if d == nil {
		return
	}
	a := late{dir: o.id, asOf: w.t.Now(), acts: w.news.acts, list: w.chance(30)}
	if a.list {
		a.obs = d.list()
	} else {
		for range 1 + w.r.IntN(3) {
			n := w.randomName()
			a.obs = append(a.obs, Observation{Name: n, Entry: d.entry(n), Hint: Hint(w.r.IntN(2)) * HintModified})
		}
	}
	w.answers = append(w.answers, a)
}

func (w *world) readAnswer() {
	if len(w.answers) == 0 {
		return
	}
	i := w.r.IntN(len(w.answers))
	a := w.answers[i]
	w.answers = slices.Delete(w.answers, i, i+1)
	w.epoch++
	o := w.t.byID[a.dir]
	if o == nil {
		w.t.Observe(a.dir, a.asOf, w.now, a.obs)
		return
	}
	if !a.list {
		w.logf("observe %d at %d: %s", a.dir, a.asOf, text(a.obs))
		w.t.Observe(a.dir, a.asOf, w.now, a.obs)
		return
	}
	if n := len(a.obs); n > 0 && o.dir.complete > 0 && w.chance(20) { // what is renamed meanwhile can be missing under both names
		i := w.r.IntN(n)
		a.obs = slices.Delete(a.obs, i, i+1)
	}
	w.logf("compare %d at %d: %s", a.dir, a.asOf, text(a.obs))
	w.news.listed(a.dir, a.acts)
	missing, _ := w.t.Compare(a.dir, a.asOf, w.now, a.obs)
	if d := w.node(o); d != nil && len(missing) > 0 {
		b := late{dir: a.dir, asOf: w.t.Now()}
		slices.Sort(missing)
		for _, n := range missing {
			b.obs = append(b.obs, Observation{Name: n, Entry: d.entry(n)})
		}
		w.answers = append(w.answers, b)
	}
}

func text(obs []Observation) string {
	s := ""
	for _, ob := range obs {
		s += ob.Name + "="
		if ob.Entry != nil {
			s += fmt.Sprint(ob.Entry.Created)
		}
		s += " "
	}
	return s
}

func (w *world) takeStep() {
	if len(w.changes) > 3 {
		return
	}
	w.epoch++ // directories that nobody watches any more are settled on the way
	st := w.t.Next(w.now)
	switch {
	case st.Change != nil:
		w.logf("next: %s %d", w.text(st.Change), st.Change.ID)
		w.changes = append(w.changes, &inFlight{st.Change, w.epoch})
	case st.Ask != nil:
		w.logf("next: ask %v", *st.Ask)
		o := w.t.byID[st.Ask.Dir]
		a := late{dir: o.id, asOf: w.t.Now(), obs: []Observation{{Name: st.Ask.Name}}}
		if d := w.node(o); d != nil {
			a.obs[0].Entry = d.entry(st.Ask.Name)
		}
		w.answers = append(w.answers, a)
	case st.Wait > 0 && w.chance(50):
		w.now = w.now.Add(st.Wait)
	}
}

// locked reports whether the kernel holds one of the directories for a local operation.
func (w *world) locked(places ...Place) bool {
	for _, op := range w.ops {
		for _, p := range op.places {
			for _, q := range places {
				if p.Dir == q.Dir || w.t.at(p) != nil && w.t.at(p).told != nil && w.t.at(p).told.id == q.Dir {
					return true
				}
			}
		}
	}
	return false
}

func (w *world) finishChange() {
	if len(w.changes) == 0 {
		return
	}
	i := w.r.IntN(len(w.changes))
	f := w.changes[i]
	if w.locked(f.c.From, f.c.To) {
		return
	}
	w.changes = slices.Delete(w.changes, i, i+1)
	err := w.w.legal(f.c)
	if err != nil && f.epoch == w.epoch && f.c.Held {
		w.tb.Fatalf("%s: nothing came between, and it cannot be done: %v", w.text(f.c), err)
	}
	if w.chance(15) || err != nil && f.c.Held {
		w.logf("failed: %s: %v", w.text(f.c), err)
		w.t.Done(f.c, false, w.now, testPace)
		return
	}
	line := w.text(f.c)
	if err := w.isNews(f.c); err != nil {
		w.tb.Fatalf("%s: %v", line, err)
	}
	_, ok := w.t.Commit(f.c, f.c.Op == Create && f.c.Held)
	w.logf("commit: %s: %v", line, ok)
	if !ok && f.epoch == w.epoch {
		w.tb.Fatalf("%s: nothing came between, and it is refused", line)
	}
	if ok {
		w.epoch++
		if err := w.w.event(f.c); err != nil {
			w.tb.Fatalf("%s: %v", line, err)
		}
	}
	w.t.Done(f.c, ok, w.now, testPace)
}
