package cache

// Parent returns the directory in which the kernel was told of id.
func (t *Tree) Parent(id ID) (ID, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil || len(o.told) == 0 {
		return 0, false
	}
	return o.told[0].Dir, true
}

// Moves changes whenever a directory that the kernel holds may have another parent than before.
func (t *Tree) Moves() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moves
}

// Places returns the names by which the kernel was told of id.
func (t *Tree) Places(id ID) []Place {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil {
		return nil
	}
	return append([]Place(nil), o.told...)
}

// Knows reports whether the kernel was told of an object that e may be.
func (t *Tree) Knows(e *Entry) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.identity[e.key()]
	return o != nil && (len(o.told) > 0 || o.refs > 0)
}

// Below reports whether the kernel was told that id is dir or somewhere in it.
func (t *Tree) Below(id, dir ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o, d := t.byID[id], t.byID[dir]
	return o != nil && d != nil && t.below(o, d)
}

// HasFileID reports whether id is the object that the server knows by that file id.
func (t *Tree) HasFileID(id ID, fileID uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	return o != nil && o.identity.FileID == fileID
}
