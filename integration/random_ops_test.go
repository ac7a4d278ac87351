package integration

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"smbfs/integration/testenv"
)

// gen makes random changes. What there is to change it sees on the server's own file system.
type gen struct {
	rnd     *rand.Rand
	server  string
	actors  []randomActor
	linked  map[uint64]bool // inodes of the server that have or had several names
	fresh   map[string]bool // directories made since the last quiet point, by path
	removed []string        // what local programs removed since
	told    func() (dirs, files []string)
	dirs    int      // at most so many directories
	files   int      // at most so many files
	history []string // since the last quiet point
}

// randomActor is somebody who makes changes, and how often it is his turn.
type randomActor struct {
	name   string
	share  int // of 100
	actor  actor
	remote bool // works with what the server has; else with what the mount has told
	noLink bool
	words  []string
}

// words are few, so that names are used again and again. Local programs have names of their own for what is
// new: one that the server has and that is yet to be told may be seen by who asks for it, and what he then does with it is told at once.
var (
	words      = []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	localWords = []string{"l", "m", "n", "o"}
)

func (g *gen) pick(list []string) string { return list[g.rnd.IntN(len(list))] }

// now lists the server's folder.
func (g *gen) now() (dirs, files []string) {
	dirs = []string{"."}
	_ = filepath.WalkDir(g.server, func(p string, d os.DirEntry, err error) error {
		rel, relErr := filepath.Rel(g.server, p)
		if err == nil && relErr == nil && rel != "." {
			if d.IsDir() {
				dirs = append(dirs, rel)
			} else {
				files = append(files, rel)
			}
		}
		return nil
	})
	return dirs, files
}

func (g *gen) who() randomActor {
	n := g.rnd.IntN(100)
	for _, a := range g.actors {
		if n -= a.share; n < 0 {
			return a
		}
	}
	return g.actors[0]
}

// expected are the errors of somebody whose picture of the folder lags behind: ESTALE is what a
// directory gives that is gone, or on its way elsewhere, and has not been told so.
var expected = []error{syscall.ESTALE, syscall.ENOENT, syscall.EEXIST, syscall.ENOTDIR, syscall.EISDIR, syscall.ENOTEMPTY}

// step makes one random change and says what went wrong in a way that it must not.
func (g *gen) step() error {
	a := g.who()
	line := g.line(a)
	if line == "" {
		return nil
	}
	if i := strings.LastIndexByte(line, ' '); !a.remote && strings.HasPrefix(line, "rm") {
		g.removed = append(g.removed, line[i+1:])
	}
	err := runStep(a.actor, line)
	g.history = append(g.history, fmt.Sprintf("%s %s: %s: %v", time.Now().Format("15:04:05.000"), a.name, line, err))
	if err == nil || a.remote {
		return nil // a second client has failures of its own: files that are open, names about to go
	}
	for _, e := range expected {
		if errors.Is(err, e) {
			return nil
		}
	}
	return fmt.Errorf("%s: %s: %w", a.name, line, err)
}

func depth(dir string) int {
	if dir == "." {
		return 0
	}
	return strings.Count(dir, "/") + 1
}

// line is the next step of the script for an actor, empty if it makes no sense now.
func (g *gen) line(a randomActor) string {
	words := a.words
	dirs, files := g.now()
	if !a.remote {
		dirs, files = g.told()
	}
	if len(files) < 4 || (len(files) < g.files && g.rnd.IntN(100) < 30) {
		return fmt.Sprintf("write %s %s", path.Join(g.pick(dirs), g.pick(words)+".f"), g.text())
	}
	if len(files) > g.files {
		return "rm " + g.pick(files)
	}
	f := g.pick(files)
	switch n := g.rnd.IntN(100); {
	case n < 14:
		return "append " + f + " " + g.text()
	case n < 22:
		return fmt.Sprintf("truncate %s %d", f, g.rnd.IntN(100))
	case n < 30:
		return "overwrite " + f + " " + g.text()
	case n < 42:
		return fmt.Sprintf("mv %s %s", f, path.Join(path.Dir(f), g.pick(words)+".f"))
	case n < 56:
		return fmt.Sprintf("mv %s %s", f, path.Join(g.pick(dirs), g.pick(words)+".f"))
	case n < 66:
		return "rm " + f
	case n < 70:
		return g.link(a, f, dirs)
	default:
		return g.dirLine(a, dirs)
	}
}

