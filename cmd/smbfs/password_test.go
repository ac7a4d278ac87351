package main

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noQuestion is an ask that must not be called.
func noQuestion(t *testing.T) func(string) (Secret, error) {
	return func(p string) (Secret, error) {
		t.Errorf("asked: %s", p)
		return "", errors.New("asked")
	}
}

func TestPasswordSources(t *testing.T) {
	dir := t.TempDir()
	creds, pwFile := filepath.Join(dir, "creds"), filepath.Join(dir, "pw")
	for file, text := range map[string]string{creds: "username=carol\npassword=from-file\ndomain=D\n", pwFile: "from-passwd-file\nsecond line\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("USER", "dave")
	env := passwordEnv{passwd: "from-env", has: [3]bool{true}}
	envFile := passwordEnv{file: pwFile, has: [3]bool{false, false, true}}
	for name, tc := range map[string]struct {
		options              string
		env                  passwordEnv
		user, domain, passwd string
	}{
		"option":                       {"user=bob,pass=given", env, "bob", "", "given"},
		"empty option":                 {"user=bob,pass=", env, "bob", "", ""},
		"credentials":                  {"credentials=" + creds, env, "carol", "D", "from-file"},
		"options go before the file":   {"user=bob,dom=E,credentials=" + creds, env, "bob", "E", "from-file"},
		"password goes before as well": {"pass=given,credentials=" + creds, env, "carol", "D", "given"},
		"environment":                  {"user=bob", env, "bob", "", "from-env"},
		"default user":                 {"", env, "dave", "", "from-env"},
		"PASSWD_FILE":                  {"user=bob", envFile, "bob", "", "from-passwd-file"},
		"guest":                        {"guest,user=bob,pass=given", env, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parseOptions(tc.options)
			if err != nil {
				t.Fatal(err)
			}
			err = s.complete(tc.env, func(w string) { t.Errorf("warning: %s", w) }, noQuestion(t))
			if err != nil || s.Username != tc.user || s.Domain != tc.domain || string(s.Password) != tc.passwd || s.Anonymous != (name == "guest") {
				t.Errorf("%v: %q %q %q anonymous=%v", err, s.Username, s.Domain, string(s.Password), s.Anonymous)
			}
		})
	}
}

func TestPasswordIsAskedFor(t *testing.T) {
	s, _ := parseOptions("user=bob")
	s.Source = "//h/s"
	err := s.complete(passwordEnv{}, nil, func(prompt string) (Secret, error) {
		if !strings.Contains(prompt, "bob") || !strings.Contains(prompt, "//h/s") {
			t.Errorf("the prompt is %q", prompt)
		}
		return "typed", nil
	})
	if err != nil || s.Password != "typed" {
		t.Errorf("%v, %q", err, string(s.Password))
	}
}

func TestPasswordEnvErrors(t *testing.T) {
	for _, env := range []passwordEnv{
		{fd: "x", has: [3]bool{false, true}},
		{fd: "9999", has: [3]bool{false, true}},
		{file: "/no/such/file", has: [3]bool{false, false, true}},
	} {
		s, _ := parseOptions("user=bob")
		err := s.complete(env, nil, noQuestion(t))
		if line, code := explain(err, &s.Config); code != exitSystem || !strings.Contains(line, "PASSWD_") {
			t.Errorf("%v: %d %s", env, code, line)
		}
	}
}

func TestPasswordFD(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(w, "from-fd")
	w.Close()
	c := newCommand(t, "ok")
	c.leave("umount")
	cmd := c.cmd("-f", "//host/share", c.mnt)
	cmd.ExtraFiles = append(cmd.ExtraFiles, r)
	cmd.Env = append(cmd.Env, "PASSWD_FD=3")
	if code, stderr := finish(t, cmd); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	r.Close()
	if b, _ := os.ReadFile(filepath.Join(c.dir, "password")); string(b) != "from-fd" {
		t.Errorf("the password is %q", b)
	}
}

func TestTakePasswordEnv(t *testing.T) {
	for _, v := range passwordVars {
		t.Setenv(v, "1")
	}
	e := takePasswordEnv()
	if e.has != [3]bool{true, true, true} {
		t.Errorf("%+v", e.has)
	}
	for _, v := range passwordVars {
		if _, ok := os.LookupEnv(v); ok {
			t.Errorf("%s is still there", v)
		}
	}
}

// A Config holds a password; whatever is done to show one, the password is not shown.
func TestSecretIsNeverShown(t *testing.T) {
	c := defaultConfig()
	c.Password = "very-secret"
	var out bytes.Buffer
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, format+" "+format+" "+format+"\n", c, &c, c.Password)
	}
	for _, log := range []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))} {
		log.Info("m", "config", c, "pointer", &c, "password", c.Password)
		log.Info("m", "nested", struct{ C Config }{c})
	}
	j, err := json.Marshal(c)
	out.Write(j)
	if err != nil || strings.Contains(out.String(), "very-secret") || strings.Contains(out.String(), fmt.Sprintf("%x", "very-secret")) {
		t.Errorf("%v: %s", err, out.String())
	}
	if !strings.Contains(out.String(), hidden) {
		t.Error("nothing was hidden")
	}
}

func TestConfigGoesThroughThePipe(t *testing.T) {
	c := defaultConfig()
	c.Password, c.Source = "very-secret", "//h/s"
	var pipe bytes.Buffer
	var got Config
	if err := errors.Join(gob.NewEncoder(&pipe).Encode(c), gob.NewDecoder(&pipe).Decode(&got)); err != nil {
		t.Fatal(err)
	}
	if string(got.Password) != "very-secret" || got.Source != c.Source || got.FileMode != c.FileMode || len(got.MountFlags) != len(c.MountFlags) {
		t.Errorf("%+v", got)
	}
}

// TestForeignCredentialsFile: a file that an editor of another system wrote is read like any other, and a line that says nothing is named.
func TestForeignCredentialsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "creds")
	text := "\xef\xbb\xbf# of the NAS\r\nusername = carol\r\npassword= with blank \r\nDomain\t= D\r\npasword=secret\r\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := parseOptions("credentials=" + file)
	if err != nil {
		t.Fatal(err)
	}
	var warned []string
	err = s.complete(passwordEnv{}, func(w string) { warned = append(warned, w) }, noQuestion(t))
	if err != nil || s.Username != "carol" || string(s.Password) != " with blank " || s.Domain != "D" {
		t.Errorf("%v: %q %q %q", err, s.Username, string(s.Password), s.Domain)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "line 5") || strings.Contains(warned[0], "secret") {
		t.Errorf("warned: %q", warned)
	}
}
