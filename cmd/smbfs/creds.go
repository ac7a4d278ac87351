package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxSecretFile bounds what is read from a credentials or password file.
const maxSecretFile = 64 << 10

// readCredentials reads a credentials file of mount.cifs(8): lines "username=value", "password=value", "domain=value", with the names
// told by their first letters in any case, leading blanks skipped, and everything after '=' taken as it is, trailing blanks
// and commas included. Other lines are comments. What an option said already wins over the file. It warns about a file that others
// can read.
func (s *settings) readCredentials(file string, warn func(string)) error {
	text, mode, err := readSecretFile(file)
	if err != nil {
		return fmt.Errorf("credentials file %s: %w", file, err)
	}
	if mode.Perm()&0o004 != 0 {
		warn(fmt.Sprintf("credentials file %s can be read by everybody; chmod 600 it", file))
	}
	var found settings
	for line := range bytes.Lines(text) {
		found.credentialLine(strings.TrimRight(string(line), "\r\n"))
	}
	s.Username = cmp.Or(s.Username, found.Username)
	s.Domain = cmp.Or(s.Domain, found.Domain)
	if !s.passwordSet {
		s.Password, s.passwordSet = found.Password, found.passwordSet
	}
	if s.Username == "" {
		return fmt.Errorf("credentials file %s has no line \"username=NAME\"", file)
	}
	return nil
}

func (s *settings) credentialLine(line string) {
	name, value, ok := strings.Cut(strings.TrimLeft(line, " \t"), "=")
	name = strings.ToLower(name)
	switch {
	case !ok:
	case strings.HasPrefix(name, "user"):
		s.setUserName(value)
	case strings.TrimRight(name, " \t") == "password2":
	case strings.HasPrefix(name, "pass"):
		s.Password, s.passwordSet = Secret(value), true
	case strings.HasPrefix(name, "dom"):
		s.Domain = value
	}
}

// readSecretFile reads a small file; its errors say what to do and never what the file holds.
func readSecretFile(name string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, explainFileError(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, 0, explainFileError(err)
	}
	if st.IsDir() {
		return nil, 0, errors.New("this is a directory, not a file")
	}
	b, err := readSecret(f)
	return b, st.Mode(), err
}

func readSecret(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSecretFile+1))
	if err != nil {
		return nil, explainFileError(err)
	}
	if len(b) > maxSecretFile {
		return nil, errors.New("too long to hold a password")
	}
	return b, nil
}

func explainFileError(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such file")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("permission denied; it must be readable by the user who mounts")
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("cannot be read: %w", pe.Err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}
