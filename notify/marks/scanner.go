package marks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Options of a Scanner. The zero value is useful.
type Options struct {
	Proc   string       // where procfs is mounted; "" is /proc
	Share  float64      // of one processor, for examinations; 0 is DefaultShare
	Logger *slog.Logger // nil is silence
}

// Scanner knows the marks on one mount, as of its last scan.
type Scanner struct {
	device  uint64
	field   []byte // the device, as fdinfo has it
	proc    *proc
	log     *slog.Logger
	budgets [budgets]budget
	scans   uint64
	procs   map[int]*process
	counts  map[uint64]int // of marks, by node id
	touched map[uint64]int // counts before this scan, of those it changed
	whole   int            // groups that watch the whole mount
	scratch content
	queue   []job
	stats   Stats
	lively  time.Time // when a mark or a hint last came or went

	mu    sync.Mutex
	hints map[int]bool // guarded by mu
}

// New makes a Scanner for the mount with this st_dev.
func New(device uint64, opts Options) (*Scanner, error) {
	if opts.Proc == "" {
		opts.Proc = "/proc"
	}
	if opts.Share == 0 {
		opts.Share = DefaultShare
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	p, err := openProc(opts.Proc)
	if err != nil {
		return nil, err
	}
	if !p.clocks {
		opts.Logger.Info("marks: processes' clocks cannot be used; all processes count as running", "proc", opts.Proc)
	}
	now := time.Now()
	s := &Scanner{
		device: device, field: deviceField(device), proc: p, log: opts.Logger,
		procs: map[int]*process{}, counts: map[uint64]int{}, touched: map[uint64]int{},
		hints: map[int]bool{}, lively: now,
	}
	for i := range s.budgets {
		s.budgets[i] = newBudget(opts.Share/budgets, now)
	}
	return s, nil
}

// Close gives up /proc. No scan may follow or be going on.
func (s *Scanner) Close() error { return s.proc.close() }

// hintTime is how long a process is examined before others after it was named: programs
// look a directory up, and often list it, before they watch it.
const hintTime = 5 * time.Second

// maxHints is how many threads are remembered from one scan to the next.
const maxHints = 64

// Hint says that a thread, by its id as FUSE requests have it, has just used the mount as one
// does that is about to watch. It may be called by any goroutine, and returns at once.
func (s *Scanner) Hint(tid uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.hints) < maxHints {
		s.hints[int(tid)] = true
	}
}

// takeHints finds the processes of the threads that were named.
func (s *Scanner) takeHints(now time.Time) {
	s.mu.Lock()
	hints := s.hints
	s.hints = map[int]bool{}
	s.mu.Unlock()
	for tid := range hints {
		p := s.procs[tid]
		if p == nil {
			p = s.procs[s.proc.leader(tid)]
		}
		if p != nil {
			p.hintedUntil = now.Add(hintTime)
			s.lively = now
		}
	}
}

// Result is what a scan found.
type Result struct {
	// Added have a mark and had none after the scan before; Removed the other way round.
	// They are node ids, in ascending order. A node may be unknown by now.
	Added, Removed []uint64

	// Whole is true while a fanotify mark is on the whole mount or file system.
	Whole bool

	// Next is when to scan again, counted from the end of this scan.
	Next time.Duration

	Stats Stats
}

// Stats describe one scan, and what is known after it.
type Stats struct {
	Processes  int // listed
	Unreadable int // of these: may not be read, as far as it was tried
	Groups     int // inotify and fanotify descriptors known
	Marked     int // nodes with a mark
	Nameless   int // marks on the mount whose node the kernel does not tell
	Ran        int // processes that ran since the scan before, or are new
	Examined   int // lists of descriptors and fdinfo files read by this scan
	Deferred   int // examinations that are due and wait for the budget

	Base time.Duration // processor time of the listing of /proc
	Cost time.Duration // processor time of all
}

// Marked gives the number of marks on a node.
func (s *Scanner) Marked(node uint64) int { return s.counts[node] }

// Scan brings what is known up to date, as far as the budget allows; the first scan examines
// all. If ctx ends it stops early: what it found so far is in the result all the same, and
// the rest stays due.
func (s *Scanner) Scan(ctx context.Context) (Result, error) {
	runtime.LockOSThread() // for its clock
	defer runtime.UnlockOSThread()
	start, now := threadTime(), time.Now()
	s.scans++
	s.stats = Stats{}
	err := s.list(now)
	s.stats.Base = threadTime() - start
	if err == nil {
		err = s.examine(ctx, now)
	}
	result := s.result()
	result.Next = s.next(now, len(result.Added)+len(result.Removed) > 0)
	result.Stats.Cost = threadTime() - start
	if err != nil {
		return result, fmt.Errorf("marks: scan: %w", err)
	}
	return result, nil
}

// list finds which processes are new, gone, or have run.
func (s *Scanner) list(now time.Time) error {
	if err := s.proc.processes(s.see); err != nil {
		return err
	}
	for pid, p := range s.procs {
		if p.listed != s.scans {
			s.drop(p)
			delete(s.procs, pid)
		}
	}
	s.stats.Processes = len(s.procs)
	s.takeHints(now)
	return nil
}

