package replay

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestRootAsOrdinaryUser runs all other tests, but those that need root, once more as
// nobody, through fusermount3. An ordinary user has run them so in the first place.
func TestRootAsOrdinaryUser(t *testing.T) {
	needRoot(t)
	if _, err := exec.LookPath("fusermount3"); err != nil {
		t.Fatalf("the test needs fusermount3, of the package fuse3: %v", err)
	}
	tmp, err := os.MkdirTemp("", "replay-nobody")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	cmd := self("replay-test-nobody", tmp)
	cmd.Stderr = nil
	// The device's mode is the machine's business: nobody gets one of its own, in a
	// mount namespace of its own.
	cmd.SysProcAttr.Unshareflags = unix.CLONE_NEWNS
	timer := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "\n--- PASS") < 20 {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

// nobodyMain becomes the test binary, run by nobody with tmp for its files.
func nobodyMain(args []string) error {
	tmp := args[0]
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return fmt.Errorf("the test needs the user nobody: %w", err)
	}
	uid, err1 := strconv.Atoi(nobody.Uid)
	gid, err2 := strconv.Atoi(nobody.Gid)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("nobody is %q, %q", nobody.Uid, nobody.Gid)
	}
	if err := openDevice(filepath.Join(tmp, "fuse")); err != nil {
		return fmt.Errorf("a /dev/fuse for everybody: %w", err)
	}
	if err := os.Chown(tmp, uid, gid); err != nil {
		return err
	}
	cmd := exec.Command(selfPath, "-test.v", "-test.skip=^TestRoot", "-test.run=^Test", "-test.timeout=4m")
	cmd.Dir = "/"
	cmd.Env = []string{"TMPDIR=" + tmp, "HOME=" + tmp, "PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		Pdeathsig:  syscall.SIGKILL,
	}
	return cmd.Run()
}

// openDevice puts a FUSE device that everybody may open over /dev/fuse. Go has made the
// namespace's mounts private.
func openDevice(path string) error {
	const fuseDevice = 10<<8 | 229 // Documentation/admin-guide/devices.txt
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", path, "tmpfs", 0, ""); err != nil {
		return err
	}
	device := filepath.Join(path, "fuse")
	if err := unix.Mknod(device, unix.S_IFCHR|0o666, fuseDevice); err != nil {
		return err
	}
	if err := os.Chmod(device, 0o666); err != nil {
		return err
	}
	return unix.Mount(device, "/dev/fuse", "", unix.MS_BIND, "")
}
