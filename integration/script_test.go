package integration

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"smbfs/integration/testenv"
)

// An actor makes changes below a folder of its own: on a local folder, on the
// server's own file system, through a mount, or as a second SMB client.
type actor interface {
	write(name, flag, text string) error // flag: "create", "trunc", "append" or "inplace"
	truncate(name string, size int64) error
	mkdir(name string, parents bool) error
	rename(from, to string) error
	unlink(name string) error
	rmdir(name string) error
	removeAll(name string) error
	chmod(name string, mode os.FileMode) error
	touch(name string) error
	link(from, to string) error
}

// runStep does one step of a script:
//
//	write F TEXT       create or overwrite with O_TRUNC (TEXT may be missing)
//	overwrite F TEXT   write in place from the start
//	append F TEXT      truncate F SIZE    touch F    chmod MODE F
//	mkdir [-p] D       mv A B             ln A B
//	rm F               rmdir D            rm -r D
func runStep(a actor, step string) error {
	f := strings.Fields(step)
	arg := func(i int) string {
		if i < len(f) {
			return f[i]
		}
		return ""
	}
	switch f[0] {
	case "write":
		return a.write(arg(1), "trunc", arg(2))
	case "overwrite":
		return a.write(arg(1), "inplace", arg(2))
	case "append":
		return a.write(arg(1), "append", arg(2))
	case "truncate":
		n, err := strconv.ParseInt(arg(2), 10, 64)
		if err != nil {
			return err
		}
		return a.truncate(arg(1), n)
	case "touch":
		return a.touch(arg(1))
	case "chmod":
		mode, err := strconv.ParseUint(arg(1), 8, 32)
		if err != nil {
			return err
		}
		return a.chmod(arg(2), os.FileMode(mode))
	case "mkdir":
		if arg(1) == "-p" {
			return a.mkdir(arg(2), true)
		}
		return a.mkdir(arg(1), false)
	case "mv":
		return a.rename(arg(1), arg(2))
	case "ln":
		return a.link(arg(1), arg(2))
	case "rmdir":
		return a.rmdir(arg(1))
	case "rm":
		if arg(1) == "-r" {
			return a.removeAll(arg(2))
		}
		return a.unlink(arg(1))
	}
	return fmt.Errorf("script: unknown step %q", step)
}

// openFlags are os.OpenFile's flags for a write.
var openFlags = map[string]int{
	"trunc":   os.O_WRONLY | os.O_CREATE | os.O_TRUNC,
	"append":  os.O_WRONLY | os.O_APPEND,
	"inplace": os.O_WRONLY,
}

// folderActor works by system calls below a folder.
type folderActor string

func (d folderActor) at(name string) string { return filepath.Join(string(d), name) }

func (d folderActor) write(name, flag, text string) error {
	f, err := os.OpenFile(d.at(name), openFlags[flag], 0o644)
	if err != nil {
		return err
	}
	if text != "" {
		if _, err := f.WriteString(text); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}

func (d folderActor) truncate(name string, size int64) error {
	f, err := os.OpenFile(d.at(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (d folderActor) mkdir(name string, parents bool) error {
	if parents {
		return os.MkdirAll(d.at(name), 0o755)
	}
	return os.Mkdir(d.at(name), 0o755)
}

func (d folderActor) rename(from, to string) error              { return os.Rename(d.at(from), d.at(to)) }
func (d folderActor) unlink(name string) error                  { return os.Remove(d.at(name)) }
func (d folderActor) rmdir(name string) error                   { return os.Remove(d.at(name)) }
func (d folderActor) removeAll(name string) error               { return removeTree(osTree{}, d.at(name)) }
func (d folderActor) chmod(name string, mode os.FileMode) error { return os.Chmod(d.at(name), mode) }
func (d folderActor) link(from, to string) error                { return os.Link(d.at(from), d.at(to)) }
func (d folderActor) touch(name string) error {
	now := time.Now()
	return os.Chtimes(d.at(name), now, now)
}

// tree is what removeTree needs; the order of removal is the same for all actors.
type tree interface {
	list(dir string) ([]fs.FileInfo, error)
	remove(name string, dir bool) error
}

type osTree struct{}

func (osTree) list(dir string) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	return out, nil
}

func (osTree) remove(name string, _ bool) error { return os.Remove(name) }

func removeTree(t tree, dir string) error {
	entries, err := t.list(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			err = removeTree(t, name)
		} else {
			err = t.remove(name, false)
		}
		if err != nil {
			return err
		}
	}
	return t.remove(dir, true)
}

// peerActor is the second SMB client. Files are go-smb2's work. Renames and
// removals of directories are smbclient's: go-smb2 opens without sharing reads, which a
// directory that anyone watches refuses, and it does not replace a rename's target.
type peerActor struct {
	peer  *testenv.Peer
	samba *testenv.Samba
	dir   string // below the share
}

func (p peerActor) at(name string) string { return path.Join(p.dir, name) }

func (p peerActor) write(name, flag, text string) error {
	f, err := p.peer.OpenFile(p.at(name), openFlags[flag], 0o644)
	if err != nil {
		return err
	}
	if text != "" {
		if _, err := f.Write([]byte(text)); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}

func (p peerActor) truncate(name string, size int64) error {
	f, err := p.peer.OpenFile(p.at(name), os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (p peerActor) mkdir(name string, parents bool) error {
	if parents {
		return p.peer.MkdirAll(p.at(name), 0o755)
	}
	return p.peer.Mkdir(p.at(name), 0o755)
}

func (p peerActor) unlink(name string) error                  { return p.peer.Remove(p.at(name)) }
func (p peerActor) removeAll(name string) error               { return removeTree(p, p.at(name)) }
func (p peerActor) rmdir(name string) error                   { return p.remove(p.at(name), true) }
func (p peerActor) chmod(name string, mode os.FileMode) error { return p.peer.Chmod(p.at(name), mode) }
func (p peerActor) link(string, string) error                 { return fmt.Errorf("go-smb2 makes no hard links") }

func (p peerActor) touch(name string) error {
	now := time.Now()
	return p.peer.Chtimes(p.at(name), now, now)
}

func (p peerActor) rename(from, to string) error {
	return smbclient(p.samba, fmt.Sprintf(`rename "%s" "%s" -f`, p.at(from), p.at(to)))
}

func (p peerActor) list(dir string) ([]fs.FileInfo, error) { return p.peer.ReadDir(dir) }

// remove removes one entry. A directory that a watcher has open lingers after
// its removal until that handle is closed, and its parent is not empty so long.
func (p peerActor) remove(name string, dir bool) error {
	if !dir {
		return p.peer.Remove(name)
	}
	var err error
	testenv.WaitUntil(10*time.Second, func() bool {
		err = smbclient(p.samba, fmt.Sprintf(`rmdir "%s"`, name))
		return err == nil || !strings.Contains(err.Error(), "NT_STATUS_DIRECTORY_NOT_EMPTY")
	})
	return err
}

// smbclient runs one command of Samba's own client.
func smbclient(s *testenv.Samba, command string) error {
	cmd := exec.Command("timeout", "60", "smbclient", s.Source(), "-p", strconv.Itoa(s.Port), "-U", s.User, "-c", command)
	cmd.Env = append(os.Environ(), "PASSWD="+s.Password)
	out, err := cmd.CombinedOutput()
	if err == nil && strings.Contains(string(out), "NT_STATUS_") {
		err = fmt.Errorf("refused")
	}
	if err != nil {
		return fmt.Errorf("smbclient: %s: %w: %s", command, err, strings.TrimSpace(string(out)))
	}
	return nil
}
