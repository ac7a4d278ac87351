package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Rclone is a mount of the server's share by rclone, the peer of the benchmarks.
type Rclone struct {
	Mountpoint string
	proc       *Process
}

// MountRclone mounts the share with rclone's smb backend and without its local
// write cache. No configuration of the user's is read or written.
func MountRclone(s *Samba) (*Rclone, error) {
	obscure := exec.Command("rclone", "obscure", "-")
	obscure.Stdin = strings.NewReader(s.Password)
	pass, err := obscure.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("rclone not found: install it with `apt-get install rclone`")
	}
	if err != nil {
		return nil, fmt.Errorf("rclone obscure: %w", err)
	}
	r := &Rclone{}
	if r.Mountpoint, err = os.MkdirTemp("", "rclone-mnt"); err != nil {
		return nil, err
	}
	cmd := exec.Command("rclone", "mount", "t:"+s.Share, r.Mountpoint, "--vfs-cache-mode", "off")
	cmd.Env = append(os.Environ(), "RCLONE_CONFIG=/dev/null", "RCLONE_CONFIG_T_TYPE=smb",
		"RCLONE_CONFIG_T_HOST="+s.Host, fmt.Sprintf("RCLONE_CONFIG_T_PORT=%d", s.Port),
		"RCLONE_CONFIG_T_USER="+s.User, "RCLONE_CONFIG_T_PASS="+strings.TrimSpace(string(pass)))
	if r.proc, err = startProcess(cmd); err != nil {
		os.Remove(r.Mountpoint)
		return nil, fmt.Errorf("rclone mount: %w", err)
	}
	ready := func() bool { return IsMounted(r.Mountpoint) || r.proc.WaitTimeout(0) }
	if !waitMountTable(mountTimeout, ready) || !IsMounted(r.Mountpoint) {
		err := fmt.Errorf("rclone does not mount: %s", strings.TrimSpace(r.proc.Log()))
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close unmounts and ends rclone.
func (r *Rclone) Close() {
	if IsMounted(r.Mountpoint) && unmount(r.Mountpoint) == nil {
		r.proc.WaitTimeout(5 * time.Second)
	}
	r.proc.Terminate(5 * time.Second)
	if IsMounted(r.Mountpoint) {
		_ = exec.Command("umount", "-l", r.Mountpoint).Run()
	}
	os.Remove(r.Mountpoint)
}
