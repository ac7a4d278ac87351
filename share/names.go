package share

import (
	"strings"
	"unicode/utf8"
)

// Characters that SMB does not allow in names travel in the private use area, as Services for
// Macintosh put them there and mount.cifs's mapposix does.
const (
	privateUse    = 0xf000
	mappedSpace   = 0xf028 // at the end of a name
	mappedPeriod  = 0xf029 // at the end of a name
	maxNameLength = 255    // bytes of a local name (NAME_MAX)
)

// reserved are the characters that SMB reserves, in the order of their mapped values, which
// begin at firstReserved.
const (
	reserved      = "\"*:<>?\\|"
	firstReserved = 0xf020
)

// serverName maps one local name to the server's.
func serverName(name string) string {
	if !needsMapping(name) {
		return name
	}
	var b strings.Builder
	for i, r := range name {
		last := i == len(name)-1
		switch at := strings.IndexRune(reserved, r); {
		case r < 0x20:
			b.WriteRune(privateUse + r)
		case at >= 0:
			b.WriteRune(firstReserved + rune(at))
		case last && r == ' ':
			b.WriteRune(mappedSpace)
		case last && r == '.':
			b.WriteRune(mappedPeriod)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func needsMapping(name string) bool {
	if name == "" {
		return false
	}
	if last := name[len(name)-1]; last == ' ' || last == '.' {
		return true
	}
	for i := range len(name) {
		if c := name[i]; c < 0x20 || strings.IndexByte(reserved, c) >= 0 {
			return true
		}
	}
	return false
}

// localName maps one of the server's names to a local one. It reports false for a name that no
// local program may be shown: with a slash or a NUL, too long, not a text, or one of the names
// that mean something else than themselves.
func localName(name string) (string, bool) {
	local := strings.Map(func(r rune) rune {
		switch {
		case r > privateUse && r < privateUse+0x20:
			return r - privateUse
		case r >= firstReserved && r < firstReserved+rune(len(reserved)):
			return rune(reserved[r-firstReserved])
		case r == mappedSpace:
			return ' '
		case r == mappedPeriod:
			return '.'
		}
		return r
	}, name)
	ok := local != "" && local != "." && local != ".." && len(local) <= maxNameLength &&
		utf8.ValidString(local) && !strings.ContainsAny(local, "/\x00")
	return local, ok
}

// Askable reports whether a name that came with a notification can be asked for as it is. Some
// servers notify names that they show under another: those of their own file system that SMB
// does not allow. Then the directory has to be listed.
func Askable(serverName string) bool { return !needsMapping(serverName) }

// ValidLocal reports whether a local program's name can be sent to a server at all.
func ValidLocal(name string) bool { return utf8.ValidString(name) && len(name) <= maxNameLength }

// ServerPath returns the server's path of a local one: '\' separated, below the share's root,
// the mount's own part of the share in front.
func (s *Share) ServerPath(local string) string {
	parts := make([]string, 0, 8)
	if s.prefix != "" {
		parts = append(parts, s.prefix)
	}
	if local != "" {
		for part := range strings.SplitSeq(local, "/") {
			parts = append(parts, serverName(part))
		}
	}
	return strings.Join(parts, `\`)
}
