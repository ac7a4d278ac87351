package cache

import (
	"sync"
	"time"
)

// ID names an object for as long as the tree knows it. It serves as the FUSE node id and is
// never given to a second object.
type ID uint64

// RootID is the share's root directory (FUSE_ROOT_ID), NowhereID the directory in which nobody looks.
const (
	RootID    ID = 1
	NowhereID ID = 1 << 63
)

// Stamp is a moment in the order of events that the tree has seen. An answer of the server is
// only as good as the stamp taken before the question was sent.
type Stamp uint64

// Place is a name in a directory.
type Place struct {
	Dir  ID
	Name string
}

// Tree is everything known of one share. All its methods may be called at any time.
type Tree struct {
	mu        sync.Mutex
	clock     Stamp
	lastID    ID
	byID      map[ID]*object
	identity  map[key]*object // the latest of each key
	hold      time.Duration   // how long a vanished object may turn up elsewhere
	watched   int             // directories that are watched
	moves     uint64          // how often a directory that the kernel holds was told somewhere
	unsettled bool            // some of them are out of sight for the moment
	behind    time.Time       // what was notified since has not all been looked at; zero: all has
	kick      chan struct{}   // capacity 1: something became dirty
	dirty     []*object       // directories with something to tell, in order
	later     timers          // what is to be looked at when its time has come
}

// object is a file, a directory or a symbolic link.
//
// INVARIANT: places in told and truth are exactly the slots that point here.
type object struct {
	id       ID
	identity Identity
	attr     Attr
	asOf     Stamp     // the answer that attr comes from
	seen     time.Time // and when it was asked for
	version  Stamp     // the last start or end of an own change of content or attributes
	refs     uint64    // what the kernel holds: lookups not yet forgotten
	opens    int32     // own handles open
	closing  int32     // of these, those whose CLOSE was sent
	writers  int32     // of these, those that may write
	early    int32     // slots that show it early
	changing int32     // own changes of content or attributes under way
	doubt    doubt     // what own changes leave unknown
	todo     todo      // what there is to tell of it besides its names
	told     []Place
	truth    []Place
	dir      *directory // nil for anything but a directory
	security Security
	rhythm   *rhythm // see rhythmOf
}

// rhythm is when changes of an object's content are told. Most objects have none.
type rhythm struct {
	settled  time.Time // when a change was last told, or made here
	modifyAt time.Time // the next MODIFY is not told before
	restAt   time.Time // the content is at rest if nothing changes up to then
	at       Place     // the name under which content was last told
	deferred bool      // a MODIFY waits in Tree.later
	resting  bool      // a CLOSE_WRITE waits in Tree.later
}

// Preconditions: Tree.mu is held.
func (o *object) rhythmOf() *rhythm {
	if o.rhythm == nil {
		o.rhythm = &rhythm{}
	}
	return o.rhythm
}

// directory is a snapshot of a directory's names.
type directory struct {
	slots    map[string]*slot    // nil: none yet
	folded   map[string]int      // how many slots each upper-case name has; built when first needed
	complete Stamp               // names without a slot do not exist, as of this stamp; 0: unknown
	listed   time.Time           // when that was asked for
	unread   map[string]struct{} // names that were there when complete became known, and could not be taken then: no news
	told     int                 // slots with a told occupant
	dirty    []string            // names with something to tell, in order
	again    time.Time           // in Tree.later up to then
	hidden   map[string]struct{} // names of our own that are shown to nobody
	gone     map[string]Stamp    // names whose slot went: how old an answer about them must not be
	removed  Stamp               // the same for names that were taken out of gone
	looked   bool                // a listing was ever compared
	news     newsSince           // what a first listing finds and is news all the same
	watched  bool                // changes are to be told
	pinned   bool                // and a local program listens
	leaving  bool                // it is being told gone, what is in it first; it never comes back
	queued   bool                // in Tree.dirty
	busy     bool                // somebody is telling a change of this directory
}

// slot is one name in both views.
type slot struct {
	told, truth *object
	early       *object   // not told, and yet shown to somebody: it will be, though it be gone by then
	asOf        Stamp     // the answer that truth comes from
	moved       Stamp     // when truth last changed to another object
	version     Stamp     // the last start or end of an own operation on this name
	busy        int32     // own operations on this name under way
	queued      bool      // in directory.dirty
	arrived     bool      // truth was elsewhere before, where nobody looks
	yielded     bool      // has let the other directory of a rename go first
	notBefore   time.Time // a disappearance waits this long for the object to turn up elsewhere
	askedUntil  time.Time // the question for this name that another name waits for is on its way
}

// todo is what there is to tell about an object besides its names.
type todo uint8

const (
	todoModify todo = 1 << iota
	todoAttrib
	todoClose
)

// New returns a tree whose root is e. A vanished object is waited for elsewhere during hold.
func New(root Entry, hold time.Duration) *Tree {
	t := &Tree{
		byID:     map[ID]*object{},
		identity: map[key]*object{},
		hold:     hold,
		kick:     make(chan struct{}, 1),
		lastID:   RootID,
	}
	o := &object{id: RootID, identity: root.Identity, attr: root.Attr, refs: 1, dir: newDirectory()}
	t.byID[RootID] = o // and in no other table: nothing in it is the root, whatever its id.
	return t
}

func newDirectory() *directory { return &directory{} }

// Now returns a stamp for a question about to be sent.
func (t *Tree) Now() Stamp {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tick()
}

// Preconditions: t.mu is held.
func (t *Tree) tick() Stamp {
	t.clock++
	return t.clock
}

// directory returns the directory id, or nil. Preconditions: t.mu is held.
func (t *Tree) directory(id ID) (*object, *directory) {
	o := t.byID[id]
	if o == nil {
		return nil, nil
	}
	return o, o.dir
}

// slot returns the slot of name in d, made if create is set. Preconditions: t.mu is held.
func (d *directory) slot(name string, create bool) *slot {
	s := d.slots[name]
	if s == nil && create {
		if d.slots == nil {
			d.slots = map[string]*slot{}
		}
		s = &slot{}
		d.slots[name] = s
		if d.folded != nil {
			d.folded[fold(name)]++
		}
	}
	return s
}
