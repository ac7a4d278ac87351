package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestMedianAndRatio(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 5}, 5}} {
		if got := median(c.v); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.v, got, c.want)
		}
	}
	p := pairs{ours: []float64{10, 40, 7, 9}, peers: []float64{5, 10, none, 9}}
	if got := p.known().ratio(); got != 2 {
		t.Errorf("the ratio is %v, want the median of 2, 4 and 1", got)
	}
}

// TestCompare: sides take turns in being first, a peer that fails has no figure, and of one that does not try there is no line.
func TestCompare(t *testing.T) {
	b := &bench{config: config{runs: 3}, stop: make(chan os.Signal)}
	order := ""
	one := func(name string, v float64, err error) side {
		return side{name, func() ([]float64, error) { order += name; return []float64{v}, err }}
	}
	cannot := errors.New("cannot")
	err := b.compare([]line{{"work", "ops/s", map[string]float64{"b": 3}}}, one("a", 8, nil), one("b", 4, nil), one("c", 0, cannot), one("d", untried, nil))
	if err != nil || order != "abcdbcdacdab" {
		t.Errorf("order %q, %v", order, err)
	}
	var rows []string
	for _, r := range b.table.rows {
		rows = append(rows, strings.Join(r, "|"))
	}
	if want := []string{"work|8.0 ops/s|b: 4.0 ops/s|2.00|at least 3|**no**", "work|8.0 ops/s|c: fails||none|yes"}; !slices.Equal(rows, want) {
		t.Errorf("lines %q, want %q", rows, want)
	}
	if err := b.compare([]line{{what: "work"}}, one("a", 0, errors.New("broken")), one("b", 4, nil)); err == nil {
		t.Error("a failure of ours goes unnoticed")
	}
}

// TestSectionsAreKept: the table, the sections of other measurements and what people wrote each outlive the others being written anew.
func TestSectionsAreKept(t *testing.T) {
	const section, note = "\n## Guest\n\nnew\n", "\n## Notes\n\nwhat it means\n"
	table := func(name string) error { return writeTable(name, "table\n") }
	guest := func(name string) error { return writeSection(name, section) }
	for _, c := range []struct {
		there, want string
		write       func(string) error
	}{
		{"", "table\n", table},
		{"old table\n" + note, "table\n" + note, table},
		{"old table\n" + section + note, "table\n" + section + note, table},
		{"", section, guest},
		{"table\n" + note, "table\n" + section + note, guest},
		{"table\n\n## Guest\n\nold\n" + note, "table\n" + section + note, guest},
		{"table\n\n## Guest\n\nold\n", "table\n" + section, guest},
	} {
		name := t.TempDir() + "/benchmarks.md"
		if c.there != "" {
			if err := os.WriteFile(name, []byte(c.there), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.write(name); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != c.want {
			t.Errorf("%v: %q, want %q", err, got, c.want)
		}
	}
}
