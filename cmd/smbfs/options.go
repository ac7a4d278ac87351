package main

import (
	"errors"
	"fmt"
	"strings"
)

// argKind says whether an option takes a value.
type argKind int

const (
	noArg   argKind = iota // name
	needArg                // name=value
	mayArg                 // name or name=value
)

// option is one row of the table that drives parsing, --help, the manual page and the README's list.
type option struct {
	names  []string // the first is the one documented; a name that ends in * stands for all that begin so
	arg    argKind
	meta   string // the value's name in the documentation
	group  string
	help   string // one sentence, no full stop
	secret bool   // the value is not repeated in errors
	set    func(*settings, given) error
}

// given is one option as typed.
type given struct {
	name, value string
	hasValue    bool
}

// settings collects what the options say before it becomes a Config: some are only known to be complete at the end.
type settings struct {
	Config
	credentials string // credentials=
	passwordSet bool   // password= was given, even if empty
	portSet     bool   // port= was given: it wins over //host:port
	guest       bool   // guest or sec=none
	signingSet  bool   // sign, nosign or sec=ntlmsspi
}

// splitOptions cuts a -o argument at its commas. In the value of an option whose name begins with "pass" two commas stand for
// one, as in mount.cifs; elsewhere empty items are dropped.
func splitOptions(s string) []string {
	var items []string
	for len(s) > 0 {
		n := itemLen(s)
		if item := s[:n]; item != "" {
			items = append(items, item)
		}
		s = s[min(n+1, len(s)):]
	}
	return items
}

// itemLen is the length of the first item of s, up to the comma that ends it.
func itemLen(s string) int {
	secret := isSecretItem(s)
	for i := 0; i < len(s); i++ {
		if s[i] != ',' {
			continue
		}
		if secret && i+1 < len(s) && s[i+1] == ',' {
			i++
			continue
		}
		return i
	}
	return len(s)
}

// isSecretItem reports whether an option's text begins with a name that could be meant as a password: a mistyped one is a secret too.
func isSecretItem(item string) bool {
	return len(item) >= 4 && strings.EqualFold(item[:4], "pass")
}

func parseGiven(item string) given {
	name, value, has := strings.Cut(item, "=")
	if isSecretItem(item) {
		value = strings.ReplaceAll(value, ",,", ",")
	}
	return given{name: name, value: value, hasValue: has}
}

// errUnknownOption is wrapped by the error for an option that the table does not have; mount's -s ignores it.
var errUnknownOption = errors.New("unknown mount option")

// apply sets what one -o argument says. With sloppy (mount -s) unknown names are passed over.
func (s *settings) apply(arg string, sloppy bool) error {
	for _, item := range splitOptions(arg) {
		err := s.applyOne(parseGiven(item))
		if sloppy && errors.Is(err, errUnknownOption) {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *settings) applyOne(g given) error {
	o := findOption(g.name)
	if o == nil {
		return fmt.Errorf("%w %q; smbfs --help lists what is known", errUnknownOption, g.name)
	}
	if o.arg == noArg && g.hasValue {
		return fmt.Errorf("mount option %s takes no value", g.name)
	}
	if o.arg == needArg && !g.hasValue {
		return fmt.Errorf("mount option %s needs a value: %s=%s", g.name, g.name, o.meta)
	}
	if o.set == nil {
		return nil
	}
	if err := o.set(s, g); err != nil {
		return fmt.Errorf("mount option %s: %w", g.name, err)
	}
	return nil
}

func findOption(name string) *option {
	for i := range optionTable {
		for _, n := range optionTable[i].names {
			if prefix, ok := strings.CutSuffix(n, "*"); ok && strings.HasPrefix(name, prefix) && name != prefix {
				return &optionTable[i]
			}
			if n == name {
				return &optionTable[i]
			}
		}
	}
	return nil
}

// label is the option as documented: its names, the value with the first.
func (o *option) label() string {
	names := make([]string, len(o.names))
	for i, n := range o.names {
		names[i] = n
		if i > 0 || o.meta == "" {
			continue
		}
		switch o.arg {
		case needArg:
			names[i] += "=" + o.meta
		case mayArg:
			names[i] += "[=" + o.meta + "]"
		}
	}
	return strings.Join(names, ", ")
}
