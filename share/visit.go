package share

import "time"

// Visit returns the directory at path to be asked without handles that stay: each question opens it
// and closes it again. It cannot be awaited. id is the file id that the directory must have.
func (s *Share) Visit(path string, id uint64) *Directory {
	return &Directory{share: s, line: s.lister(), path: path, id: id}
}

// Standing reports whether the directory has a handle of its own, by which it is watched.
func (d *Directory) Standing() bool { return d.notify != nil }

// freshLine is how long a connection that was made anew has to last before directories that are not watched are listed by it.
const freshLine = 10 * time.Second

// lister is the connection by which directories are listed that are not watched: the first one for watches, or, while that is down or has
// just come back, the one for work.
func (s *Share) lister() *Line {
	w := s.watches.first.Status()
	if (!w.Up || w.Reconnects > 0 && time.Since(w.Since) < freshLine) && s.work.isUp() {
		return s.work
	}
	return s.watches.first
}

// SteadySince is since when the connection for work has been up; zero: it is down.
func (s *Share) SteadySince() time.Time {
	if st := s.work.Status(); st.Up {
		return st.Since
	}
	return time.Time{}
}
