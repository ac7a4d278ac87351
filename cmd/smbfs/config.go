package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"
)

// SMB2 dialect revision numbers.
//
// MS-SMB2 2.2.3, Dialects.
const (
	dialect210 uint16 = 0x0210
	dialect300 uint16 = 0x0300
	dialect302 uint16 = 0x0302
	dialect311 uint16 = 0x0311
)

// Config is all that is needed to make and serve one mount. It travels from the command to its daemon through a pipe (gob), so
// every field is exported; it holds a password, so it is never written to arguments, environment or log.
type Config struct {
	// What is mounted, and where.
	Source     string // as shown in the mount table: //host[:port]/share[/path]
	Host       string // name or address, as typed, without brackets
	Port       uint16
	Addr       string // ip=: dial this address in place of Host; "" for none
	Share      string
	Path       string // directory inside the share, slashes, no leading one; "" for the share's root
	Mountpoint string // absolute, without symbolic links

	// Who asks. Anonymous has neither name nor password; it is only set when guest or sec=none was asked for.
	Username  string
	Domain    string
	Password  Secret
	Anonymous bool

	// Security and protocol. A dialect lies in MinDialect..MaxDialect, both included.
	MinDialect, MaxDialect uint16
	Seal                   bool // encrypt everything, refuse a server that cannot
	RequireSigning         bool // sign unless encrypted; false: only if the server demands it

	// What files look like here. SMB servers tell no Unix owner or mode unless they have extensions for it.
	UID, GID          uint32
	FileMode, DirMode uint32 // permission bits
	ReadOnly          bool   // enforced by the daemon, not by MS_RDONLY: a read-only superblock would refuse replayed calls too
	LocalLocks        bool   // the server hears of no locks
	AllowOther        bool
	MountFlags        []string // generic flags for mount(2) or fusermount3, such as "nosuid"

	// Caching, transfer sizes (bytes; 0: what the server offers), notification.
	AttrTimeout         time.Duration
	ReadSize, WriteSize uint32
	Notify              string        // one of notify.Modes
	NotifyMax           int           // directories
	PollInterval        time.Duration // 0: the default of package notify
	CompareInterval     time.Duration // 0: the default of package notify
	CloseWriteDelay     time.Duration // 0: the default of package notify
	ModifyInterval      time.Duration // 0: the default of package notify

	// When the server is out of reach.
	Hard          bool // requests wait for it as long as it takes
	Retrans       int  // else: for so many EchoIntervals beyond the first
	EchoInterval  time.Duration
	OfflineCached bool // coherent directories are answered from memory

	// The daemon itself.
	Verbose bool
	LogFile string // absolute; "": syslog
	Metrics string // loopback host:port or unix:/path; "": none
}

// defaultConfig gives what holds when no option says otherwise; the names and values are those of mount.cifs(8) where it has them.
func defaultConfig() Config {
	return Config{
		Port:           445,
		MinDialect:     dialect210,
		MaxDialect:     dialect311,
		RequireSigning: true,
		UID:            uint32(os.Getuid()),
		GID:            uint32(os.Getgid()),
		FileMode:       0o755,
		DirMode:        0o755,
		AttrTimeout:    time.Second,
		Retrans:        2,
		EchoInterval:   10 * time.Second,
		Notify:         "auto",
		NotifyMax:      12_000, // three quarters of the open files that Samba allows a connection
		// SMB has neither device nodes nor set-uid programs to offer; a server that shows some is not believed.
		MountFlags: []string{"nosuid", "nodev"},
	}
}

// Address is what to dial, as host:port.
func (c *Config) Address() string {
	host := c.Host
	if c.Addr != "" {
		host = c.Addr
	}
	return net.JoinHostPort(host, strconv.Itoa(int(c.Port)))
}

// LogValue keeps a logged Config to what identifies the mount.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("source", c.Source), slog.String("mountpoint", c.Mountpoint))
}

// Secret is a password. It cannot be printed, logged or marshalled to text by accident; string(s) gives it.
type Secret string

const hidden = "[hidden]"

// Format implements fmt.Formatter for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses too.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// GobEncode keeps gob, which carries the Config to the daemon, from using MarshalText.
func (s Secret) GobEncode() ([]byte, error) { return []byte(s), nil }

// GobDecode is the other half of GobEncode.
func (s *Secret) GobDecode(b []byte) error { *s = Secret(b); return nil }
