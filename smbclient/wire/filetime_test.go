package wire

import (
	"testing"
	"time"
)

func TestFiletime(t *testing.T) {
	for _, c := range []struct {
		ft   Filetime
		time time.Time
	}{
		{0, time.Time{}},
		{1, time.Date(1601, 1, 1, 0, 0, 0, 100, time.UTC)},
		{116444736000000000, time.Unix(0, 0)},
		{133801632000000000, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)},
		{134398359695319794, time.Date(2026, 11, 22, 15, 46, 9, 531979400, time.UTC)},
		{1<<63 - 1, time.Date(30828, 9, 14, 2, 48, 5, 477580700, time.UTC)},
	} {
		if got := c.ft.Time(); !got.Equal(c.time) || got.IsZero() != (c.ft == 0) {
			t.Errorf("%d.Time() = %v, want %v", c.ft, got, c.time)
		}
		if got := FiletimeOf(c.time); got != c.ft {
			t.Errorf("FiletimeOf(%v) = %d, want %d", c.time, got, c.ft)
		}
	}
}

func TestFiletimeOfOutOfRange(t *testing.T) {
	for _, c := range []struct {
		time time.Time
		want Filetime
	}{
		{time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC), 1}, // 0 would mean "unknown"
		{time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC), 1},
		{time.Date(40000, 1, 1, 0, 0, 0, 0, time.UTC), 1<<63 - 1},
		{time.Unix(1<<60, 0), 1<<63 - 1},
		{time.Unix(0, 199), 116444736000000001},
	} {
		if got := FiletimeOf(c.time); got != c.want {
			t.Errorf("FiletimeOf(%v) = %d, want %d", c.time, got, c.want)
		}
	}
}

// The values that are no times still convert without loss or panic.
func TestFiletimeSpecial(t *testing.T) {
	for _, ft := range []Filetime{FiletimeStopUpdate, FiletimeStartUpdate} {
		if got := ft.Time(); got.Year() < 30828 {
			t.Errorf("%x.Time() = %v", uint64(ft), got)
		}
	}
}
