package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func parseOptions(arg string) (settings, error) {
	s := settings{Config: defaultConfig()}
	return s, s.apply(arg, false)
}

func TestOptions(t *testing.T) {
	for arg, check := range map[string]func(settings) bool{
		"user=bob":                    func(s settings) bool { return s.Username == "bob" },
		"username=bob":                func(s settings) bool { return s.Username == "bob" },
		`username=DOM\bob`:            func(s settings) bool { return s.Username == "bob" && s.Domain == "DOM" },
		"username=DOM/bob":            func(s settings) bool { return s.Username == "bob" && s.Domain == "DOM" },
		"username=bob@example.org":    func(s settings) bool { return s.Username == "bob@example.org" && s.Domain == "" },
		"user":                        func(s settings) bool { return s.Username == "" },
		"user=bob,user":               func(s settings) bool { return s.Username == "bob" },
		"password=a=b":                func(s settings) bool { return s.Password == "a=b" && s.passwordSet },
		"pass=":                       func(s settings) bool { return s.Password == "" && s.passwordSet },
		"pass":                        func(s settings) bool { return s.Password == "" && s.passwordSet },
		"ro,password=a,,b,,,rw":       func(s settings) bool { return s.Password == "a,b," && !s.ReadOnly },
		"password2=a,,b,user=bob":     func(s settings) bool { return s.Username == "bob" && !s.passwordSet },
		"domain=D":                    func(s settings) bool { return s.Domain == "D" },
		"dom=D":                       func(s settings) bool { return s.Domain == "D" },
		"workgroup=D":                 func(s settings) bool { return s.Domain == "D" },
		"credentials=/etc/c":          func(s settings) bool { return s.credentials == "/etc/c" },
		"cred=/etc/c":                 func(s settings) bool { return s.credentials == "/etc/c" },
		"guest":                       func(s settings) bool { return s.guest },
		"sec=none":                    func(s settings) bool { return s.guest },
		"sec=none,sec=ntlmssp":        func(s settings) bool { return !s.guest },
		"nosign,sec=ntlmsspi":         func(s settings) bool { return s.RequireSigning },
		"port=4455":                   func(s settings) bool { return s.Port == 4455 && s.portSet },
		"ip=192.0.2.1":                func(s settings) bool { return s.Addr == "192.0.2.1" },
		"addr=2001:db8::1":            func(s settings) bool { return s.Addr == "2001:db8::1" },
		"vers=2.1":                    func(s settings) bool { return s.MinDialect == 0x0210 && s.MaxDialect == 0x0210 },
		"vers=3.0":                    func(s settings) bool { return s.MinDialect == 0x0300 && s.MaxDialect == 0x0300 },
		"vers=3.02":                   func(s settings) bool { return s.MinDialect == 0x0302 && s.MaxDialect == 0x0302 },
		"vers=3.0.2":                  func(s settings) bool { return s.MinDialect == 0x0302 && s.MaxDialect == 0x0302 },
		"vers=3.11":                   func(s settings) bool { return s.MinDialect == 0x0311 && s.MaxDialect == 0x0311 },
		"vers=3.1.1":                  func(s settings) bool { return s.MinDialect == 0x0311 && s.MaxDialect == 0x0311 },
		"vers=3":                      func(s settings) bool { return s.MinDialect == 0x0300 && s.MaxDialect == 0x0311 },
		"vers=2.1,vers=default":       func(s settings) bool { return s.MinDialect == 0x0210 && s.MaxDialect == 0x0311 },
		"":                            func(s settings) bool { return s.RequireSigning && !s.Seal && s.Notify == "auto" },
		"seal":                        func(s settings) bool { return s.Seal },
		"nosign":                      func(s settings) bool { return !s.RequireSigning },
		"nosign,sign":                 func(s settings) bool { return s.RequireSigning },
		"uid=1000,gid=1001":           func(s settings) bool { return s.UID == 1000 && s.GID == 1001 },
		"uid=root,gid=root":           func(s settings) bool { return s.UID == 0 && s.GID == 0 },
		"file_mode=0640,dir_mode=750": func(s settings) bool { return s.FileMode == 0o640 && s.DirMode == 0o750 },
		"ro":                          func(s settings) bool { return s.ReadOnly },
		"ro,rw":                       func(s settings) bool { return !s.ReadOnly },
		"allow_other":                 func(s settings) bool { return s.AllowOther },
		"noexec,noatime,noexec": func(s settings) bool {
			return slices.Equal(s.MountFlags, []string{"nosuid", "nodev", "noexec", "noatime"})
		},
		"noexec,exec,suid,dev":    func(s settings) bool { return slices.Equal(s.MountFlags, []string{"nosuid", "nodev"}) },
		"actimeo=0":               func(s settings) bool { return s.AttrTimeout == 0 },
		"actimeo=60":              func(s settings) bool { return s.AttrTimeout == time.Minute },
		"rsize=65536,wsize=70000": func(s settings) bool { return s.ReadSize == 65536 && s.WriteSize == 69632 },
		"notify=off":              func(s settings) bool { return s.Notify == "off" },
		"closewrite_delay=1500":   func(s settings) bool { return s.CloseWriteDelay == 1500*time.Millisecond },
		"modify_interval=2s":      func(s settings) bool { return s.ModifyInterval == 2*time.Second },
		"logfile=/x/y":            func(s settings) bool { return s.LogFile == "/x/y" },
		"nobrl":                   func(s settings) bool { return s.LocalLocks },
		",,ro,,":                  func(s settings) bool { return s.ReadOnly },
		"_netdev,nofail,noauto,auto,users,nouser,owner,group,defaults,x-systemd.automount,x-gvfs-name=a b,X-mount.mkdir,comment=c": func(s settings) bool { return true },
		"suid,nosuid,dev,nodev,async,atime,relatime,mapposix,iocharset=utf8,serverino,nounix,noperm,soft,hard,cache=strict":        func(s settings) bool { return true },
	} {
		s, err := parseOptions(arg)
		if err != nil || !check(s) {
			t.Errorf("%q: %v, %+v", arg, err, s)
		}
	}
}