func (g *gen) dirLine(a randomActor, dirs []string) string {
	d := g.pick(dirs)
	n := g.rnd.IntN(30)
	if len(dirs) < 4 || (n < 12 && len(dirs) < g.dirs) {
		if depth(d) > 3 {
			return ""
		}
		name := path.Join(d, g.pick(a.words))
		g.fresh[name] = true
		return "mkdir " + name
	}
	if d == "." || g.isFresh(d) {
		return ""
	}
	switch {
	case n < 16:
		return "rmdir " + d
	case n < 20:
		return "rm -r " + d
	default:
		to := g.pick(dirs)
		if to == d || strings.HasPrefix(to, d+"/") || depth(to) > 2 || g.isFresh(to) {
			to = path.Dir(d)
		}
		to = path.Join(to, g.pick(a.words))
		if g.isFresh(to) { // a name used twice
			return ""
		}
		return fmt.Sprintf("mv %s %s", d, to)
	}
}

// isFresh says whether a directory appeared under this name since the last quiet point.
// Those are not moved or removed: a watcher marks a directory by name, so which of several it
// marks is a matter of luck on any file system.
func (g *gen) isFresh(dir string) bool {
	for ; dir != "."; dir = path.Dir(dir) {
		if g.fresh[dir] {
			return true
		}
	}
	return false
}

// removedHere says whether a local program removed a name or a directory above it.
func (g *gen) removedHere(name string) bool {
	return slices.ContainsFunc(g.removed, func(r string) bool { return name == r || strings.HasPrefix(name, r+"/") })
}

func (g *gen) link(a randomActor, f string, dirs []string) string {
	if a.noLink {
		return ""
	}
	if st, err := os.Lstat(filepath.Join(g.server, f)); err == nil {
		g.linked[st.Sys().(*syscall.Stat_t).Ino] = true
	}
	return fmt.Sprintf("ln %s %s", f, path.Join(g.pick(dirs), g.pick(a.words)+".l"))
}

// text has no spaces, see runStep; its length says little about its content.
func (g *gen) text() string {
	return strings.Repeat(fmt.Sprintf("%08x", g.rnd.Uint32()), g.rnd.IntN(40)) + "."
}

func (g *gen) hadLinks(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && (st.Nlink > 1 || g.linked[st.Ino])
}

// burst makes n changes, mostly as fast as it can.
func (g *gen) burst(n int) error {
	for range n {
		if err := g.step(); err != nil {
			return err
		}
		if g.rnd.IntN(8) == 0 {
			time.Sleep(time.Duration(g.rnd.IntN(60)) * time.Millisecond)
		}
	}
	return nil
}

// flood makes n changes of files in one directory at once, more than a server remembers.
func (g *gen) flood(n int) error {
	dirs, _ := g.now()
	d := g.pick(dirs)
	server := folderActor(g.server)
	for i := range n {
		name := path.Join(d, fmt.Sprintf("flood%d.f", g.rnd.IntN(100)))
		var line string
		switch g.rnd.IntN(4) {
		case 0:
			line = "rm " + name
		case 1:
			line = fmt.Sprintf("mv %s %s", name, path.Join(d, fmt.Sprintf("flood%d.f", g.rnd.IntN(100))))
		default:
			line = "write " + name + " " + g.text()
		}
		if err := runStep(server, line); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if i < 20 {
			g.history = append(g.history, "server: "+line)
		}
	}
	return nil
}

// randomActors are who takes part.
func randomActors(s *testenv.Samba, peer *testenv.Peer, dir, mount string, c randomMode) []randomActor {
	second := randomActor{name: "client", share: 15, actor: peerActor{peer, s, dir}, remote: true, noLink: true, words: words}
	local := randomActor{name: "mount ", share: 15, actor: folderActor(mount), words: localWords}
	if c.peer {
		second.share = 80
		return []randomActor{second, local}
	}
	return []randomActor{{name: "server", share: 100 - second.share - local.share, actor: folderActor(s.Path(dir)), remote: true, words: words}, second, local}
}
