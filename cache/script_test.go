package cache

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
)

const testHold = 150 * time.Millisecond

var testPace = Pace{Modify: 100 * time.Millisecond, Rest: 500 * time.Millisecond}

// play runs a story: a model server, a tree that is shown parts of it, and what is told. A line
// is a command; see [server.do] and [stage.tell] for them.
type play struct {
	tb      testing.TB
	srv     *server
	t       *Tree
	w       *witness
	now     time.Time
	start   time.Time
	until   time.Time // how far a run may go
	out     []string
	asked   map[string]answer
	own     *Own
	fail    int
	first   map[Identity]string // the name under which an object was first seen
	changes []*Change           // got from Next and not yet told
	judge   func(*Change) error // what else is to be said of a change that is about to be told; nil: nothing
}

type answer struct {
	asOf Stamp
	obs  []Observation
	dirs []*node
}

func newPlay(tb testing.TB) *play {
	srv := newServer()
	t := New(Entry{Identity: srv.root.identity}, testHold)
	now := time.Unix(1e9, 0)
	return &play{tb: tb, srv: srv, t: t, w: newWitness(t), now: now, start: now,
		asked: map[string]answer{}, first: map[Identity]string{}}
}

func perform(tb testing.TB, script string) string {
	p := newPlay(tb)
	for _, line := range strings.Split(script, "\n") {
		for _, command := range strings.Split(line, ";") {
			if f := strings.Fields(command); len(f) > 0 && !strings.HasPrefix(f[0], "#") {
				p.command(f[0], f[1:])
				p.verify(command)
			}
		}
	}
	return strings.Join(p.out, "\n")
}

func (p *play) verify(after string) {
	p.tb.Helper()
	if err := p.t.check(); err != nil {
		p.tb.Fatalf("after %q: %v", after, err)
	}
	if err := p.t.circular(); err != nil {
		p.tb.Fatalf("after %q: %v", after, err)
	}
	if err := p.w.differs(); err != nil {
		p.tb.Fatalf("after %q: %v", after, err)
	}
}

func (p *play) printf(format string, args ...any) {
	p.out = append(p.out, fmt.Sprintf(format, args...))
}

func (p *play) command(op string, args []string) {
	switch op {
	case "run":
		limit := time.Hour
		if len(args) > 0 {
			limit, _ = time.ParseDuration(args[0])
		}
		p.run(limit)
	case "pass":
		d, _ := time.ParseDuration(args[0])
		p.now = p.now.Add(d)
	case "clock":
		p.printf("clock %dms", p.now.Sub(p.start).Milliseconds())
		p.start = p.now
	case "fail":
		_, _ = fmt.Sscan(args[0], &p.fail)
	case "objects":
		p.printf("objects %d", len(p.t.byID)-1)
	case "next":
		p.next()
	case "finish":
		c := p.changes[0]
		p.changes = p.changes[1:]
		p.tell(c)
	case "own":
		p.operate(args[0], args[1:])
	case "begin", "made", "opened", "removed", "renamed", "end":
		p.ownStep(op, args)
	case "see", "modified", "added", "replaced", "renamed-to", "list", "ask", "answer":
		p.observe(op, args)
	case "use", "watch", "unwatch", "pin", "hold", "look", "known", "forget":
		p.local(op, args)
	default:
		p.srv.do(op, args)
	}
}

// observe shows the tree what the server answers.
func (p *play) observe(op string, args []string) {
	hint := map[string]Hint{"modified": HintModified, "added": HintAdded, "replaced": HintRemoved | HintAdded, "renamed-to": HintRenamed}[op]
	switch op {
	case "list":
		for _, path := range args {
			p.compare(p.srv.dir(path), p.t.Now())
		}
	case "ask":
		p.asked[args[0]] = p.question(args[1:], 0)
	case "answer":
		p.answer(p.asked[args[0]])
	default:
		p.answer(p.question(args, hint))
	}
}

