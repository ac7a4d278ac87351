package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"smbfs/integration/guest"
	"smbfs/integration/testenv"
)

// The kernel's own client, cifs, is measured in a guest of user-mode Linux, smbfs in the same guest, both against the same smbd of this machine.
// Beside them stands FUSE over memory, in the guest too: changes between processes are dear there, which weighs on FUSE alone.

// inNamespace tells this program that it has a network namespace of its own.
const inNamespace = "SMBFS_BENCH_NAMESPACE"

const (
	guestMemory = 3072 // MiB
	mountpoint  = "/scratch/mnt"
)

// guestPatience bounds one measurement in the guest.
const guestPatience = 10 * time.Minute

// measureCifs prepares the guest, and runs this program again in a network namespace of its own.
func measureCifs(c config) error {
	if os.Getenv(inNamespace) != "" {
		return runCifs(c)
	}
	cache, err := guest.Cache()
	if err != nil {
		return err
	}
	prepare := exec.Command("integration/guest/prepare", cache, "--uml")
	prepare.Stdout, prepare.Stderr = os.Stderr, os.Stderr
	if err := prepare.Run(); err != nil {
		return fmt.Errorf("prepare the guest: %w", err)
	}
	binary, err := testenv.Binary()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	again := exec.Command(self, os.Args[1:]...)
	again.Env = append(os.Environ(), inNamespace+"=yes", testenv.BinaryEnv+"="+binary)
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGTERM}
	return again.Run()
}

// rig is a guest and what it needs to work.
type rig struct {
	*bench
	guest *guest.Guest
	self  string // this program
	smbfs string
	rows  [][]string
}

func runCifs(c config) error {
	if err := guest.UMLNetwork(); err != nil {
		return err
	}
	s, err := testenv.StartSamba(testenv.Options{Dir: c.dir, Host: guest.UMLHostAddress})
	if err != nil {
		return err
	}
	defer s.Stop()
	r := &rig{bench: &bench{config: c, samba: s, stop: make(chan os.Signal, 1)}}
	if r.self, err = os.Executable(); err != nil {
		return err
	}
	if r.smbfs, err = testenv.Binary(); err != nil {
		return err
	}
	if r.guest, err = guest.StartUML(guestMemory); err != nil {
		return err
	}
	defer r.guest.Stop()
	if err := r.all(); err != nil {
		return err
	}
	text := r.section()
	fmt.Print(text)
	if c.out != "" {
		return writeSection(c.out, text)
	}
	return nil
}

// doing is the side that does work in the guest after a line of its shell has mounted something.
func (r *rig) doing(name, mount, work string) side {
	dir := mountpoint
	if mount == "" {
		dir = ""
	}
	return side{name, func() ([]float64, error) {
		undo, err := r.prepared(work)
		if err != nil {
			return nil, err
		}
		defer undo()
		settle()
		script := fmt.Sprintf("%s -inside %s -at '%s' -mib %d -files %d -ops %d", r.self, work, dir, r.bytes>>20, r.files, r.ops)
		if mount != "" {
			script = fmt.Sprintf("mkdir -p %s && %s && { %s; code=$?; umount %s || exit 1; exit $code; }", mountpoint, mount, script, mountpoint)
		}
		var said []string
		var figures []float64
		err = r.guest.Run(guestPatience, func(line string) {
			said = append(said, line)
			if rest, ok := strings.CutPrefix(line, figuresAre); ok {
				figures = numbers(rest)
			}
		}, script)
		if err != nil {
			return nil, fmt.Errorf("%w\n%s\n%s", err, strings.Join(said, "\n"), r.guest.Console())
		}
		return figures, nil
	}}
}

func numbers(text string) (v []float64) {
	for f := range strings.FieldsSeq(text) {
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			n = none
		}
		v = append(v, n)
	}
	return v
}

// prepared makes on the server what a work needs.
func (r *rig) prepared(work string) (undo func(), err error) {
	switch work {
	case "files":
		return r.madeFiles(r.files)
	case "walk":
		return r.madeTree(r.files)
	case "trees":
		return r.folders("trees")
	default:
		return func() { os.Remove(r.samba.Path("written")) }, os.WriteFile(r.samba.Path("big"), make([]byte, r.bytes), 0o644)
	}
}

// madeTree makes files in folders of 20.
func (r *rig) madeTree(files int) (undo func(), err error) {
	if undo, err = r.folders("walk"); err != nil {
		return nil, err
	}
	for i := 0; i < files && err == nil; i++ {
		dir := r.samba.Path("walk", fmt.Sprint(i/20))
		if err = os.MkdirAll(dir, 0o755); err == nil {
			err = os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte("x"), 0o644)
		}
	}
	if err != nil {
		undo()
	}
	return undo, err
}

// guestOptions are options of smbfs and of cifs that make the two do the same.
type guestOptions struct{ name, smbfs, cifs string }

var (
	guestPlain  = guestOptions{"plain", "nosign", ""}
	guestSigned = guestOptions{"signed", "sign", ",sign"}
)

