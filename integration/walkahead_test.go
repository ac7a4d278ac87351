package integration

import (
	"fmt"
	"os"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// TestWalkIsListedAhead: who opens the directories of one after the other, as find does, finds those that come next listed, twice as many each time;
// also those that come after the one above. Who opens them in any other order, or slowly, has nothing listed that he does not ask for.
func TestWalkIsListedAhead(t *testing.T) {
	t.Parallel()
	const (
		each = 2 // a listing is one message with two questions
		long = time.Hour
	)
	s := plainSamba(t)
	root := folder(t, s)
	var all []string
	for _, top := range []string{"a", "b", "c"} {
		all = append(all, top)
		for d := range 6 {
			all = append(all, fmt.Sprintf("%s/d%d", top, d))
		}
	}
	for _, name := range all {
		must(t, os.MkdirAll(s.Path(root, name), 0o755))
		must(t, os.WriteFile(s.Path(root, name, "leaf"), nil, 0o644))
	}
	for _, c := range []struct {
		name   string
		good   time.Duration // how long attributes are; each directory is opened that long after the one before if it is short
		opened []string
		ahead  []string // listed besides
		not    string   // not listed
	}{
		{"one after the other", long, []string{"a", "a/d0", "a/d1", "a/d2"}, []string{"a/d3", "a/d4"}, "a/d5"},
		{"and the next", long, []string{"a", "a/d0", "a/d1", "a/d2", "a/d3"}, []string{"a/d4", "a/d5", "b", "c"}, "b/d0"},
		{"the first of the next", long, []string{"a", "b", "b/d0", "b/d1"}, []string{"b/d2", "b/d3", "b/d4", "b/d5", "c"}, "a/d0"},
		{"the first alone", long, []string{"a", "a/d0"}, nil, "a/d1"},
		{"some", long, []string{"a", "a/d4", "a/d1", "a/d3", "a/d0"}, nil, "a/d2"},
		{"the same again", long, []string{"a", "a/d2", "a/d2", "a/d2"}, nil, "a/d3"},
		{"slowly", time.Second, []string{"a", "a/d0", "a/d1", "a/d2"}, nil, "a/d3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := testenv.MustMount(t, testenv.MountOptions{Samba: s, Path: "/" + root,
				Options: []string{"notify=off", fmt.Sprintf("actimeo=%.0f", c.good.Seconds())}})
			if _, err := os.ReadDir(m.Mountpoint); err != nil {
				t.Fatal(err)
			}
			settled := func() int64 {
				n := int64(-1)
				testenv.WaitUntil(stepTimeout, func() bool { before := n; n = questions(t, m); return n == before })
				return n
			}
			before := settled()
			for _, name := range c.opened {
				if c.good != long {
					time.Sleep(c.good) // the time-out is what is measured
				}
				list := try[[]os.DirEntry](t)(os.ReadDir(m.Path(name)))
				if len(list) == 0 || list[len(list)-1].Name() != "leaf" {
					t.Errorf("%s has %v", name, list)
				}
				settled()
			}
			distinct := map[string]bool{}
			for _, name := range append(c.opened, c.ahead...) {
				distinct[name] = true
			}
			if got, want := settled()-before, int64(each*len(distinct)); c.good == long && got != want {
				t.Errorf("%d questions, want %d", got, want)
			}
			look := func(names ...string) int64 {
				before := questions(t, m)
				for _, name := range names {
					if _, err := os.Stat(m.Path(name, "leaf")); err != nil {
						t.Error(err)
					}
				}
				return questions(t, m) - before
			}
			if n := look(c.ahead...); n != 0 {
				t.Errorf("%d questions for what was listed ahead", n)
			}
			if look(c.not) == 0 {
				t.Errorf("%s was listed for nobody", c.not)
			}
		})
	}
}