func (p *play) question(paths []string, hint Hint) answer {
	a := answer{asOf: p.t.Now()}
	for _, path := range paths {
		d, name := p.srv.at(path)
		a.dirs = append(a.dirs, d)
		a.obs = append(a.obs, Observation{Name: name, Entry: d.entry(name), Hint: hint})
	}
	return a
}

func (p *play) answer(a answer) {
	for i, ob := range a.obs {
		if p.t.Observe(p.id(a.dirs[i]), a.asOf, p.now, []Observation{ob})[0] == Stale {
			p.printf("stale %s", ob.Name)
		}
	}
}

// id is the object that stands for a directory of the server's.
func (p *play) id(n *node) ID {
	if n == p.srv.root {
		return RootID
	}
	if o := p.t.identity[n.identity.key()]; o != nil && o.identity.Created == n.identity.Created {
		return o.id
	}
	return 0
}

// compare lists a directory and has what is missing confirmed.
func (p *play) compare(d *node, asOf Stamp) int {
	id := p.id(d)
	missing, changed := p.t.Compare(id, asOf, p.now, d.list())
	p.w.catchUp()
	obs := []Observation{}
	slices.Sort(missing)
	for _, name := range missing {
		obs = append(obs, Observation{Name: name, Entry: d.entry(name)})
	}
	for _, out := range p.t.Observe(id, p.t.Now(), p.now, obs) {
		if out == Changed {
			changed++
		}
	}
	return changed
}

// operate does a whole local operation: on the server and in the tree.
func (p *play) operate(op string, args []string) {
	p.ownStep("begin", args)
	p.srv.do(op, args)
	switch op {
	case "create", "mkdir", "symlink":
		p.ownStep("made", args)
	case "rm":
		p.ownStep("removed", args)
	case "mv":
		p.ownStep("renamed", args)
	case "ln":
		p.ownStep("opened", args[1:])
	}
	p.ownStep("end", nil)
}

func (p *play) place(path string) Place {
	d, name := p.srv.at(path)
	return Place{p.id(d), name}
}

func (p *play) ownStep(op string, args []string) {
	var at []Place
	for _, a := range args {
		at = append(at, p.place(a))
	}
	switch op {
	case "begin":
		p.own = p.t.Begin(at...)
	case "made":
		d, name := p.srv.at(args[0])
		p.own.Made(at[0], *d.entry(name), p.now)
	case "opened":
		d, name := p.srv.at(args[0])
		p.own.Created(at[0], *d.entry(name), p.now)
	case "removed":
		p.own.Removed(at[0])
	case "renamed":
		p.own.Renamed(at[0], at[1], p.now)
	case "end":
		p.own.End()
	}
	for id := range p.w.dirs { // the kernel's own events
		if op != "begin" && op != "end" {
			p.w.look(id)
		}
	}
}

// local is what programs on this side do.
func (p *play) local(op string, args []string) {
	for _, path := range args {
		switch op {
		case "hold":
			p.hold(path)
		case "use", "watch":
			p.hold(path)
			id := p.id(p.srv.dir(path))
			p.w.look(id)
			p.t.Watch(id, p.now, 0)
			if op == "watch" {
				p.compare(p.srv.dir(path), p.t.Now())
			}
		case "pin":
			p.t.Pin(p.id(p.srv.dir(path)), true)
		case "unwatch":
			id := p.id(p.srv.dir(path))
			delete(p.w.dirs, id)
			p.t.Unwatch(id)
		case "look":
			d, name := p.srv.at(path)
			seen := p.t.Saw(p.place(path), p.t.Now(), p.now, d.entry(name))
			p.show(path, seen.View)
		case "known":
			p.show(path, p.t.Lookup(p.place(path), p.now, Freshness{time.Hour, time.Hour}))
		case "forget":
			p.forget()
		}
	}
}

