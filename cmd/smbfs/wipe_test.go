package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestSecretSpans(t *testing.T) {
	for arg, want := range map[string]string{ // the secrets, each between < and >
		"password=abc":               "password=<abc>",
		"ro,pass=abc,rw":             "ro,pass=<abc>,rw",
		"PassWord=abc":               "PassWord=<abc>",
		"passwd=abc,passphrase=def":  "passwd=<abc>,passphrase=<def>",
		"password=a,,b,user=x":       "password=<a,,b>,user=x",
		"password2=a":                "password2=<a>",
		"-opass=a,ro":                "-opass=<a>,ro",
		"-fvopass=a":                 "-fvopass=<a>",
		"--options=ro,pass=a":        "--options=ro,pass=<a>",
		"user=bob%abc,ro":            "user=bob%<abc>,ro",
		"username=D/bob%abc":         "username=D/bob%<abc>",
		"//bob:abc@host/share":       "//<bob:abc>@host/share",
		`\\bob:abc@host\share`:       `\\<bob:abc>@host\share`,
		"//host/share":               "//host/share",
		"ro,user=bob,credentials=/p": "ro,user=bob,credentials=/p",
		"pass":                       "pass",
		"":                           "",
		"/mnt/pass=word":             "/mnt/pass=word",
	} {
		var got strings.Builder
		at := 0
		for _, s := range secretSpans(arg) {
			got.WriteString(arg[at:s.from] + "<" + arg[s.from:s.to] + ">")
			at = s.to
		}
		got.WriteString(arg[at:])
		if got.String() != want {
			t.Errorf("%q: %q, want %q", arg, got.String(), want)
		}
	}
}

// The process list shows no password, wherever it was given, and the mount still gets it.
func TestProcessListIsWiped(t *testing.T) {
	for name, args := range map[string][]string{
		"option":   {"-o", "ro,password=very-secret,,x,user=bob"},
		"attached": {"-ouser=bob,pass=very-secret,,x"},
		"long":     {"--options=password2=very-secret,pass=very-secret,,x"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCommand(t, "ok")
			cmd := c.cmd(append(args, "-f", "//host/share", c.mnt)...)
			cmd.Env = append(cmd.Env, "PASSWD=very-secret-env")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			pid := c.daemonPID()
			for _, file := range []string{"cmdline", "environ"} {
				b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + file)
				if err != nil || bytes.Contains(b, []byte("very-secret")) || !bytes.Contains(b, []byte("xxxx")) {
					t.Errorf("%s, %v: %q", file, err, b)
				}
				if file == "cmdline" && !bytes.Contains(b, []byte("//host/share\x00"+c.mnt)) {
					t.Errorf("too much was wiped: %q", b)
				}
			}
			if b, _ := os.ReadFile(filepath.Join(c.dir, "password")); string(b) != "very-secret,x" {
				t.Errorf("the mount got the password %q", b)
			}
			c.leave("umount")
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
