package auth

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a password that nothing prints. fmt looks past methods in values of
// unexported fields and after a wrong verb, so hiding methods are not enough:
// the text is inside a function, where neither fmt nor reflection can look.
//
// The zero Secret is the empty password.
type Secret struct{ reveal func() string }

// NewSecret hides a password.
func NewSecret(password string) Secret {
	if password == "" {
		return Secret{}
	}
	return Secret{func() string { return password }}
}

// Reveal returns the password, to prove it and for nothing else.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

const redacted = "[password]"

// String, and what follows, give a fixed word.
func (s Secret) String() string { return redacted }

// GoString is String.
func (s Secret) GoString() string { return redacted }

// Format is String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is String for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is String for encoding/json and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