// see takes note of one process. Its clock is read before anything else of it is: what it
// does later makes the clock advance once more.
func (s *Scanner) see(pid int, ino uint64) {
	p := s.procs[pid]
	if p != nil && p.ino != ino {
		s.drop(p)
		p = nil
	}
	cpu, ok := s.proc.cpuTime(pid)
	fresh := p == nil
	if fresh {
		p = &process{pid: pid, ino: ino, changed: true}
		s.procs[pid] = p
	}
	p.listed = s.scans
	if ok && !fresh && cpu == p.cpu {
		return
	}
	s.stats.Ran++
	p.cpu, p.due = cpu, true
	for _, g := range p.groups {
		g.due = true
	}
	if !fresh && !p.denied && !p.changed {
		count, err := s.proc.fdCount(pid)
		p.changed = err == nil && count != p.count
	}
}

// examine does what is due, the most urgent first.
func (s *Scanner) examine(ctx context.Context, now time.Time) error {
	s.queue = s.queue[:0]
	for _, p := range s.procs {
		s.queue = p.jobs(s.queue, now)
	}
	slices.SortFunc(s.queue, func(a, b job) int {
		if a.class != b.class {
			return a.class - b.class
		}
		switch {
		case a.ratio > b.ratio:
			return -1
		case a.ratio < b.ratio:
			return 1
		}
		return 0
	})
	surplus := time.Duration(0)
	for i := range s.budgets {
		surplus += s.budgets[i].earn(now)
	}
	for i := range s.budgets {
		surplus = s.budgets[i].add(surplus)
	}
	for _, j := range s.queue {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		payer, ok := s.payer(&j)
		if !ok {
			s.stats.Deferred++
			continue
		}
		start := threadTime()
		s.do(&j, now)
		if s.scans > 1 {
			s.pay(payer, threadTime()-start)
		}
	}
	return nil
}

// payer finds the budget that a job can be done from. The first scan is free.
func (s *Scanner) payer(j *job) (payer int, ok bool) {
	payer = paysSmall
	if j.cost() > small {
		payer = paysLarge
	}
	if j.class == classHinted && s.budgets[paysHinted].open() {
		payer = paysHinted
	}
	return payer, s.scans == 1 || s.budgets[payer].open()
}

// pay takes the cost from a budget. What a small examination cost more than it should have
// is a large one's.
func (s *Scanner) pay(payer int, cost time.Duration) {
	if payer == paysSmall && cost > small {
		s.budgets[paysLarge].spend(cost - small)
		cost = small
	}
	s.budgets[payer].spend(cost)
}

// do does a job. A new group is read with the listing that found it.
func (s *Scanner) do(j *job, now time.Time) {
	if j.g != nil {
		// The listing may have found it closed.
		if j.p.groups[j.g.fd] == j.g {
			s.read(j.p, j.g, now)
		}
		return
	}
	for _, g := range s.listGroups(j.p, now) {
		s.read(j.p, g, now)
	}
}

// listGroups finds the groups of a process, and gives those that are new.
func (s *Scanner) listGroups(p *process, now time.Time) (found []*group) {
	start := threadTime()
	fds, count, err := s.proc.descriptors(p.pid)
	p.due, p.changed, p.listedAt, p.count = false, false, now, count
	p.denied = errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
	if err != nil {
		fds = nil // it has ended, or changed its user
	}
	for fd, g := range p.groups {
		if !slices.Contains(fds, fd) {
			s.forget(g)
			delete(p.groups, fd)
		}
	}
	for _, fd := range fds {
		if p.groups[fd] != nil {
			continue
		}
		if p.groups == nil {
			p.groups = map[int]*group{}
		}
		g := &group{fd: fd, due: true}
		p.groups[fd] = g
		found = append(found, g)
	}
	s.stats.Examined++
	p.cost = threadTime() - start
	return found
}

// read brings a group up to date. One that cannot be read has ended, or is not ours to read
// any more.
func (s *Scanner) read(p *process, g *group, now time.Time) {
	start := threadTime()
	g.due, g.readAt = false, now
	if err := s.proc.read(p.pid, g.fd, s.field, &s.scratch); err != nil {
		s.log.Debug("marks: read", "pid", p.pid, "fd", g.fd, "error", err)
		s.scratch.reset()
	}
	if len(s.scratch.mounts) > 0 && !s.scratch.whole {
		s.scratch.whole = s.marksOurMount(p.pid, s.scratch.mounts)
	}
	s.replace(g, &s.scratch)
	s.stats.Examined++
	g.cost = threadTime() - start
}

func (s *Scanner) marksOurMount(pid int, ids []uint64) bool {
	ours, err := s.proc.mountIDs(pid, s.device)
	if err != nil {
		s.log.Debug("marks: mountinfo", "pid", pid, "error", err)
	}
	return slices.ContainsFunc(ids, func(id uint64) bool { return ours[id] })
}
