package main

import (
	"fmt"
	"math"
	"os"
	"slices"
)

// side is one way to do a piece of work. A run gives a figure for each line of the table, more is better, or none, or untried.
type side struct {
	name string
	run  func() ([]float64, error)
}

// line is one figure of a piece of work. goals are the least ratios to the sides of those names.
type line struct {
	what, unit string
	goals      map[string]float64
}

// none is the figure of a side that cannot do it, and untried of one that does not: the table says nothing of that.
var none, untried = math.NaN(), math.Inf(-1)

func isFigure(v float64) bool { return !math.IsNaN(v) && v != untried }

// compare measures the sides and adds the ratios of ours, which is the first, to each other one.
func (b *bench) compare(lines []line, sides ...side) error {
	figures, err := b.measure(lines, sides...)
	if err != nil {
		return err
	}
	for l := range lines {
		for i := 1; i < len(sides); i++ {
			b.table.addRates(lines[l].what, sides[i].name, lines[l].unit, lines[l].goals[sides[i].name], pairs{figures[0][l], figures[i][l]})
		}
	}
	return nil
}

// measure measures the sides one after the other, ours first the first time and later the second time, so that none always has
// the warmer server. The figures are by side, line and run. A peer that fails has none: some cannot do all that is asked for here.
func (b *bench) measure(lines []line, sides ...side) (figures [][][]float64, err error) {
	figures = make([][][]float64, len(sides))
	for i := range sides {
		figures[i] = make([][]float64, len(lines))
	}
	for run := range b.runs {
		for k := range sides {
			i := (k + run) % len(sides)
			if err := b.interrupted(); err != nil {
				return nil, err
			}
			got, err := sides[i].run()
			switch {
			case err != nil && i == 0:
				return nil, fmt.Errorf("%s: %w", lines[0].what, err)
			case err != nil:
				fmt.Fprintf(os.Stderr, "  %s, %s: %v\n", lines[0].what, sides[i].name, err)
				got = slices.Repeat([]float64{none}, len(lines))
			}
			for l := range lines {
				figures[i][l] = append(figures[i][l], got[l])
			}
		}
	}
	return figures, nil
}

// pairs are measurements of ours and of a peer's, taken two and two.
type pairs struct {
	ours, peers []float64
}

// known leaves out what one of the two has no figure for.
func (p pairs) known() (q pairs) {
	for i := range p.ours {
		if isFigure(p.ours[i]) && isFigure(p.peers[i]) {
			q.ours, q.peers = append(q.ours, p.ours[i]), append(q.peers, p.peers[i])
		}
	}
	return q
}

// ratio is the median of the pairs' ratios, ours to the peer's.
func (p pairs) ratio() float64 {
	var r []float64
	for i := range p.ours {
		r = append(r, p.ours[i]/p.peers[i])
	}
	return median(r)
}

// median is the middle value, or the mean of the two middle ones; 0 of nothing.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// quantile is the nearest-rank quantile; 0 of nothing.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[min(int(q*float64(len(s))), len(s)-1)]
}

// addRates adds a line for rates: more is better. A peer that has failed is in it without a figure.
func (t *table) addRates(what, peer, unit string, goal float64, all pairs) {
	p := all.known()
	if len(p.ours) == 0 {
		ours := slices.DeleteFunc(slices.Clone(all.ours), func(v float64) bool { return !isFigure(v) })
		if len(ours) > 0 && slices.ContainsFunc(all.peers, math.IsNaN) {
			t.add(what, figure(median(ours), unit), peer+": fails", "", "none", true)
		}
		return
	}
	r := p.ratio()
	target := "none"
	if goal > 0 {
		target = fmt.Sprintf("at least %.2g", goal)
	}
	t.add(what, figure(median(p.ours), unit), fmt.Sprintf("%s: %s", peer, figure(median(p.peers), unit)), fmt.Sprintf("%.2f", r), target, r >= goal)
}

// figure prints three digits or more.
func figure(v float64, unit string) string {
	digits := 0
	if v < 100 {
		digits = 1
	}
	return fmt.Sprintf("%.*f %s", digits, v, unit)
}
