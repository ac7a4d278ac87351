package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"smbfs/integration/testenv"

	"golang.org/x/sys/unix"
)

// ioSize is the size of the benchmark's own reads and writes.
const ioSize = 1 << 20

// protection is a way to protect messages: ours, and the same of smbclient.
type protection struct {
	name, option, smbclient string
}

var protections = []protection{
	{"signed", "sign", "sign"}, // the default
	{"plain", "nosign", "off"},
	{"sealed", "seal", "encrypt"},
}

// sequential measures reading and writing of one large file.
func (b *bench) sequential() error {
	src, err := b.sourceFile()
	if err != nil {
		return err
	}
	defer os.Remove(src)
	big := b.samba.Path("big")
	if _, err := copyFile(src, big); err != nil {
		return err
	}
	defer os.Remove(big)
	for _, p := range protections {
		same := "smbclient, " + p.name
		sides := []side{b.streams(src, p), b.smbclientSide(same, src, "--client-protection="+p.smbclient)}
		goal := map[string]float64{same: 0.9}
		read := map[string]float64{same: 0.9, onRclone.name: 1, "smbclient, as it comes": 0.6}
		if p.option == "sign" {
			sides = append(sides, b.smbclientSide("smbclient, as it comes", src), b.rcloneStreams(src), b.goSMB2Side(src), b.memoryStreams(), b.diskStreams(src))
			goal[onRclone.name] = 1
		}
		err := b.compare([]line{
			{"sequential read, cold, " + p.name, "MiB/s", read},
			{"the same again, warm, " + p.name, "MiB/s", nil},
			{"sequential write, " + p.name, "MiB/s", goal},
		}, sides...)
		if err != nil {
			return err
		}
	}
	b.addCosts()
	return nil
}

// streams is ours. What the daemon takes for it is noted.
func (b *bench) streams(src string, p protection) side {
	return side{"smbfs", func() (figures []float64, err error) {
		socket := filepath.Join(os.TempDir(), fmt.Sprintf("smbfs-bench-%d.sock", os.Getpid()))
		err = b.mounted(func(m *testenv.Mounted) error {
			figures, err = b.inFolder(m.Mountpoint, src, func(what string, bytes int64, work func() error) error {
				return b.costs.of(what+", "+p.name, bytes, m.PID, socket, work)
			})
			return err
		}, p.option, "metrics=unix:"+socket)
		return figures, err
	}}
}

func (b *bench) rcloneStreams(src string) side {
	return side{onRclone.name, func() (figures []float64, err error) {
		err = onRclone.use(b, func(dir string) error { figures, err = b.inFolder(dir, src, uncounted); return err })
		return figures, err
	}}
}

func (b *bench) diskStreams(src string) side {
	return side{onDisk.name, func() ([]float64, error) { return b.inFolder(b.samba.Dir, src, uncounted) }}
}

func uncounted(_ string, _ int64, work func() error) error { return work() }

// inFolder reads the large file twice and writes another.
func (b *bench) inFolder(dir, src string, counted func(string, int64, func() error) error) ([]float64, error) {
	figures := []float64{none, none, none}
	step := func(i int, what string, work func() (float64, error)) error {
		if err := b.fetch(); err != nil {
			return err
		}
		return counted(what, b.bytes, func() (err error) { figures[i], err = work(); return err })
	}
	read := func() (float64, error) { return readFile(filepath.Join(dir, "big"), b.bytes) }
	if err := step(0, "read, cold", read); err != nil {
		return nil, err
	}
	if err := step(1, "read, warm", read); err != nil {
		return nil, err
	}
	defer os.Remove(b.samba.Path("written"))
	err := step(2, "write", func() (float64, error) { return copyFile(src, filepath.Join(dir, "written")) })
	return figures, err
}

// sourceFile is a local file to write from; it is in the page cache when it is used.
func (b *bench) sourceFile() (string, error) {
	f, err := os.CreateTemp("", "smbfs-bench")
	if err != nil {
		return "", err
	}
	defer f.Close()
	block := make([]byte, ioSize)
	for n := int64(0); n < b.bytes; n += ioSize {
		for i := range block {
			block[i] = byte(n>>20) ^ byte(i*7)
		}
		if _, err := f.Write(block); err != nil {
			return "", err
		}
	}
	return f.Name(), nil
}

// readFile reads a file once and gives MiB/s. On a fresh mount nothing of
// the file is in the kernel's cache for it.
func readFile(name string, want int64) (float64, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, ioSize)
	start := time.Now()
	var n int64
	for {
		k, err := f.Read(buf)
		n += int64(k)
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	if n != want {
		return 0, fmt.Errorf("read %d bytes of %d", n, want)
	}
	return rate(n, time.Since(start)), nil
}

// copyFile writes a file from a local one and gives MiB/s, the close included: it
// is when the last data is on the server.
func copyFile(src, dst string) (float64, error) {
	in, err := os.Open(src)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	start := time.Now()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return 0, err
	}
	buf := make([]byte, ioSize)
	// Only the Read and Write methods: copy_file_range would have the kernel do it in its own way.
	n, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, buf)
	if err = errors.Join(err, out.Close()); err != nil {
		return 0, err
	}
	took := time.Since(start)
	st, err := os.Stat(dst)
	if err == nil && st.Size() != n {
		err = fmt.Errorf("wrote %d bytes, the file has %d", n, st.Size())
	}
	return rate(n, took), err
}

func rate(bytes int64, d time.Duration) float64 {
	return float64(bytes) / (1 << 20) / d.Seconds()
}

// smbclientSide is one get and one put.
func (b *bench) smbclientSide(name, src string, args ...string) side {
	return side{name, func() ([]float64, error) {
		get, err := b.smbclient("get big /dev/null", args)
		if err != nil {
			return nil, err
		}
		defer os.Remove(b.samba.Path("put"))
		put, err := b.smbclient(fmt.Sprintf(`put "%s" put`, src), args)
		return []float64{get, untried, put}, err
	}}
}

// smbclient's own figure leaves out the time to connect.
var smbclientRate = regexp.MustCompile(`\(([0-9.]+) (?:KiloBytes/sec|kb/s)\)`)

// smbclient runs one get or put and gives MiB/s.
func (b *bench) smbclient(command string, args []string) (float64, error) {
	cmd := exec.Command("smbclient", append([]string{b.samba.Source(), "-p", strconv.Itoa(b.samba.Port), "-U", b.samba.User, "-c", command}, args...)...)
	cmd.Env = append(os.Environ(), "PASSWD="+b.samba.Password)
	if err := b.fetch(); err != nil {
		return 0, err
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("smbclient: %w: %s", err, strings.TrimSpace(string(out)))
	}
	m := smbclientRate.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("smbclient says no rate: %s", out)
	}
	kib, err := strconv.ParseFloat(string(m[1]), 64)
	return kib / 1024, err
}

// settle lets what earlier measurements left dirty reach the disk, so that it
// does not slow the next one.
func settle() { unix.Sync() }
