package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"smbfs/health"
)

const healthMountinfo = `22 1 8:1 / / rw - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/a rw,nosuid - fuse.smbfs //h/a rw,user_id=1000,group_id=1000
31 30 0:41 / /mnt/a/b rw - tmpfs none rw
32 22 0:42 / /mnt/c rw - fuse.smbfs //h/c rw,user_id=0,group_id=0,allow_other
33 22 0:40 /sub /srv/bound rw - fuse.smbfs //h/a rw,user_id=1000,group_id=1000
34 22 0:43 / /mnt/d rw - fuse.smbfs //h/below rw,user_id=0
35 34 0:44 / /mnt/d rw - fuse.smbfs //h/on-top rw,user_id=0
36 22 0:45 / /mnt/e rw - fuse.smbfs //h/buried rw,user_id=0
37 36 0:46 / /mnt/e rw - ext4 /dev/sdb1 rw
`

func TestSmbfsMounts(t *testing.T) {
	var got []string
	for _, e := range smbfsMounts(healthMountinfo) {
		got = append(got, e.source+" "+e.mountpoint)
	}
	want := []string{"//h/a /mnt/a", "//h/c /mnt/c", "//h/a /srv/bound", "//h/on-top /mnt/d"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if first := firstNames(smbfsMounts(healthMountinfo)); len(first) != 3 || first[0].owner != 1000 || first[1].owner != 0 {
		t.Errorf("%+v", first)
	}
}

func TestInMount(t *testing.T) {
	for path, want := range map[string]struct{ source, below string }{
		"/mnt/a":         {"//h/a", ""},
		"/mnt/a/x/y":     {"//h/a", "x/y"},
		"/mnt/a/b/x":     {"none", "x"},
		"/mnt/ab":        {"/dev/sda1", "mnt/ab"},
		"/srv/bound/dir": {"//h/a", "sub/dir"},
		"/mnt/d/x":       {"//h/on-top", "x"},
		"/mnt/e":         {"/dev/sdb1", ""},
	} {
		if e, below, ok := inMount(healthMountinfo, path); !ok || e.source != want.source || below != want.below {
			t.Errorf("%s: %s %q, want %+v", path, e.source, below, want)
		}
	}
}

func TestMetricsOption(t *testing.T) {
	for value, good := range map[string]bool{
		"127.0.0.1:9100": true, "[::1]:9100": true, "localhost:9100": true, "127.8.9.10:0": true, "unix:/run/x": true,
		"0.0.0.0:9100": false, "[::]:9100": false, ":9100": false, "192.168.1.1:9100": false, "example.org:9100": false,
		"unix:x": false, "unix:": false, "127.0.0.1": false, "127.0.0.1:": false, "": false, "[fe80::1]:9100": false,
	} {
		s := settings{Config: defaultConfig()}
		err := s.apply("metrics="+value, false)
		if good != (err == nil) || good && s.Metrics != value {
			t.Errorf("metrics=%s: %v", value, err)
		}
		if host := strings.HasPrefix(value, "192."); host && !errors.Is(err, health.ErrNotLoopback) {
			t.Errorf("metrics=%s: %v does not say what is wrong", value, err)
		}
	}
}

func TestDoctorSettings(t *testing.T) {
	s, err := doctorSettings([]string{"-o", "username=bob,port=4455", "//nas/media/sub", "-oseal"})
	if err != nil || s.Username != "bob" || s.Port != 4455 || !s.Seal || s.Share != "media" || s.Path != "sub" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, args := range [][]string{{}, {"//a/b", "/mnt"}, {"media"}, {"-o", "frobnicate", "//a/b"}, {"--frobnicate", "//a/b"}} {
		if _, err := doctorSettings(args); !errors.As(err, new(usageError)) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// Subcommands are what their names say; a mount helper has none, and wrong words are told in one line.
func TestSubcommands(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"help":             {[]string{"status", "--help"}, 0, ""},
		"unknown flag":     {[]string{"status", "--frobnicate"}, 1, "unknown option --frobnicate"},
		"no mount":         {[]string{"status", "/proc"}, 1, "/proc is not in a mount of smbfs"},
		"watch nothing":    {[]string{"watch"}, 1, "give one path"},
		"watch elsewhere":  {[]string{"watch", "/proc"}, 1, "not in a mount"},
		"doctor of none":   {[]string{"doctor"}, 1, "give one share"},
		"not a subcommand": {[]string{"frobnicate"}, 1, "a share and a mount point are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stderr := newCommand(t, "ok").run(tc.args...)
			if code != tc.code {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			if tc.says != "" {
				oneErrorLine(t, stderr, tc.says)
			}
		})
	}
	c := newCommand(t, "ok").cmd("status", "/nowhere")
	c.Args[0] = "mount.smbfs"
	if code, stderr := finish(t, c); code != exitUsage || strings.Contains(stderr, "not in a mount") {
		t.Errorf("as a mount helper: %d, %s", code, stderr)
	}
}

// The status is drawn again and again until a signal comes.
func TestStatusAgainAndAgain(t *testing.T) {
	cmd := newCommand(t, "ok").cmd("status", "--watch", "--json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	b := make([]byte, 1<<20)
	for range 2 {
		if n, err := out.Read(b); err != nil || b[0] != '[' || n < 3 {
			t.Fatalf("%q, %v", b[:n], err)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) || cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("%v", err)
	}
}
