// Package guest runs virtual machines with kernels of Debian's releases, for what this machine's kernel cannot show: ksmbd as a server, and smbfs on
// older and newer kernels. QEMU emulates in software, also where there seems to be KVM, which does not always work; so its guests show what is right, not what is fast.
// User-mode Linux runs at the machine's own speed, on one processor, but for changes between processes, which are dear there.
//
// A guest's root is this machine's own, read only, with an overlay in memory (see init); the kernels, and ksmbd's tools, are Debian's packages, which the
// script prepare fetches into a cache folder. A Guest has one goroutine, which reads the guest's output and ends with it; Stop waits for that.
package guest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Guest is a running machine. Its methods are for one goroutine.
type Guest struct {
	Release string // of the kernel, as uname says

	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string // what the guest says; closed at its end
	dir   string      // console and disk
	log   *os.File    // the console, if it is written by way of this process
}

// Forward is a TCP port of this machine's loopback that leads to one of the guest's.
type Forward struct{ Host, Guest int }

// Cache is where kernels are kept: smbfs/guest in the user's cache folder.
func Cache() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "smbfs", "guest"), err
}

// bootTimeout bounds the boot, which takes ten seconds where nothing else runs.
const bootTimeout = 3 * time.Minute

// Start boots the kernel that prepare has put into the cache for a release of Debian, in QEMU. The caller ends the guest with Stop.
func Start(suite string, ports ...Forward) (*Guest, error) {
	return start(suite, func(g *Guest, kernel string) (*exec.Cmd, error) { return g.qemu(kernel, ports) })
}

// start runs the machine whose command is made for a folder of the cache.
func start(name string, command func(g *Guest, kernel string) (*exec.Cmd, error)) (*Guest, error) {
	cache, err := Cache()
	if err != nil {
		return nil, err
	}
	g := &Guest{lines: make(chan string, 64)}
	if g.dir, err = os.MkdirTemp("", "smbfs-guest"); err != nil {
		return nil, err
	}
	cmd, err := command(g, filepath.Join(cache, name))
	if err == nil {
		err = g.boot(cmd)
	}
	if err == nil {
		g.Release, err = g.release()
	}
	if err != nil {
		err = fmt.Errorf("guest with the kernel of %s: %w\n%s", name, err, g.Console())
		g.Stop()
		return nil, err
	}
	return g, nil
}

func (g *Guest) qemu(kernel string, ports []Forward) (*exec.Cmd, error) {
	disk := filepath.Join(g.dir, "disk")
	if err := os.WriteFile(disk, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(disk, 4<<30); err != nil {
		return nil, err
	}
	if out, err := exec.Command("/sbin/mke2fs", "-q", "-F", "-t", "ext4", disk).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mke2fs: %w: %s", err, out)
	}
	network := "user,id=net,restrict=on"
	for _, p := range ports {
		network += fmt.Sprintf(",hostfwd=tcp:127.0.0.1:%d-10.0.2.15:%d", p.Host, p.Guest)
	}
	cmd := exec.Command("qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "2G", "-smp", "2",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", filepath.Join(kernel, "vmlinuz"), "-initrd", filepath.Join(kernel, "initrd.gz"), "-append", "console=ttyS0 panic=-1 mitigations=off",
		"-serial", "file:"+g.console(), "-serial", "stdio",
		"-drive", "if=virtio,format=raw,cache=unsafe,file="+disk,
		"-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
		"-device", "virtio-rng-pci", "-netdev", network, "-device", "virtio-net-pci,netdev=net")
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// boot starts the machine; its standard input and output are the serial port that commands come in by.
func (g *Guest) boot(cmd *exec.Cmd) (err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if g.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	g.cmd = cmd
	go g.read(out)
	return nil
}

func (g *Guest) read(out io.Reader) {
	defer close(g.lines)
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		g.lines <- strings.TrimRight(line, "\r\n")
	}
}

// says are the words before what the guest's shell says itself.
const says = "guest: "

func (g *Guest) release() (string, error) {
	limit := time.After(bootTimeout)
	for {
		select {
		case line, ok := <-g.lines:
			if release, found := strings.CutPrefix(line, says); found {
				return release, nil
			} else if !ok {
				return "", errors.New("it has ended")
			}
		case <-limit:
			return "", errors.New("it does not boot")
		}
	}
}

// Run has the guest's shell carry out one line, and hands on what it prints, a line at a time. The error says that it did not end with 0, or not in time.
func (g *Guest) Run(timeout time.Duration, print func(string), line string) error {
	if _, err := io.WriteString(g.in, line+"\n"); err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	limit := time.After(timeout)
	for {
		select {
		case out, ok := <-g.lines:
			if !ok {
				return fmt.Errorf("guest: it has ended\n%s", g.Console())
			}
			code, ended := strings.CutPrefix(out, says+"exit ")
			if !ended {
				print(out)
				continue
			}
			if n, err := strconv.Atoi(code); err != nil || n != 0 {
				return fmt.Errorf("guest: %s: exit code %s", line, code)
			}
			return nil
		case <-limit:
			return fmt.Errorf("guest: %s: not done in %v\n%s", line, timeout, g.Console())
		}
	}
}

// Output is Run for what prints little.
func (g *Guest) Output(line string) (string, error) {
	var b strings.Builder
	err := g.Run(time.Minute, func(s string) { b.WriteString(s + "\n") }, line)
	return b.String(), err
}

func (g *Guest) console() string { return filepath.Join(g.dir, "console") }

// Console is the end of what the kernel has said.
func (g *Guest) Console() string {
	const most = 4000
	b, _ := os.ReadFile(g.console())
	return string(b[max(0, len(b)-most):])
}

// Stop ends the guest as a loss of power does, and removes its disk.
func (g *Guest) Stop() {
	if g.cmd != nil {
		_ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL) // user-mode Linux is several processes
		for range g.lines {
		}
		_ = g.cmd.Wait()
	}
	if g.log != nil {
		_ = g.log.Close()
	}
	_ = os.RemoveAll(g.dir)
}
