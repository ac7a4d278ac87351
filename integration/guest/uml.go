package guest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// The network of a guest in user-mode Linux: the device has to be there, and the host's address on it, in the network namespace of this process.
const (
	UMLDevice      = "tap0"
	UMLHostAddress = "172.31.255.1"
	umlPrefix      = "/30"
)

// UMLNetwork makes that device. It wants a network namespace of its own, which it changes.
func UMLNetwork() error {
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"tuntap", "add", UMLDevice, "mode", "tap"},
		{"addr", "add", UMLHostAddress + umlPrefix, "dev", UMLDevice},
		{"link", "set", UMLDevice, "up"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", args, err, out)
		}
	}
	return nil
}

// StartUML boots the user-mode Linux that prepare has put into the cache. Its memory is at most so many MiB. The caller ends it with Stop.
//
// Each system call in it goes from one process of the host's to another. They stay on one processor: on two, one of them is mostly idle, and for
// a virtual machine it takes the host to wake that.
func StartUML(mib int) (*Guest, error) {
	return start("uml", func(g *Guest, kernel string) (*exec.Cmd, error) {
		var err error
		if g.log, err = os.Create(g.console()); err != nil {
			return nil, err
		}
		cmd := exec.Command("taskset", "--cpu-list", fmt.Sprint(runtime.NumCPU()-1), filepath.Join(kernel, "linux"), fmt.Sprintf("mem=%dM", mib), "initrd="+filepath.Join(kernel, "initrd.gz"),
			"con=null", "con0=null,fd:2", "console=tty0", "ssl0=fd:0,fd:1", "panic=-1", "seccomp=on",
			"vec0:transport=tap,ifname="+UMLDevice+",depth=128,gro=1")
		cmd.Env = append(os.Environ(), "HOME="+g.dir, "TMPDIR=/dev/shm") // its own files, and its memory
		cmd.Stderr = g.log
		return cmd, nil
	})
}
