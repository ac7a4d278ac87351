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
// and commas included; blanks after '=' are skipped if there are some before it. A line without '=' and one that begins with # or ; is a comment. What an option said already wins over the file. It warns about a file that others
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
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(text, utf8BOM)) {
		number++
		if !found.credentialLine(strings.TrimRight(string(line), "\r\n")) { // the number alone: the line may hold the password
			warn(fmt.Sprintf("credentials file %s, line %d: before = there is none of username, password, password2 and domain; the line is ignored", file, number))
		}
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

// utf8BOM is what some editors put at the beginning of a file.
var utf8BOM = []byte("\xef\xbb\xbf")

// credentialLine takes one line. It reports false for one that looks like a setting and is none.
func (s *settings) credentialLine(line string) bool {
	line = strings.TrimLeft(line, " \t")
	before, value, ok := strings.Cut(line, "=")
	name := strings.ToLower(strings.TrimRight(before, " \t"))
	if name != strings.ToLower(before) { // "password = x"
		value = strings.TrimLeft(value, " \t")
	}
	switch {
	case !ok, strings.HasPrefix(line, "#"), strings.HasPrefix(line, ";"):
	case strings.HasPrefix(name, "user"):
		s.setUserName(value)
	case name == "password2":
	case strings.HasPrefix(name, "pass"):
		s.Password, s.passwordSet = Secret(value), true
	case strings.HasPrefix(name, "dom"):
		s.Domain = value
	default:
		return false
	}
	return true
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
