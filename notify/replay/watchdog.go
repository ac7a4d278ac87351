package replay

import (
	"bytes"
	"fmt"
	"os"
	"time"
)

// watch looks for calls that stall, and for a process that is dead but for a thread
// whose FUSE request is unanswered: such a one keeps its sockets and cannot be waited
// for, so nothing else would tell.
func (p *process) watch() {
	cfg := &p.helper.cfg
	tick := time.NewTicker(min(time.Second, cfg.StallAfter/4))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-p.lost:
			return
		case <-p.stopping:
			return
		}
		if p.isDying() {
			cfg.Logger.Warn("replay helper is dying with a request to the mount unanswered", "pid", p.pid)
			p.markLost()
			return
		}
		for _, w := range p.allWorkers() {
			if p.newlyStalled(w) && !p.activate(classOf(Op(w.op.Load()))) {
				cfg.Logger.Warn("replay: no spare worker is left", "pid", p.pid)
			}
		}
	}
}

// newlyStalled tells of each call once.
func (p *process) newlyStalled(w *worker) bool {
	since := w.since.Load()
	if since == 0 || time.Since(time.Unix(0, since)) < p.helper.cfg.StallAfter {
		return false
	}
	if !w.stalled.CompareAndSwap(false, true) {
		return false
	}
	p.helper.cfg.Logger.Warn("replay stalled", "pid", p.pid, "call", Op(w.op.Load()),
		"since", time.Unix(0, since))
	return true
}

// isDying: the first thread has ended, which it does only with the process.
func (p *process) isDying() bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return false
	}
	// proc_pid_stat(5): pid (comm) state …; comm may hold anything.
	_, state, ok := bytes.Cut(b[max(0, bytes.LastIndexByte(b, ')')):], []byte(" "))
	return ok && len(state) > 0 && (state[0] == 'Z' || state[0] == 'X')
}
