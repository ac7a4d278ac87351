package auth

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Credentials say as whom to log on.
type Credentials struct {
	User     string // also as DOMAIN\user or user@domain while Domain is empty
	Domain   string
	Password Secret

	// Workstation is the name we go by, or empty.
	Workstation string

	// Guest says that the server may treat us as its guest; with no Password
	// the logon is anonymous.
	Guest bool

	// Anonymous asks for a null session, whatever the fields above say.
	Anonymous bool
}

// IsAnonymous reports whether the logon proves nothing. Its session has to be
// taken for a null session whatever SessionFlags say: Samba 4.17 answers it
// with neither IS_GUEST nor IS_NULL (MS-SMB2 2.2.6), and signs no response.
func (c Credentials) IsAnonymous() bool {
	return c.Anonymous || c.Guest && c.Password.Reveal() == ""
}

// account returns user and domain. A domain inside User counts only while
// Domain is empty; user@domain stays whole, as a user principal name, since the
// server knows how to resolve it and the part behind the @ is not its domain's
// NetBIOS name.
func (c Credentials) account() (user, domain string) {
	if c.Domain != "" {
		return c.User, c.Domain
	}
	if d, u, ok := strings.Cut(c.User, `\`); ok {
		return u, d
	}
	return c.User, ""
}

// String names the account and nothing else.
func (c Credentials) String() string {
	if c.IsAnonymous() {
		return "anonymous"
	}
	user, domain := c.account()
	if domain == "" {
		return user
	}
	return domain + `\` + user
}

// GoString is String: %#v shows no password.
func (c Credentials) GoString() string { return c.String() }

// Format is String for every verb.
func (c Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is String for log/slog.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String for encoding/json and its like.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
