package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// invocation is what the command line asks for.
type invocation struct {
	settings
	target string // the mount point as typed

	foreground bool
	fake       bool // mount -f: check everything, mount nothing
	help       bool
	version    bool
}

// usageError is a wrong command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// asMountHelper reports whether mount(8) runs us as mount.TYPE. Then -f means "fake", as for every mount helper, and not
// "foreground".
func asMountHelper(argv0 string) bool {
	return strings.HasPrefix(filepath.Base(argv0), "mount.")
}

// parseArgs reads the arguments, in any order and with -o repeated:
//
//	smbfs [-f] [-v] [-o option,...] //host[:port]/share[/path] /mountpoint
//	mount.smbfs source target [-sfnv] [-N namespace] [-o option,...] [-t type]
func parseArgs(argv []string) (*invocation, error) {
	inv := &invocation{settings: settings{Config: defaultConfig()}}
	p := argParser{inv: inv, helper: asMountHelper(argv[0]), rest: argv[1:]}
	if err := p.run(); err != nil {
		return nil, usageError{err}
	}
	if inv.help || inv.version {
		return inv, nil
	}
	if err := p.finish(); err != nil {
		return nil, usageError{err}
	}
	return inv, nil
}

type argParser struct {
	inv     *invocation
	helper  bool
	sloppy  bool
	rest    []string
	optArgs []string // the -o arguments, applied once -s is known
	plain   []string // what is not an option
}

func (p *argParser) run() error {
	for len(p.rest) > 0 {
		arg := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case arg == "--":
			p.plain = append(p.plain, p.rest...)
			p.rest = nil
		case strings.HasPrefix(arg, "--"):
			if err := p.long(arg[2:]); err != nil {
				return err
			}
		case len(arg) > 1 && arg[0] == '-':
			if err := p.short(arg[1:]); err != nil {
				return err
			}
		default:
			p.plain = append(p.plain, arg)
		}
	}
	return nil
}

// longNames gives the letter of a long option.
var longNames = map[string]byte{
	"help": 'h', "version": 'V', "verbose": 'v', "foreground": 'F', "fake": 'E', "options": 'o', "read-only": 'r', "read-write": 'w',
	"rw": 'w', "ro": 'r', "types": 't',
}

func (p *argParser) long(arg string) error {
	name, value, has := strings.Cut(arg, "=")
	letter, ok := longNames[name]
	if !ok {
		return fmt.Errorf("unknown option --%s; see smbfs --help", name)
	}
	if has {
		if !takesValue(letter) {
			return fmt.Errorf("--%s takes no value", name)
		}
		p.rest = slices.Insert(slices.Clone(p.rest), 0, value)
	}
	return p.flag(letter, "--"+name)
}

// short handles a cluster such as -fv, -ofoo or -vo foo.
func (p *argParser) short(cluster string) error {
	for i := 0; i < len(cluster); i++ {
		letter := cluster[i]
		if takesValue(letter) && i+1 < len(cluster) {
			p.rest = slices.Insert(slices.Clone(p.rest), 0, cluster[i+1:])
			return p.flag(letter, "-"+string(letter))
		}
		if strings.IndexByte("EF", letter) >= 0 { // these have long names only
			letter = 0
		}
		if err := p.flag(letter, "-"+cluster[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

func takesValue(letter byte) bool { return letter == 'o' || letter == 't' || letter == 'N' }

func (p *argParser) flag(letter byte, shown string) error {
	value := ""
	if takesValue(letter) {
		if len(p.rest) == 0 {
			return fmt.Errorf("%s needs a value", shown)
		}
		value, p.rest = p.rest[0], p.rest[1:]
	}
	switch letter {
	case 'f':
		p.inv.fake, p.inv.foreground = p.inv.fake || p.helper, p.inv.foreground || !p.helper
	case 'F':
		p.inv.foreground = true
	case 'E':
		p.inv.fake = true
	case 'v':
		p.inv.Verbose = true
	case 'h':
		p.inv.help = true
	case 'V':
		p.inv.version = true
	case 's':
		p.sloppy = true
	case 'n', 't': // no mtab to keep; the type is how we were found
	case 'r', 'w':
		p.optArgs = append(p.optArgs, map[byte]string{'r': "ro", 'w': "rw"}[letter])
	case 'o':
		p.optArgs = append(p.optArgs, value)
	case 'N':
		return errors.New("another mount namespace (-N) is not supported; use nsenter(1)")
	default:
		return fmt.Errorf("unknown option %s; see smbfs --help", shown)
	}
	return nil
}

func (p *argParser) finish() error {
	switch len(p.plain) {
	case 0, 1:
		return errors.New("a share and a mount point are needed: smbfs [-f] [-v] [-o option,...] //host[:port]/share[/path] /mountpoint")
	case 2:
	default:
		return fmt.Errorf("%d arguments too many; give one share and one mount point, and options with -o", len(p.plain)-2)
	}
	inv := p.inv
	for _, o := range p.optArgs {
		if err := inv.apply(o, p.sloppy); err != nil {
			return err
		}
	}
	optionPort := inv.Port
	if err := inv.setSource(p.plain[0]); err != nil {
		return err
	}
	if inv.portSet {
		inv.Port = optionPort
	}
	inv.target = p.plain[1]
	if inv.target == "" {
		return errors.New("the mount point is empty")
	}
	return nil
}