func TestOptionErrors(t *testing.T) {
	for arg, says := range map[string]string{
		"frobnicate":          `unknown mount option "frobnicate"`,
		"frobnicate=1":        `unknown mount option "frobnicate"`,
		"passwort=very-s,,k":  `unknown mount option "passwort"`,
		"x-":                  `unknown mount option "x-"`,
		"=":                   `unknown mount option ""`,
		"user=bob%very-s":     "credentials file",
		"user=":               "empty",
		"username":            "empty",
		"credentials":         "needs a value: credentials=FILE",
		"credentials=":        "no file",
		"guest=1":             "takes no value",
		"port=0":              "1 to 65535",
		"port=65536":          "1 to 65535",
		"port=smb":            "1 to 65535",
		"ip=host":             "not an IP address",
		"vers=1.0":            "obsolete",
		"vers=2.0":            "obsolete",
		"vers=4":              "not a dialect",
		"sec=krb5":            "Kerberos is not supported yet",
		"sec=krb5i":           "Kerberos is not supported yet",
		"sec=ntlmv2":          "use ntlmssp",
		"sec=x":               "not known",
		"uid=no-such-user-1":  `no user "no-such-user-1"`,
		"gid=no-such-group-1": `no group "no-such-group-1"`,
		"uid=4294967295":      "not an id",
		"uid=":                "not an id",
		"uid=-1":              `no user "-1"`,
		"file_mode=0888":      "octal",
		"file_mode=4755":      "octal",
		"dir_mode=rwx":        "octal",
		"actimeo=-1":          "seconds",
		"rsize=100":           "4096",
		"wsize=99999999999":   "4096",
		"notify=often":        "auto, dir, tree, poll, off",
		"closewrite_delay=0":  "more than 0",
		"modify_interval=2h":  "at most 1h",
		"cache=none":          "strict and loose",
		"iocharset=latin1":    "utf8",
		"logfile=":            "no file",
	} {
		_, err := parseOptions(arg)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q in it", arg, err, says)
		}
		if err != nil && strings.Contains(err.Error(), "very-s") {
			t.Errorf("%q: the password is in the error: %v", arg, err)
		}
		if strings.HasPrefix(says, "unknown") != errors.Is(err, errUnknownOption) {
			t.Errorf("%q: %v is or is not errUnknownOption", arg, err)
		}
	}
}

// Every row can be found by each of its names, is documented, and belongs to a group that is shown.
func TestOptionTable(t *testing.T) {
	seen := map[string]bool{}
	for i := range optionTable {
		o := &optionTable[i]
		if o.help == "" || !slices.Contains(optionGroups, o.group) || (o.arg == needArg && o.meta == "") {
			t.Errorf("%v: incomplete", o.names)
		}
		if strings.HasPrefix(o.names[0], "pass") != o.secret {
			t.Errorf("%v: secret is %v", o.names, o.secret)
		}
		for _, n := range o.names {
			if seen[n] {
				t.Errorf("%s is there twice", n)
			}
			seen[n] = true
			if got := findOption(strings.Replace(n, "*", "any", 1)); got != o {
				t.Errorf("%s finds %v", n, got)
			}
			if !strings.Contains(helpText(), n) {
				t.Errorf("%s is not in --help", n)
			}
		}
	}
}

