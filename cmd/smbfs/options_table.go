package main

import "time"

// Groups of options, in the order of the documentation.
const (
	groupWho     = "Who you are"
	groupServer  = "Server and security"
	groupFiles   = "Files and access"
	groupCache   = "Caching, sizes and events"
	groupDaemon  = "The daemon"
	groupAccept  = "Accepted, without effect"
	negotiated   = "what the server offers"
	durationMeta = "TIME"
)

var optionGroups = []string{groupWho, groupServer, groupFiles, groupCache, groupDaemon, groupAccept}

// optionTable holds every mount option, by the names of mount.cifs(8). It is filled in init because its functions look it up.
var optionTable []option

func init() {
	optionTable = append(optionTable, whoOptions...)
	optionTable = append(optionTable, serverOptions...)
	optionTable = append(optionTable, fileOptions...)
	optionTable = append(optionTable, cacheOptions...)
	optionTable = append(optionTable, daemonOptions...)
	optionTable = append(optionTable, acceptedOptions...)
}

var whoOptions = []option{
	{names: []string{"username", "user"}, arg: mayArg, meta: "NAME", group: groupWho, set: setUser,
		help: `user name, or DOMAIN\NAME; default $USER; "user" without a value is mount(8)'s own and ignored`},
	{names: []string{"password", "pass"}, arg: mayArg, meta: "WORD", group: groupWho, secret: true, set: setPassword,
		help: "password, a comma in it doubled; it is wiped from the process list, but a credentials file or the prompt is better"},
	{names: []string{"password2"}, arg: needArg, meta: "WORD", group: groupWho, secret: true,
		help: "mount.cifs's spare password; wiped, not used"},
	{names: []string{"domain", "dom", "workgroup"}, arg: needArg, meta: "NAME", group: groupWho, set: setDomain,
		help: "domain or workgroup of the user; default none"},
	{names: []string{"credentials", "cred"}, arg: needArg, meta: "FILE", group: groupWho, set: setCredentials,
		help: "read username=, password= and domain= from this file, one a line"},
	{names: []string{"guest"}, group: groupWho, set: setGuest,
		help: "connect anonymously, without a user name or a password"},
}

var serverOptions = []option{
	{names: []string{"port"}, arg: needArg, meta: "N", group: groupServer, set: setPortOption,
		help: "TCP port; default 445"},
	{names: []string{"ip", "addr"}, arg: needArg, meta: "ADDRESS", group: groupServer, set: setIP,
		help: "connect to this address instead of looking the host up"},
	{names: []string{"vers"}, arg: needArg, meta: "DIALECT", group: groupServer, set: setVers,
		help: "default (2.1 to 3.1.1), 3 (3.0 to 3.1.1), or exactly 2.1, 3.0, 3.0.2 (3.02) or 3.1.1 (3.11)"},
	{names: []string{"sec"}, arg: needArg, meta: "MODE", group: groupServer, set: setSec,
		help: "ntlmssp (default), ntlmsspi (signing required) or none (anonymous)"},
	{names: []string{"seal"}, group: groupServer, set: func(s *settings, _ given) error { s.Seal = true; return nil },
		help: "encrypt everything; fails if the server cannot"},
	{names: []string{"sign"}, group: groupServer, set: func(s *settings, _ given) error { s.setSigning(true); return nil },
		help: "sign everything, the default but for guests, who cannot"},
	{names: []string{"nosign"}, group: groupServer, set: func(s *settings, _ given) error { s.setSigning(false); return nil },
		help: "sign only if the server demands it; somebody in between can then change data"},
	{names: []string{"soft"}, group: groupServer, set: func(s *settings, _ given) error { s.Hard = false; return nil },
		help: "while the server is out of reach requests wait for retrans + 1 times echo_interval and then fail, the default"},
	{names: []string{"hard"}, group: groupServer, set: func(s *settings, _ given) error { s.Hard = true; return nil },
		help: "they wait as long as it takes; a signal ends the wait"},
	{names: []string{"offline"}, arg: needArg, meta: "MODE", group: groupServer, set: setOffline,
		help: "cached: meanwhile directories that were watched are listed, and looked up in, as they were; wait (default): that is a request like any other"},
	{names: []string{"retrans"}, arg: needArg, meta: "N", group: groupServer, set: setRetrans,
		help: "see soft; default 2"},
	{names: []string{"echo_interval"}, arg: needArg, meta: "SECONDS", group: groupServer, set: setEchoInterval,
		help: "silence after which the server is asked whether it is there; three times that without an answer and the connection is lost; default 10"},
}

