package share

// Visit returns the directory at path to be asked without handles that stay: each question opens it
// and closes it again. It cannot be awaited. id is the file id that the directory must have.
func (s *Share) Visit(path string, id uint64) *Directory {
	return &Directory{share: s, line: s.watches.first, path: path, id: id}
}

// Standing reports whether the directory has a handle of its own, by which it is watched.
func (d *Directory) Standing() bool { return d.notify != nil }
