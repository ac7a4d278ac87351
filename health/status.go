package health

import "time"

// Status is how a mount does at one moment. The names in JSON are stable: names may be added, none is changed or taken away.
type Status struct {
	Mount       MountStatus        `json:"mount"`
	Server      ServerStatus       `json:"server"`
	Connections []ConnectionStatus `json:"connections"`
	Offline     OfflineStatus      `json:"offline"`
	Files       FileStatus         `json:"files"`
	Notify      NotifyStatus       `json:"notify"`
	Events      EventStatus        `json:"events"`
	Helper      HelperStatus       `json:"helper"`
	Memory      MemoryStatus       `json:"memory"`
	Time        time.Time          `json:"time"` // when all this was so
}

// MountStatus says what is mounted and who serves it.
type MountStatus struct {
	Source     string    `json:"source"`
	Mountpoint string    `json:"mountpoint"`
	PID        int       `json:"pid"`
	Version    string    `json:"version"`
	Since      time.Time `json:"since"`
}

// ServerStatus says what was agreed on with the server.
type ServerStatus struct {
	Host       string `json:"host"`
	Address    string `json:"address"` // as dialled
	Share      string `json:"share"`
	Dialect    string `json:"dialect"`
	Signing    string `json:"signing"`
	Encryption string `json:"encryption"`
	Guest      bool   `json:"guest"`
}

// ConnectionStatus is one of the mount's connections.
type ConnectionStatus struct {
	Purpose      string    `json:"purpose"` // "work" or "watch", and "watch 2" of a second connection for watches
	Up           bool      `json:"up"`
	Error        string    `json:"error,omitempty"` // why it ended
	Reconnects   int       `json:"reconnects"`      // how often it was lost and came back
	LastReceived time.Time `json:"last_received"`
	Messages     int64     `json:"messages"` // sent, a compound counted once
	Sent         int64     `json:"sent_bytes"`
	Received     int64     `json:"received_bytes"`

	Requests map[string]int64 `json:"requests"` // in the messages, by MS-SMB2's name of the command
}

// OfflineStatus says whether directories are shown from memory because the server cannot be reached.
type OfflineStatus struct {
	Setting string     `json:"setting"` // as asked for by offline=
	Now     bool       `json:"now"`
	Since   *time.Time `json:"since,omitempty"` // if they are now
	Answers int64      `json:"answers"`         // given from memory so far
}

// FileStatus counts open files, and how they came through losses of the connection.
type FileStatus struct {
	Open        int   `json:"open"`
	Reconnected int64 `json:"reconnected"` // the server had kept them
	Reopened    int64 `json:"reopened"`    // opened again by name
	Lost        int64 `json:"lost"`        // gone, or replaced by another file
}

// NotifyStatus is the notification engine's state and its counters since the mount was made.
type NotifyStatus struct {
	Setting       string  `json:"setting"`       // as asked for by notify=
	Mode          string  `json:"mode"`          // as it is: dir, tree, poll, off
	Why           string  `json:"why"`           // in words, where that is not what was asked for
	Every         float64 `json:"every_seconds"` // between comparisons of a directory that somebody watches, in mode poll
	Watched       int     `json:"watched"`       // directories
	Pinned        int     `json:"pinned"`        // of them: somebody watches them here
	Polled        int     `json:"polled"`        // of them: kept true by comparison alone
	Unseen        int     `json:"unseen"`        // of those pinned: neither notified of nor compared, for a while
	OverBudget    int     `json:"over_budget"`   // of those polled: for want of a place in the budget
	Budget        int     `json:"budget"`
	Notifications int64   `json:"notifications"`
	Overflows     int64   `json:"overflows"`
	Listings      int64   `json:"listings"`
	Comparisons   int64   `json:"comparisons"` // listings that no notification asked for
	Found         int64   `json:"found_by_comparison_alone"`
	Questions     int64   `json:"questions"`
	Armed         int64   `json:"armed"`
	Lost          int64   `json:"lost"`
	Evicted       int64   `json:"evicted"`
}

// EventStatus says what was told to local watchers, and how fast.
type EventStatus struct {
	Told     map[string]int64 `json:"told"`     // by kind of change
	Repeated int64            `json:"repeated"` // replayed calls that were made again
	Failed   int64            `json:"failed"`   // changes that could not be told
	Latency  LatencyStatus    `json:"latency"`  // of all kinds but modify and close-write, which wait by intent
}

// LatencyStatus is the time from a notification's arrival to the event, in seconds.
type LatencyStatus struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50_seconds"`
	P95   float64 `json:"p95_seconds"`
	P99   float64 `json:"p99_seconds"`
}

// HelperStatus is the replay helper's.
type HelperStatus struct {
	PID      int  `json:"pid"`
	Running  bool `json:"running"`
	Restarts int  `json:"restarts"`
	Workers  int  `json:"workers"`
	Stalled  int  `json:"stalled"`
}

// MemoryStatus is the daemon's, in bytes.
type MemoryStatus struct {
	Resident int64  `json:"resident_bytes"`
	Peak     int64  `json:"peak_bytes"`
	Heap     uint64 `json:"heap_bytes"`

	Live       uint64 `json:"live_bytes"` // of the heap, at the last garbage collection: what grows if something leaks
	Goroutines uint64 `json:"goroutines"`
}
