package share

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// watchesPerLine is how many directories one connection watches before another is made: for each event Samba's process for a connection
	// looks through all that is open on it, and Windows allows 512 requests that wait.
	watchesPerLine = 500
	// mostWatchLines bounds the connections for watches. When there are so many, each takes more.
	mostWatchLines = 8
	// noFurther is how long no further connection is tried after one was refused.
	noFurther = time.Minute
	// lineIdle is how long a further connection stays that watches nothing.
	lineIdle = time.Minute
)

// watchLines are the connections for watches. The first is there all the time, and made anew when it is lost. Further ones are made when there are
// many directories, and given up when they are lost or have none: what they watched is watched by another.
type watchLines struct {
	first   *Line
	dial    func(ctx context.Context, number int) (*Line, error) // nil: there are no further ones; set before use
	lost    func()                                               // called when a further one is lost; does not wait; set before use
	closing sync.WaitGroup

	mu        sync.Mutex
	held      map[*Line]int             // guarded by mu: directories on each
	further   [mostWatchLines - 1]*Line // guarded by mu; nil: none
	dialing   bool                      // guarded by mu
	notBefore time.Time                 // guarded by mu: when another may be tried
}

// take returns the connection for one more directory. give gives its place back.
func (w *watchLines) take(ctx context.Context) *Line {
	w.mu.Lock()
	defer w.mu.Unlock()
	l, free := w.first, -1
	for i, f := range w.further {
		switch {
		case f == nil && free < 0:
			free = i
		case f != nil && w.held[f] < w.held[l]:
			l = f
		}
	}
	if w.held[l] >= watchesPerLine && free >= 0 && w.dial != nil && !w.dialing && time.Now().After(w.notBefore) {
		if f := w.another(ctx, free); f != nil {
			l = f
		}
	}
	w.held[l]++
	return l
}

// another makes a further connection; it returns nil if that cannot be. Preconditions: w.mu is held; it is not while the server is asked.
func (w *watchLines) another(ctx context.Context, i int) *Line {
	w.dialing = true
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	l, err := w.dial(ctx, i+2)
	cancel()
	w.mu.Lock()
	w.dialing = false
	if err != nil {
		w.notBefore = time.Now().Add(noFurther)
		w.first.log.Info("no further connection for watches", "err", err)
		return nil
	}
	l.notify(func(up bool) {
		if !up && w.remove(l, true) {
			w.lost()
		}
	})
	if !l.isUp() {
		w.leave(l)
		return nil
	}
	w.further[i] = l
	return l
}

// give gives back a directory's place.
func (w *watchLines) give(l *Line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held[l] == 0 {
		return // the connection was given up
	}
	if w.held[l]--; w.held[l] == 0 && l != w.first {
		time.AfterFunc(lineIdle, func() { w.remove(l, false) })
	}
}

// remove gives up a further connection, if it is there, and unless it is in use and not lost.
func (w *watchLines) remove(l *Line, lost bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, f := range w.further {
		if f != l || !lost && w.held[l] > 0 {
			continue
		}
		w.further[i] = nil
		delete(w.held, l)
		w.leave(l)
		return true
	}
	return false
}

// leave closes a further connection, and does not wait for that.
func (w *watchLines) leave(l *Line) {
	w.closing.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
		defer cancel()
		l.Close(ctx)
	})
}

// others are the further connections.
func (w *watchLines) others() []*Line {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.further
	return slices.DeleteFunc(all[:], func(l *Line) bool { return l == nil })
}

// close gives up all further connections.
func (w *watchLines) close() {
	for _, l := range w.others() {
		w.remove(l, true)
	}
	w.closing.Wait()
}

// status is how each connection does, the first one first.
func (w *watchLines) status() []LineStatus {
	s := []LineStatus{w.first.Status()}
	for _, l := range w.others() {
		s = append(s, l.Status())
	}
	return s
}
