package health

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"smbfs/cache"
)

// desc makes a metric's description.
func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("smbfs_"+name, help, labels, nil)
}

// What Prometheus is told. Names follow its conventions: base units, _total for counters.
var (
	descInfo          = desc("mount_info", "What is mounted, and how.", "source", "mountpoint", "dialect", "signing", "encryption", "version")
	descConnection    = desc("connection_up", "Whether the connection lives.", "connection")
	descReceived      = desc("connection_last_received_timestamp_seconds", "When the server was last heard.", "connection")
	descReconnects    = desc("connection_reconnects_total", "How often the connection was lost and came back.", "connection")
	descOffline       = desc("offline_answers_total", "Answers given from memory because the server could not be reached.")
	descFiles         = desc("open_files", "Files that local programs have open.")
	descRevived       = desc("open_files_after_reconnect_total", "Open files by what became of them when the connection was made anew.", "what")
	descMessages      = desc("connection_messages_total", "Messages sent, a compound counted once.", "connection")
	descRequests      = desc("connection_requests_total", "Requests in them.", "connection", "command")
	descBytes         = desc("connection_bytes_total", "Bytes sent and received.", "connection", "direction")
	descMode          = desc("notify_mode", "1 for the mode in which remote changes are found.", "mode")
	descDirectories   = desc("directories", "Directories in the watch set.", "state")
	descNotifications = desc("notifications_total", "Notifications that the server sent.")
	descOverflows     = desc("overflows_total", "Notifications that said changes were lost.")
	descListings      = desc("listings_total", "Directories listed.")
	descComparisons   = desc("comparisons_total", "Directories listed though no notification asked for it.")
	descFound         = desc("found_by_comparison_total", "Changes that no notification told of.")
	descQuestions     = desc("questions_total", "Names asked for.")
	descWatches       = desc("watches_total", "Watches that were armed, lost or evicted.", "what")
	descTold          = desc("events_told_total", "Changes told to local watchers.", "kind")
	descRepeated      = desc("replays_repeated_total", "Replayed calls that were made again.")
	descFailed        = desc("replays_failed_total", "Changes that could not be told.")
	descLatency       = desc("event_latency_seconds", "From the arrival of the notification to the event.", "kind")
	descHelper        = desc("helper_up", "Whether the replay helper runs.")
	descStalled       = desc("helper_stalled_workers", "Workers of the helper that are stuck in a call.")
	descRestarts      = desc("helper_restarts_total", "How often the helper was started anew.")
)

// latencyBounds are the histogram's in Prometheus, each the end of a bucket of ours.
var latencyBounds = []time.Duration{
	128 * time.Microsecond, 256 * time.Microsecond, 512 * time.Microsecond, 1024 * time.Microsecond, 2048 * time.Microsecond,
	4096 * time.Microsecond, 8192 * time.Microsecond, 16384 * time.Microsecond, 32768 * time.Microsecond, 65536 * time.Microsecond,
	131072 * time.Microsecond, 262144 * time.Microsecond, 524288 * time.Microsecond, 1048576 * time.Microsecond,
	4194304 * time.Microsecond, 16777216 * time.Microsecond,
}

// collector makes metrics of a Status whenever it is asked.
type collector struct {
	status   func() Status
	recorder *Recorder
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := c.status()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge(descInfo, 1, s.Mount.Source, s.Mount.Mountpoint, s.Server.Dialect, s.Server.Signing, s.Server.Encryption, s.Mount.Version)
	for _, k := range s.Connections {
		gauge(descConnection, truth(k.Up), k.Purpose)
		gauge(descReceived, float64(k.LastReceived.UnixMilli())/1000, k.Purpose)
		count(descReconnects, int64(k.Reconnects), k.Purpose)
		count(descMessages, k.Messages, k.Purpose)
		count(descBytes, k.Sent, k.Purpose, "sent")
		count(descBytes, k.Received, k.Purpose, "received")
		for command, n := range k.Requests {
			count(descRequests, n, k.Purpose, command)
		}
	}
	count(descOffline, s.Offline.Answers)
	gauge(descFiles, float64(s.Files.Open))
	for what, v := range map[string]int64{"reconnected": s.Files.Reconnected, "reopened": s.Files.Reopened, "lost": s.Files.Lost} {
		count(descRevived, v, what)
	}
	n := &s.Notify
	gauge(descMode, 1, n.Mode)
	for state, v := range map[string]int{"watched": n.Watched, "pinned": n.Pinned, "polled": n.Polled, "unseen": n.Unseen, "over_budget": n.OverBudget} {
		gauge(descDirectories, float64(v), state)
	}
	count(descNotifications, n.Notifications)
	count(descOverflows, n.Overflows)
	count(descListings, n.Listings)
	count(descComparisons, n.Comparisons)
	count(descFound, n.Found)
	count(descQuestions, n.Questions)
	for what, v := range map[string]int64{"armed": n.Armed, "lost": n.Lost, "evicted": n.Evicted} {
		count(descWatches, v, what)
	}
	for _, k := range kinds {
		count(descTold, s.Events.Told[k], k)
	}
	count(descRepeated, s.Events.Repeated)
	count(descFailed, s.Events.Failed)
	gauge(descHelper, truth(s.Helper.Running))
	gauge(descStalled, float64(s.Helper.Stalled))
	count(descRestarts, int64(s.Helper.Restarts))
	for op := cache.Create; op < cache.Rest; op++ {
		h := c.recorder.Latency(op)
		bounds := make(map[float64]uint64, len(latencyBounds))
		for _, b := range latencyBounds {
			bounds[b.Seconds()] = h.Below(b)
		}
		ch <- prometheus.MustNewConstHistogram(descLatency, h.Count(), h.Sum().Seconds(), bounds, op.String())
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