func TestArguments(t *testing.T) {
	for _, line := range []string{
		"smbfs //h/s /m -o ro,uid=5",
		"smbfs -o ro,uid=5 //h/s /m",
		"smbfs -oro,uid=5 //h/s /m",
		"smbfs -o ro //h/s -o uid=5 /m",
		"smbfs //h/s -r /m --options=uid=5",
		"smbfs --options uid=5,ro -- //h/s /m",
		"smbfs -no ro,uid=5 //h/s /m",
		"mount.smbfs //h/s /m -o rw,ro,uid=5 -t smbfs",
		"mount.fuse.smbfs //h/s /m -n -s -o ro,uid=5,frobnicate -t fuse.smbfs",
		"mount.smbfs //h/s /m -rn -o uid=5",
		"smbfs -w -r -o uid=5 //h/s /m",
		`smbfs \\h\s /m -o ro,uid=5`,
	} {
		inv, err := parseArgs(strings.Fields(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if inv.Source != "//h/s" || inv.target != "/m" || !inv.ReadOnly || inv.UID != 5 || inv.foreground || inv.fake || inv.Verbose {
			t.Errorf("%s: %+v", line, inv)
		}
	}
}

func TestArgumentFlags(t *testing.T) {
	for line, check := range map[string]func(*invocation) bool{
		"smbfs -f //h/s /m":                     func(i *invocation) bool { return i.foreground && !i.fake },
		"smbfs -fv //h/s /m":                    func(i *invocation) bool { return i.foreground && i.Verbose },
		"smbfs //h/s /m --foreground --verbose": func(i *invocation) bool { return i.foreground && i.Verbose },
		"smbfs --fake //h/s /m":                 func(i *invocation) bool { return i.fake && !i.foreground },
		"/sbin/mount.smbfs //h/s /m -sfnv":      func(i *invocation) bool { return i.fake && !i.foreground && i.Verbose },
		"smbfs -h":                              func(i *invocation) bool { return i.help },
		"smbfs --help //h/s":                    func(i *invocation) bool { return i.help },
		"smbfs --version":                       func(i *invocation) bool { return i.version },
		"smbfs -V":                              func(i *invocation) bool { return i.version },
		"smbfs -o port=7 //h:8/s /m":            func(i *invocation) bool { return i.Port == 7 },
		"smbfs //h:8/s /m":                      func(i *invocation) bool { return i.Port == 8 },
		"smbfs -- //h/s -m":                     func(i *invocation) bool { return i.target == "-m" },
	} {
		inv, err := parseArgs(strings.Fields(line))
		if err != nil || !check(inv) {
			t.Errorf("%s: %v, %+v", line, err, inv)
		}
	}
}

func TestArgumentErrors(t *testing.T) {
	for line, says := range map[string]string{
		"smbfs":                       "a share and a mount point",
		"smbfs //h/s":                 "a share and a mount point",
		"smbfs //h/s /m /n":           "1 arguments too many",
		"smbfs //h/s /m -o":           "-o needs a value",
		"smbfs -q //h/s /m":           "unknown option -q",
		"smbfs -F //h/s /m":           "unknown option -F",
		"smbfs -fE //h/s /m":          "unknown option -E",
		"smbfs --frob //h/s /m":       "unknown option --frob",
		"smbfs --verbose=1 //h/s /m":  "takes no value",
		"mount.smbfs //h/s /m -N /ns": "namespace",
		"smbfs h/s /m":                `"h/s" is not the address of a share`,
		"smbfs //h/s /m -o frob":      `unknown mount option "frob"`,
	} {
		_, err := parseArgs(strings.Fields(line))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q in it", line, err, says)
		}
		if _, code := explain(err, &Config{}); code != exitUsage {
			t.Errorf("%s: exit code %d", line, code)
		}
	}
}

func TestSource(t *testing.T) {
	type want struct {
		host        string
		port        uint16
		share, path string
		source      string
	}
	for in, w := range map[string]want{
		"//h/s":                 {"h", 445, "s", "", "//h/s"},
		"//h/s/":                {"h", 445, "s", "", "//h/s"},
		"//h/s//a/./b/":         {"h", 445, "s", "a/b", "//h/s/a/b"},
		`\\h\s\a b`:             {"h", 445, "s", "a b", "//h/s/a b"},
		"//h:4455/s":            {"h", 4455, "s", "", "//h:4455/s"},
		"//[::1]/s":             {"::1", 445, "s", "", "//[::1]/s"},
		"//[::1]:4455/s/a":      {"::1", 4455, "s", "a", "//[::1]:4455/s/a"},
		"//::1/s":               {"::1", 445, "s", "", "//::1/s"},
		"//fe80::1%eth0/s":      {"fe80::1%eth0", 445, "s", "", "//fe80::1%eth0/s"},
		"//192.0.2.1/IPC$":      {"192.0.2.1", 445, "IPC$", "", "//192.0.2.1/IPC$"},
		"//h/Übung & Co/ä/..b/": {"h", 445, "Übung & Co", "ä/..b", "//h/Übung & Co/ä/..b"},
	} {
		c := defaultConfig()
		err := c.setSource(in)
		if got := (want{c.Host, c.Port, c.Share, c.Path, c.Source}); err != nil || got != w {
			t.Errorf("%s: %v, %+v, want %+v", in, err, got, w)
		}
	}
	for _, in := range []string{"", "h:/s", "/h/s", "//", "//h", "//h/", "///s", "//h:/s", "//h:0/s", "//h:x/s", "//[::1/s", "//[h]/s", "//[::1]x/s",
		"//[::1]:/s", "//a:b:c/s", "//h/s/../x", "//h/s/a\x00", "//h\n/s", "smb://h/s", "//bob:very-secret@h/s", "bob:very-secret@h/s"} {
		c := defaultConfig()
		if err := c.setSource(in); err == nil || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, tc := range []struct {
		c    Config
		want string
	}{
		{Config{Host: "h", Port: 445}, "h:445"},
		{Config{Host: "::1", Port: 1}, "[::1]:1"},
		{Config{Host: "h", Addr: "192.0.2.1", Port: 2}, "192.0.2.1:2"},
	} {
		if got := tc.c.Address(); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

func TestCredentialsFile(t *testing.T) {
	for name, tc := range map[string]struct {
		text                   string
		user, domain, password string
	}{
		"plain":            {"username=bob\npassword=secret\ndomain=D\n", "bob", "D", "secret"},
		"short names":      {"user=bob\npass=secret\ndom=D", "bob", "D", "secret"},
		"any case, blanks": {"  \tUserName=bob\n PASSWORD=secret\nDomain=D\n", "bob", "D", "secret"},
		"value as it is":   {"username=bob\npassword= a=b,c # d \n", "bob", "", " a=b,c # d "},
		"comments":         {"# a comment\n\n; another\nusername=bob\nnonsense\npassword=x\n", "bob", "", "x"},
		"CRLF":             {"username=bob\r\npassword=x\r\n", "bob", "", "x"},
		"domain in name":   {`username=D\bob` + "\npassword=x", "bob", "D", "x"},
		"percent":          {"username=a%b\npassword=x", "a%b", "", "x"},
		"password2":        {"username=bob\npassword=x\npassword2=y\n", "bob", "", "x"},
		"empty password":   {"username=bob\npassword=\n", "bob", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "c")
			if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var s settings
			err := s.readCredentials(file, func(w string) { t.Errorf("warning: %s", w) })
			if err != nil || s.Username != tc.user || s.Domain != tc.domain || string(s.Password) != tc.password || !s.passwordSet {
				t.Errorf("%v, %q %q %q", err, s.Username, s.Domain, string(s.Password))
			}
		})
	}
}

func TestCredentialsFileWarnsAndFails(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(file, []byte(text), mode), os.Chmod(file, mode)); err != nil {
			t.Fatal(err)
		}
		return file
	}
	var warnings []string
	warn := func(w string) { warnings = append(warnings, w) }
	var s settings
	if err := s.readCredentials(write("open", "username=bob", 0o644), warn); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "chmod 600") {
		t.Errorf("world-readable: %v, %q", err, warnings)
	}
	for file, says := range map[string]string{
		filepath.Join(dir, "none"): "no such file",
		dir:                        "directory",
		write("empty", "password=very-secret\n", 0o600):           "no line",
		write("big", strings.Repeat("x", maxSecretFile+1), 0o600): "too long",
	} {
		var s settings
		err := s.readCredentials(file, warn)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%s: %v, want %q in it", file, err, says)
		}
	}
}