var fileOptions = []option{
	{names: []string{"uid"}, arg: needArg, meta: "USER", group: groupFiles, set: setUID,
		help: "owner shown for all files, name or number; default who mounts"},
	{names: []string{"gid"}, arg: needArg, meta: "GROUP", group: groupFiles, set: setGID,
		help: "group shown for all files, name or number; default that of who mounts"},
	{names: []string{"file_mode"}, arg: needArg, meta: "MODE", group: groupFiles, set: octal(func(s *settings) *uint32 { return &s.FileMode }),
		help: "permissions shown for files, octal; default 0755"},
	{names: []string{"dir_mode"}, arg: needArg, meta: "MODE", group: groupFiles, set: octal(func(s *settings) *uint32 { return &s.DirMode }),
		help: "permissions shown for directories, octal; default 0755"},
	{names: []string{"ro"}, group: groupFiles, set: func(s *settings, _ given) error { s.ReadOnly = true; return nil },
		help: "read-only; remote changes are still told"},
	{names: []string{"rw"}, group: groupFiles, set: func(s *settings, _ given) error { s.ReadOnly = false; return nil },
		help: "read and write, the default"},
	{names: []string{"allow_other"}, group: groupFiles, set: func(s *settings, _ given) error { s.AllowOther = true; return nil },
		help: "let other users in; as an ordinary user this needs user_allow_other in /etc/fuse.conf"},
	{names: []string{"nobrl", "nolock"}, group: groupFiles, set: func(s *settings, _ given) error { s.LocalLocks = true; return nil },
		help: "locks are local to this machine; default: the server has them too, and other machines meet them"},
	{names: []string{"noexec"}, group: groupFiles, set: addFlag, help: "run no programs from the mount"},
	{names: []string{"exec"}, group: groupFiles, set: dropFlag("noexec"), help: "programs may be run, the default"},
	{names: []string{"nodiratime"}, group: groupFiles, set: func(*settings, given) error { return nil },
		help: "accepted, and changes nothing: access times are the server's"},
	{names: []string{"noatime", "sync", "dirsync"}, group: groupFiles, set: addFlag,
		help: "passed to the kernel"},
}

var cacheOptions = []option{
	{names: []string{"actimeo"}, arg: needArg, meta: "SECONDS", group: groupCache, set: setActimeo,
		help: "how long attributes are believed where no watch keeps them true; default 1"},
	{names: []string{"rsize"}, arg: needArg, meta: "BYTES", group: groupCache, set: size(func(s *settings) *uint32 { return &s.ReadSize }),
		help: "largest read request; default " + negotiated},
	{names: []string{"wsize"}, arg: needArg, meta: "BYTES", group: groupCache, set: size(func(s *settings) *uint32 { return &s.WriteSize }),
		help: "largest write request; default " + negotiated},
	{names: []string{"notify"}, arg: needArg, meta: "MODE", group: groupCache, set: setNotify,
		help: "how remote changes are found: auto (default), dir, tree, poll; off: they are not"},
	{names: []string{"notify_max"}, arg: needArg, meta: "N", group: groupCache, set: setNotifyMax,
		help: "at most so many directories are notified of, others in use are compared; default 12000"},
	{names: []string{"poll_interval"}, arg: needArg, meta: durationMeta, group: groupCache, set: duration(func(s *settings) *time.Duration { return &s.PollInterval }),
		help: "pause between comparisons of a directory where nothing else finds changes: once while it changes, up to twice where somebody watches, up to ten times otherwise; default 1s"},
	{names: []string{"compare_interval"}, arg: needArg, meta: durationMeta, group: groupCache, set: duration(func(s *settings) *time.Duration { return &s.CompareInterval }),
		help: "pause between comparisons of a watched directory where notification works, five times that for one merely used; default 1m"},
	{names: []string{"closewrite_delay"}, arg: needArg, meta: durationMeta, group: groupCache, set: duration(func(s *settings) *time.Duration { return &s.CloseWriteDelay }),
		help: "how long a file must rest after a remote write before CLOSE_WRITE is told (like 500ms or 2s; a bare number is milliseconds)"},
	{names: []string{"modify_interval"}, arg: needArg, meta: durationMeta, group: groupCache, set: duration(func(s *settings) *time.Duration { return &s.ModifyInterval }),
		help: "at least this long between two MODIFY events of one file that goes on being written"},
}

var daemonOptions = []option{
	{names: []string{"logfile"}, arg: needArg, meta: "FILE", group: groupDaemon, set: setLogFile,
		help: "append the log to this file; default the system log, or standard error with -f"},
	{names: []string{"metrics"}, arg: needArg, meta: "ADDRESS", group: groupDaemon, set: setMetrics,
		help: "serve Prometheus metrics at /metrics on this loopback address (127.0.0.1:PORT) or Unix socket (unix:/PATH); default not at all"},
}

// acceptedOptions change nothing here: mount(8), fstab and systemd use them themselves, or they ask for what smbfs does anyway.
var acceptedOptions = []option{
	{names: []string{"_netdev", "nofail", "noauto", "auto", "users", "nouser", "owner", "group", "defaults", "x-*", "X-*"}, arg: mayArg, group: groupAccept,
		help: "for mount(8), fstab(5) and systemd"},
	{names: []string{"comment"}, arg: needArg, meta: "TEXT", group: groupAccept, help: "for people"},
	{names: []string{"suid", "nosuid", "dev", "nodev"}, group: groupAccept,
		help: "a mount is always nosuid and nodev"},
	{names: []string{"async", "atime", "diratime", "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime", "iversion", "noiversion", "silent", "loud", "nomand"}, group: groupAccept,
		help: "kernel defaults, or of no meaning for a network file system"},
	{names: []string{"mapposix"}, group: groupAccept, help: "names that SMB does not allow are always mapped this way"},
	{names: []string{"iocharset"}, arg: needArg, meta: "utf8", group: groupAccept, set: only("utf8"), help: "names are always UTF-8"},
	{names: []string{"serverino"}, group: groupAccept, help: "inode numbers are the server's where it has usable ones"},
	{names: []string{"nounix", "noposix"}, group: groupAccept, help: "SMB1 Unix extensions are not spoken"},
	{names: []string{"noperm"}, group: groupAccept, help: "the server decides; smbfs itself only checks other users' access with allow_other"},
	{names: []string{"cache"}, arg: needArg, meta: "strict|loose", group: groupAccept, set: only("strict", "loose"), help: "caching follows notifications; none is refused"},
	{names: []string{"nosharesock"}, group: groupAccept, help: "each mount has connections of its own"},
}