// sides are smbfs, cifs, and the ceiling if it means something for the work.
func (r *rig) sides(work string, o guestOptions, ceiling bool) []side {
	s := r.samba
	source := s.Source()
	ours := fmt.Sprintf("PASSWD=%s %s -o port=%d,username=%s,%s %s %s", s.Password, r.smbfs, s.Port, s.User, o.smbfs, source, mountpoint)
	theirs := fmt.Sprintf("mount -t cifs -o port=%d,username=%s,password=%s,vers=3.1.1,noperm,uid=0,gid=0%s %s %s", s.Port, s.User, s.Password, o.cifs, source, mountpoint)
	list := []side{r.doing("smbfs", ours, work), r.doing("cifs", theirs, work)}
	if ceiling {
		list = append(list, r.doing(memoryName, "", work))
	}
	return list
}

// compare measures lines and adds them to the table. A goal is a least ratio to cifs, or to the lower of cifs and the ceiling.
func (r *rig) compare(work string, o guestOptions, ceiling bool, lines ...line) error {
	if !r.only.MatchString(work) {
		return nil
	}
	figures, err := r.measure(lines, r.sides(work, o, ceiling)...)
	if err != nil {
		return err
	}
	for l, line := range lines {
		ours, cifs := figures[0][l], figures[1][l]
		row := []string{line.what, figure(median(ours), line.unit), figure(median(cifs), line.unit), "", ratioOf(ours, cifs), "", "none", "yes"}
		goal, reached := line.goals["cifs"], pairs{ours, cifs}.known().ratio()
		if ceiling {
			lower := make([]float64, len(cifs))
			for i := range cifs {
				lower[i] = math.Min(cifs[i], figures[2][l][i])
			}
			row[3], row[5] = figure(median(figures[2][l]), line.unit), ratioOf(ours, lower)
			if g := line.goals["lower"]; g > 0 {
				goal, reached = g, pairs{ours, lower}.known().ratio()
			}
		}
		if goal > 0 {
			row[6] = fmt.Sprintf("at least %.2g", goal)
			if line.goals["lower"] > 0 {
				row[6] += " of the lower"
			}
			if reached < goal {
				row[7] = "**no**"
			}
		}
		r.rows = append(r.rows, row)
		fmt.Fprintln(os.Stderr, "  "+strings.Join(row, " | "))
	}
	return nil
}

// section is the table with its heading.
func (r *rig) section() string {
	var b strings.Builder
	b.WriteString(heading + "The kernel's client\n\n")
	fmt.Fprintf(&b, "Written by `make bench-cifs`: medians of %d paired runs in a guest of user-mode Linux (%s, one processor), against smbd on this machine; %d MiB sequential, "+
		"%d random operations, %d files. cifs is the kernel's client there; FUSE over memory is what FUSE alone reaches there. Ratios are smbfs to the other, more is better.\n\n",
		r.runs, r.guest.Release, r.bytes>>20, r.ops, r.files)
	writeRows(&b, []string{"what", "smbfs", "cifs", memoryName, "to cifs", "to the lower", "target", "met"}, r.rows)
	return b.String()
}

func ratioOf(ours, peers []float64) string {
	return fmt.Sprintf("%.2f", pairs{ours, peers}.known().ratio())
}

// all measures the lines of the table.
func (r *rig) all() error {
	near, most := r.samba, r.config
	for _, o := range []guestOptions{guestPlain, guestSigned} {
		lower := map[string]float64{"lower": 0.8}
		err := r.compare("streams", o, true, line{"sequential read, cold, " + o.name, "MiB/s", lower}, line{"sequential write, " + o.name, "MiB/s", lower})
		if err != nil {
			return err
		}
	}
	r.files = most.few() / 5
	if err := r.compare("files", guestPlain, true, fileLines("", 0)...); err != nil {
		return err
	}
	for _, d := range []struct {
		roundTrip    time.Duration
		goal, walked float64
	}{{time.Millisecond, 1, 0}, {5 * time.Millisecond, 1.5, 10}} {
		l, err := testenv.StartDelay(near.Addr(), d.roundTrip)
		if err != nil {
			return err
		}
		far := *near
		far.Port = l.Port
		r.samba = &far
		err = r.away(fmt.Sprintf(", %v away", d.roundTrip), d.goal, d.walked, most.few())
		l.Stop()
		if err != nil {
			return err
		}
	}
	return nil
}

// away measures what round trips are dear for.
func (r *rig) away(suffix string, goal, walked float64, files int) error {
	to := func(g float64) map[string]float64 { return map[string]float64{"cifs": g} }
	r.files = max(40, files/50)
	if err := r.compare("files", guestPlain, false, fileLines(suffix, goal)...); err != nil {
		return err
	}
	if err := r.compare("trees", guestPlain, false, line{"tar x" + suffix, "files/s", to(goal)}, line{"git clone" + suffix, "files/s", to(goal)}); err != nil {
		return err
	}
	if err := r.compare("pages", guestPlain, false, line{"random 4 KiB reads, depth 16" + suffix, "ops/s", to(1)}); err != nil {
		return err
	}
	r.files = max(40, files/10)
	return r.compare("walk", guestPlain, false, line{"find, warm, again and again" + suffix, "files/s", to(walked)}, line{"stat, warm, again and again" + suffix, "files/s", to(walked)})
}

// fileLines are the lines of the small files; to list and to stat has no goal of its own.
func fileLines(suffix string, goal float64) (lines []line) {
	for _, p := range phases {
		g := goal
		if strings.HasPrefix(p.what, "list") || strings.HasPrefix(p.what, "stat") {
			g = 0
		}
		lines = append(lines, line{p.what + suffix, "files/s", map[string]float64{"cifs": g}})
	}
	return lines
}
