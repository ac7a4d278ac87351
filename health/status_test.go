package health

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func someStatus() Status {
	at := time.Date(2025, 3, 4, 12, 0, 0, 0, time.UTC)
	since := at.Add(-12 * time.Second)
	return Status{
		Time:   at,
		Mount:  MountStatus{"//nas/media", "/mnt/media", 4711, "1.2.3", at.Add(-90 * time.Minute)},
		Server: ServerStatus{"nas", "192.0.2.7:445", "media", "3.1.1", "AES-GMAC", "none", false},
		Connections: []ConnectionStatus{
			{Purpose: "work", Up: true, Reconnects: 2, LastReceived: at.Add(-300 * time.Millisecond), Messages: 12345, Sent: 3 << 20, Received: 700 << 20,
				Requests: map[string]int64{"CREATE": 12000, "READ": 345}},
			{Purpose: "watch", Error: "connection lost: \x1b[31mEOF", LastReceived: at.Add(-12 * time.Second)},
		},
		Offline: OfflineStatus{"cached", true, &since, 17},
		Files:   FileStatus{5, 4, 3, 1},
		Notify: NotifyStatus{
			Setting: "auto", Mode: "poll", Why: "the server does not notify", Budget: 4096, Listings: 60, Every: 2, Watched: 120, Pinned: 7, Polled: 2, Unseen: 3, OverBudget: 1, Notifications: 1000, Overflows: 3,
			Comparisons: 40, Found: 5, Questions: 990, Armed: 130, Lost: 9, Evicted: 1,
		},
		Events: EventStatus{
			Told: map[string]int64{"create": 30, "remove": 20, "close-write": 10}, Repeated: 2, Failed: 1,
			Latency: LatencyStatus{50, 0.0004, 0.0019, 0.0123},
		},
		Helper: HelperStatus{4712, true, 1, 10, 0},
		Memory: MemoryStatus{21 << 20, 33 << 20, 9 << 20, 7 << 20, 45},
	}
}

// The layout of the text is what people are used to.
func TestText(t *testing.T) {
	s := someStatus()
	const golden = "testdata/status.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(s.Text()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || s.Text() != string(want) {
		t.Errorf("%v:\n%swant:\n%s", err, s.Text(), want)
	}
}

func TestTextOfNothing(t *testing.T) {
	text := (&Status{}).Text()
	for _, part := range []string{"none", "nothing measured yet", "not running"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// Programs rely on the names: this list only grows.
func TestNamesInJSON(t *testing.T) {
	b, err := json.Marshal(someStatus())
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	got := fields("", v)
	slices.Sort(got)
	const golden = "testdata/fields.golden"
	text := strings.Join(slices.Compact(got), "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || text != string(want) {
		t.Errorf("%v: the fields are\n%s\nwant\n%s", err, text, want)
	}
}

func fields(prefix string, v any) (list []string) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			list = append(list, fields(prefix+"."+k, e)...)
		}
	case []any:
		for _, e := range v {
			list = append(list, fields(prefix+"[]", e)...)
		}
	default:
		list = append(list, prefix)
	}
	return list
}
