package cache

import "time"

// Recognising an object again is a matter of evidence. The file id must be the same, but servers
// reuse ids at once. The creation time should be the same, but Samba makes it up where it has
// none stored: of the oldest of the other times, with a fraction of a second that a change of
// permissions alters. Size and modification time together cannot be those of another object,
// but do change. And a notification that says that a name was removed or added is evidence of a
// new object, but may be the late echo of one that is known.

// key finds an object by what never changes of it.
type key struct {
	fileID uint64
	kind   Kind
	alias  ID
}

func (i Identity) key() key { return key{i.FileID, i.Kind, i.Alias} }

// slack is how much a creation time may differ and still be of the same object, if other
// evidence is for it: a FILETIME of one second.
const slack = int64(time.Second / 100)

func near(a, b int64) bool { return a-b < slack && b-a < slack }

// sameAs reports whether e is surely o, wherever it is: the id, and a time that a new object
// cannot have. Preconditions: Tree.mu is held.
func (o *object) sameAs(e *Entry) bool {
	return o.opens > o.closing || o.identity.Created == e.Created || o.attr.sameContent(e.Attr)
}

// staysAs reports whether e, at a name that was o's, is still o. Preconditions: Tree.mu is held.
func (o *object) staysAs(e *Entry, hint Hint) bool {
	if o.identity.FileID != e.FileID || o.identity.Kind != e.Kind {
		return false
	}
	switch {
	case o.sameAs(e) || hint&(HintRemoved|HintAdded) == 0:
		return true
	case hint&HintRemoved != 0:
		return false
	}
	return near(o.identity.Created, e.Created)
}

// object returns the object that e describes, which may have come from elsewhere; it is made if
// it is new. Preconditions: t.mu is held.
func (t *Tree) object(e Entry, hint Hint) *object {
	if o := t.identity[e.key()]; o != nil {
		if o.sameAs(&e) || hint&HintRenamed != 0 && near(o.identity.Created, e.Created) {
			o.identity.Created = e.Created
			return o
		}
	}
	t.lastID++
	o := &object{id: t.lastID, identity: e.Identity, attr: e.Attr}
	if e.Kind == Directory {
		o.dir = newDirectory()
	}
	t.byID[o.id] = o
	t.identity[e.key()] = o
	return o
}