// hold has the kernel look up every part of the path.
func (p *play) hold(path string) {
	if path == "." {
		return
	}
	d := p.srv.root
	for _, name := range strings.Split(path, "/") {
		p.t.Saw(Place{p.id(d), name}, p.t.Now(), p.now, d.entry(name))
		d = d.names[name]
	}
}

func (p *play) show(path string, v View) {
	text := "nothing"
	if !v.Known {
		text = "unknown"
	} else if v.ID != 0 {
		text = p.name(v.Entry.Identity)
	}
	if v.Pending {
		text += ", pending"
	}
	p.printf("%s is %s", path, text)
}

// name tells objects apart: the number is the order in which the server made them.
func (p *play) name(i Identity) string { return fmt.Sprintf("%s %d", i.Kind, i.Created-1) }

// forget takes every lookup back, as a kernel does that is short of memory.
func (p *play) forget() {
	var ids []ID
	for id := range p.t.byID {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] > ids[j] })
	for _, id := range ids {
		delete(p.w.dirs, id)
		if o := p.t.byID[id]; o != nil && o.refs > 0 {
			p.t.Forget(id, o.refs)
		}
	}
}

func (p *play) step() bool {
	st := p.t.Next(p.now)
	switch {
	case st.Change != nil:
		p.tell(st.Change)
	case st.Ask != nil:
		ob := Observation{Name: st.Ask.Name}
		if o := p.t.byID[st.Ask.Dir]; o != nil {
			if d := p.find(p.srv.root, o.identity); d != nil {
				ob.Entry = d.entry(ob.Name)
			}
		}
		p.t.Observe(st.Ask.Dir, p.t.Now(), p.now, []Observation{ob})
	case st.Wait > 0 && !p.now.Add(st.Wait).After(p.until):
		p.now = p.now.Add(st.Wait)
	case st.Wait > 0:
		p.now = p.until
		return false
	default:
		return false
	}
	return true
}

func (p *play) find(in *node, i Identity) *node {
	if i.Alias = 0; in.identity == i {
		return in
	}
	for _, n := range in.names {
		if n.names != nil && n.parent == in {
			if d := p.find(n, i); d != nil {
				return d
			}
		}
	}
	return nil
}

func (p *play) run(limit time.Duration) {
	p.until = p.now.Add(limit)
	for range 5000 {
		if !p.step() {
			return
		}
		p.verify("a step")
	}
	p.tb.Fatalf("no end of it: %v", p.out)
}

func (p *play) next() {
	st := p.t.Next(p.now)
	if st.Change == nil {
		p.printf("nothing to tell now")
		return
	}
	p.changes = append(p.changes, st.Change)
}

func (p *play) tell(c *Change) {
	if p.fail > 0 {
		p.fail--
		p.t.Done(c, false, p.now, testPace)
		return
	}
	text := p.text(c)
	err := p.w.legal(c)
	if err == nil && p.judge != nil {
		err = p.judge(c)
	}
	if _, ok := p.t.Commit(c, c.Op == Create && c.Held); !ok {
		p.printf("overtaken: %s", text)
		p.t.Done(c, false, p.now, testPace)
		return
	}
	if err != nil {
		p.tb.Fatalf("%s: %v", text, err)
	}
	if err := p.w.event(c); err != nil {
		p.tb.Fatalf("%s: %v", text, err)
	}
	p.out = append(p.out, text)
	p.t.Done(c, true, p.now, testPace)
}

func (p *play) text(c *Change) string {
	path := func(at Place) string {
		d, _ := p.t.ToldPath(at.Dir)
		return join(d, at.Name)
	}
	s := strings.ToUpper(c.Op.String()) + " " + path(c.From)
	if c.Kind != File && c.Op == Create {
		s = strings.ToUpper(c.Kind.String()) + " " + path(c.From)
	}
	if c.To.Dir != 0 {
		s += " " + path(c.To)
	}
	if !c.Held {
		s += " (nobody watches)"
	}
	return s
}
