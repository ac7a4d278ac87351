package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// passwordVars are the variables of mount.cifs(8) that give a password.
var passwordVars = []string{"PASSWD", "PASSWD_FD", "PASSWD_FILE"}

// credentialsError marks failures to get at a user name or password that lie on this machine.
type credentialsError struct{ err error }

func (e credentialsError) Error() string { return e.err.Error() }
func (e credentialsError) Unwrap() error { return e.err }

// passwordEnv holds the password variables as they were at the start; takePasswordEnv removes them from the environment.
type passwordEnv struct {
	passwd, fd, file string
	has              [3]bool
}

// takePasswordEnv moves the password variables out of the environment, so that no child inherits them.
func takePasswordEnv() passwordEnv {
	var e passwordEnv
	for i, dst := range []*string{&e.passwd, &e.fd, &e.file} {
		*dst, e.has[i] = os.LookupEnv(passwordVars[i])
		os.Unsetenv(passwordVars[i])
	}
	return e
}

// get reads the password that the environment gives: PASSWD, or else from PASSWD_FD, or else from PASSWD_FILE (first line each).
func (e passwordEnv) get() (pw Secret, ok bool, err error) {
	var text []byte
	switch {
	case e.has[0]:
		return Secret(e.passwd), true, nil
	case e.has[1]:
		fd, convErr := strconv.ParseUint(e.fd, 10, 16)
		if convErr != nil {
			return "", false, errors.New("PASSWD_FD is not the number of a file descriptor")
		}
		f := os.NewFile(uintptr(fd), "PASSWD_FD")
		defer f.Close()
		if text, err = readSecret(f); err != nil {
			return "", false, fmt.Errorf("PASSWD_FD=%d: %w", fd, err)
		}
	case e.has[2]:
		if text, _, err = readSecretFile(e.file); err != nil {
			return "", false, fmt.Errorf("PASSWD_FILE %s: %w", e.file, err)
		}
	default:
		return "", false, nil
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return Secret(bytes.TrimSuffix(line, []byte("\r"))), true, nil
}

// complete finds user name and password: options, credentials file, environment, prompt, the earlier in this list going before the
// later. ask is called last, and not at all for an anonymous mount.
func (s *settings) complete(env passwordEnv, warn func(string), ask func(prompt string) (Secret, error)) error {
	if s.guest {
		s.Anonymous, s.Username, s.Domain, s.Password = true, "", "", ""
		if !s.signingSet {
			s.RequireSigning = false // a guest has no key to sign with
		}
		return nil
	}
	if s.credentials != "" {
		if err := s.readCredentials(s.credentials, warn); err != nil {
			return credentialsError{err}
		}
	}
	if s.Username == "" {
		s.Username = currentUser()
	}
	if s.passwordSet {
		return nil
	}
	pw, ok, err := env.get()
	if err == nil && !ok {
		pw, err = ask(fmt.Sprintf("Password for %s at %s: ", s.Username, s.Source))
	}
	if err != nil {
		return credentialsError{err}
	}
	s.Password = pw
	return nil
}

func currentUser() string {
	if u := os.Getenv("USER"); u != "" {
		return u
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}

// askPassword asks on the terminal, without echo. An interrupt puts the terminal right before it ends the command.
func askPassword(prompt string) (Secret, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", errors.New("a password is needed and there is no terminal to ask on; use credentials=FILE, PASSWD_FILE, or guest")
	}
	defer tty.Close()
	fd := int(tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("cannot ask for the password on /dev/tty: %w", err)
	}
	sigs := make(chan os.Signal, 1)
	signal.Notify(sigs, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	defer signal.Stop(sigs)
	fmt.Fprint(tty, prompt)

	type answer struct {
		b   []byte
		err error
	}
	answers := make(chan answer, 1)
	go func() { // ends with the line, or with the process
		b, err := term.ReadPassword(fd)
		answers <- answer{b, err}
	}()
	select {
	case a := <-answers:
		fmt.Fprintln(tty)
		if a.err != nil {
			return "", errors.New("no password was typed")
		}
		return Secret(a.b), nil
	case <-sigs:
		_ = term.Restore(fd, before)
		fmt.Fprintln(tty)
		return "", errors.New("interrupted while asking for the password")
	}
}
