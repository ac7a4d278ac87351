package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const someMountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/a\040b rw,nosuid - fuse.smbfs //h/s rw,user_id=0
31 22 0:41 / /mnt/x rw - autofs systemd-1 rw,fd=40
32 31 0:42 / /mnt/x rw - cifs //h/t\134u rw
broken line
33 22 0:43
`

func TestFindMount(t *testing.T) {
	for path, want := range map[string]mountEntry{
		"/":        {mountpoint: "/", fstype: "ext4", source: "/dev/sda1"},
		"/mnt/a b": {mountpoint: "/mnt/a b", fstype: "fuse.smbfs", source: "//h/s"},
		"/mnt/x":   {mountpoint: "/mnt/x", fstype: "cifs", source: `//h/t\u`},
	} {
		if got, ok := findMount(someMountinfo, path); !ok || got.mountpoint != want.mountpoint || got.fstype != want.fstype || got.source != want.source {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if got, ok := findMount(someMountinfo, "/mnt"); ok {
		t.Errorf("/mnt: %+v", got)
	}
}

func TestMountpoint(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(".", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{dir, dir + "/", filepath.Join(dir, "link"), dir + "/./link/"} {
		if got, err := findMountpoint(target); err != nil || got != dir {
			t.Errorf("%s: %q, %v", target, got, err)
		}
	}
	t.Chdir(dir)
	if got, err := checkMountpoint("."); err != nil || got != dir {
		t.Errorf(".: %q, %v", got, err)
	}
}

// What needs no server to be found wrong: one line that says what and what to do, the right exit code, at once.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		mnt  string
		fuse string
		code int
		says []string
	}{
		"no arguments":                {args: []string{}, mnt: "-", code: exitUsage, says: []string{"smbfs [-f]"}},
		"unknown option":              {args: []string{"-o", "ro,frobnicate=1", "//h/s"}, code: exitUsage, says: []string{`unknown mount option "frobnicate"`, "--help"}},
		"refused dialect":             {args: []string{"-o", "vers=1.0", "//h/s"}, code: exitUsage, says: []string{"vers", "obsolete"}},
		"Kerberos":                    {args: []string{"-o", "sec=krb5", "//h/s"}, code: exitUsage, says: []string{"sec", "not supported yet"}},
		"bad address":                 {args: []string{"h:/s"}, code: exitUsage, says: []string{"//host[:port]/share[/path]"}},
		"mount point missing":         {args: []string{"//h/s"}, mnt: filepath.Join(dir, "none"), code: exitMount, says: []string{"does not exist", "mkdir -p"}},
		"mount point is a file":       {args: []string{"//h/s"}, mnt: file, code: exitMount, says: []string{"not a directory"}},
		"mount point below a file":    {args: []string{"//h/s"}, mnt: filepath.Join(file, "x"), code: exitMount, says: []string{"not a directory"}},
		"mount point busy":            {args: []string{"//h/s"}, mnt: "/proc", code: exitMount, says: []string{"/proc is busy", "umount"}},
		"credentials file missing":    {args: []string{"-o", "credentials=/no/such", "//h/s"}, code: exitSystem, says: []string{"/no/such", "no such file"}},
		"credentials are a directory": {args: []string{"-o", "credentials=" + dir, "//h/s"}, code: exitSystem, says: []string{dir, "directory"}},
		"no password, no terminal":    {args: []string{"//h/s"}, code: exitSystem, says: []string{"no terminal", "credentials=FILE"}},
		"no /dev/fuse":                {args: []string{"-o", "pass=x", "//h/s"}, fuse: "/no/fuse", code: exitSystem, says: []string{"/no/fuse is missing", "modprobe fuse"}},
		"/dev/fuse is not one":        {args: []string{"-o", "pass=x", "//h/s"}, fuse: dir, code: exitSystem, says: []string{"cannot be opened"}},
		"log file":                    {args: []string{"-o", "pass=x,logfile=/no/such/log", "//h/s"}, code: exitSystem, says: []string{"log file /no/such/log", "no such"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCommand(t, "ok")
			switch tc.mnt {
			case "":
				tc.mnt = c.mnt
			case "-":
				tc.mnt = ""
			}
			args := tc.args
			if tc.mnt != "" {
				args = append(args, tc.mnt)
			}
			c.env = append(c.env, testFuse+"="+tc.fuse)
			begin := time.Now()
			cmd := c.cmd(args...)
			cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true} // no controlling terminal, whoever runs the test
			code, stderr := finish(t, cmd)
			if code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			oneErrorLine(t, stderr, tc.says...)
			if d := time.Since(begin); d > 10*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

func TestFakeChecksAndMountsNothing(t *testing.T) {
	c := newCommand(t, "ok")
	if code, stderr := c.run("--fake", "-o", "pass=x", "//h/s", c.mnt); code != 0 || stderr != "" || c.has("pid") {
		t.Errorf("exit code %d: %s, mounted: %v", code, stderr, c.has("pid"))
	}
	if code, _ := c.run("--fake", "-o", "pass=x", "//h/s", c.mnt+"/none"); code != exitMount {
		t.Errorf("exit code %d for a missing mount point", code)
	}
}

func TestHelpAndVersion(t *testing.T) {
	c := newCommand(t, "ok")
	for arg, says := range map[string]string{"--help": "Usage: smbfs", "--version": "smbfs "} {
		out, err := c.cmd(arg).Output()
		if err != nil || !strings.Contains(string(out), says) {
			t.Errorf("%s: %v: %s", arg, err, out)
		}
	}
	for _, line := range strings.Split(helpText(), "\n") {
		if len(line) > 92 {
			t.Errorf("too long: %q", line)
		}
	}
}

func TestUserAllowOther(t *testing.T) {
	defer func(old string) { fuseConf = old }(fuseConf)
	fuseConf = filepath.Join(t.TempDir(), "fuse.conf")
	for text, want := range map[string]bool{
		"user_allow_other\n":                    true,
		"mount_max = 7\n  user_allow_other  \n": true,
		"#user_allow_other\n":                   false,
		"":                                      false,
	} {
		if err := os.WriteFile(fuseConf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := userAllowOther(); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	fuseConf += "-none"
	if userAllowOther() {
		t.Error("without a file")
	}
}
