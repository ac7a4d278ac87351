package cache

import "testing"

func TestHintThen(t *testing.T) {
	for _, c := range []struct {
		why  string
		said []Hint
		want Hint
	}{
		{"renamed away and made again", []Hint{HintRemoved, HintAdded}, HintRemoved | HintAdded},
		{"renamed to, renamed away, made again", []Hint{HintRenamed, HintRemoved, HintAdded}, HintRemoved | HintAdded},
		{"made, renamed away, renamed to", []Hint{HintAdded, HintRemoved, HintRenamed}, HintAdded | HintRemoved | HintRenamed},
		{"an echo, and another", []Hint{HintModified | HintEcho, HintModified | HintEcho}, HintModified | HintEcho},
		{"an echo, and written", []Hint{HintModified | HintEcho, HintModified}, HintModified},
		{"written, and an echo", []Hint{HintModified, HintModified | HintEcho}, HintModified},
		{"an echo, and asked for again", []Hint{HintModified | HintEcho, 0}, HintModified | HintEcho},
		{"renamed to and written", []Hint{HintRenamed, HintModified}, HintRenamed | HintModified},
	} {
		var got Hint
		for _, h := range c.said {
			got = got.Then(h)
		}
		if got != c.want {
			t.Errorf("%s: %b, want %b", c.why, got, c.want)
		}
	}
}
