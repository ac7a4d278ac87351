package marks

import "time"

// process is what is known of one.
type process struct {
	pid    int
	ino    uint64 // of its directory in /proc
	listed uint64 // the last scan that saw it

	cpu     time.Duration // its clock, as read before its last examination became due
	due     bool          // it has run since its descriptors were listed
	changed bool          // it is new, or has another number of descriptors
	denied  bool          // it may not be read

	hintedUntil time.Time

	count    int64 // of descriptors, when last listed
	listedAt time.Time
	cost     time.Duration // of listing the descriptors
	groups   map[int]*group
}

// group is an inotify or fanotify descriptor: an fsnotify group in the kernel's words.
type group struct {
	fd     int
	due    bool // the process has run since it was read
	readAt time.Time
	cost   time.Duration // of reading it

	nodes    []uint64 // as in content
	whole    bool     // it watches the file system, or a mount of it
	nameless int
}

// job is one examination that is due: of a group, or of a process's descriptors.
type job struct {
	p     *process
	g     *group // nil: list the descriptors
	class int
	ratio float64 // time waited in proportion to the cost
}

// Classes of jobs, the most urgent first.
const (
	classHinted = iota
	classChanged
	classRan
	classOld
)

// refresh is the time after which all is examined again, run or not.
const refresh = 5 * time.Minute

// deniedCost ranks the next attempt to read a process that may not be read, which is cheap,
// behind those that may.
const deniedCost = 100 * time.Microsecond

func (j *job) cost() time.Duration {
	if j.g != nil {
		return j.g.cost
	}
	return j.p.cost
}

// jobs adds what is due of a process.
func (p *process) jobs(to []job, now time.Time) []job {
	if class, ok := p.class(p.due, p.listedAt, now); ok {
		if p.changed {
			class = min(class, classChanged)
		}
		cost := p.cost
		if p.denied {
			cost = max(cost, deniedCost)
		}
		to = append(to, job{p: p, class: class, ratio: ratio(p.listedAt, cost, now)})
	}
	for _, g := range p.groups {
		if class, ok := p.class(g.due, g.readAt, now); ok {
			to = append(to, job{p: p, g: g, class: class, ratio: ratio(g.readAt, g.cost, now)})
		}
	}
	return to
}

func (p *process) class(due bool, last, now time.Time) (int, bool) {
	switch {
	case due && now.Before(p.hintedUntil):
		return classHinted, true
	case due:
		return classRan, true
	}
	return classOld, now.Sub(last) >= refresh
}

// ratio lets what is cheap be examined often and what is costly seldom, and both for sure.
func ratio(last time.Time, cost time.Duration, now time.Time) float64 {
	return float64(now.Sub(last)) / float64(max(cost, time.Microsecond))
}
