package cache

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStories plays testdata/stories: after "-- name --" comes a script (see play) up to
// "Output:", then what is expected to be told.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		stories := strings.Split("\n"+string(text), "\n-- ")[1:]
		if len(stories) == 0 {
			t.Errorf("%s: no story", file)
		}
		for _, story := range stories {
			name, rest, ok1 := strings.Cut(story, " --\n")
			script, want, ok2 := strings.Cut(rest, "\nOutput:\n")
			if !ok1 || !ok2 {
				t.Errorf("%s: not a story: %q", file, story)
				continue
			}
			t.Run(name, func(t *testing.T) {
				got := perform(t, script)
				if want = strings.TrimSpace(want); got != want {
					t.Errorf("%s\ngot:\n%s\nwant:\n%s", script, got, want)
				}
			})
		}
	}
}
