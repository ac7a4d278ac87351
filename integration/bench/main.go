// Command bench measures smbfs against its peers and prints a Markdown table.
//
// Each line is a ratio of two measurements taken one after the other in one run
// on the same server, and the median of several such pairs: the machine's own
// speed cancels out. Who goes first alternates.
//
//	go run ./integration/bench            the whole table, in some 20 minutes, also to docs/benchmarks.md
//	go run ./integration/bench -trial     small sizes, to see that it works
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"smbfs/integration/testenv"
)

// config is what the flags say.
type config struct {
	runs    int
	bytes   int64 // of the sequential file
	files   int   // of the small-file lines; trees have a fifth of it, with a delay it is an eightieth
	ops     int   // of each line of random access
	changes int   // of the latency lines
	watched int   // directories that are watched there
	dirs    int   // of the lines about what one of many watched directories costs
	dir     string
	out     string
	only    *regexp.Regexp
}

// few is how many small files there are where each takes longer.
func (c *config) few() int { return c.files / 10 }

// page is where the results are kept, below the repository.
const page = "docs/benchmarks.md"

func main() {
	var c config
	trial := flag.Bool("trial", false, "small sizes and two runs, to see that it works")
	mib := flag.Int64("mib", 384, "MiB of the sequential file")
	only := flag.String("only", "", "measure only the parts whose name matches: memory, sequential, random, writes, files, trees, build, delay, latency, watches, storm, sustained; with -cifs: streams, files, trees, pages, walk")
	flag.IntVar(&c.runs, "runs", 5, "pairs of measurements per line")
	flag.IntVar(&c.files, "files", 10_000, "small files; of what takes longer for each, a part of that")
	flag.IntVar(&c.ops, "ops", 8000, "operations of a line of random access")
	flag.IntVar(&c.changes, "changes", 1000, "changes of the latency lines")
	flag.IntVar(&c.watched, "watched", 1000, "directories that are watched meanwhile")
	flag.IntVar(&c.dirs, "dirs", 10_000, "watched directories of the lines about their cost")
	flag.StringVar(&c.dir, "dir", "", "folder for the server's files (default: a temporary one)")
	flag.StringVar(&c.out, "o", "", "also write the table to this file (default: "+page+" if nothing is left out)")
	cifs := flag.Bool("cifs", false, "measure against the kernel's client, in a guest, instead; the table becomes a section of the file")
	work, at := flag.String("inside", "", "in the guest: the work to do"), flag.String("at", "", "in the guest: where; empty: on FUSE over memory")
	flag.Parse()
	if *trial {
		c.runs, c.files, c.ops, c.changes, c.watched, c.dirs, *mib = 2, 1000, 400, 50, 20, 300, 64
		flag.CommandLine.Parse(os.Args[1:]) // what was given explicitly wins
	}
	c.bytes = *mib << 20
	if c.out == "" && *only == "" && !*trial {
		c.out = page
	}
	var err error
	c.only, err = regexp.Compile(*only)
	switch {
	case err != nil:
	case *work != "":
		err = runInside(c, *work, *at)
	case c.out != "" && !exists(filepath.Dir(c.out)):
		err = fmt.Errorf("there is no folder for %s: run it in the repository, or use -o", c.out)
	case *cifs:
		err = measureCifs(c)
	default:
		err = run(c)
	}
	testenv.CleanUp()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// part is a group of lines of the table.
type part struct {
	name string
	run  func(*bench) error
}

var parts = []part{
	{"memory", (*bench).idle}, // first: nothing has been done yet
	{"sequential", (*bench).sequential},
	{"random", (*bench).random},
	{"writes", (*bench).smallWrites},
	{"files", (*bench).smallFiles},
	{"trees", (*bench).trees},
	{"build", (*bench).builds},
	{"delay", (*bench).delayed},
	{"latency", (*bench).latency},
	{"watches", (*bench).watches},
	{"storm", (*bench).storm},
	{"sustained", (*bench).sustained},
	{"memory", (*bench).peak}, // last: the highest of all of them
}

// bench is one run over the whole table.
type bench struct {
	config
	samba *testenv.Samba
	table table
	costs costs
	high  memory // the most that any measured daemon has had
	stop  chan os.Signal
}

func run(c config) error {
	s, err := testenv.StartSamba(testenv.Options{Dir: c.dir})
	if err != nil {
		return err
	}
	defer s.Stop()
	start, load := time.Now(), loadAverage()
	b := &bench{config: c, samba: s, stop: make(chan os.Signal, 1)}
	signal.Notify(b.stop, os.Interrupt, syscall.SIGTERM)
	for _, p := range parts {
		if !c.only.MatchString(p.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring:", p.name)
		if err := p.run(b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	text := b.table.markdown(c, fmt.Sprintf("It took %.0f minutes, begun at a load average of %s", time.Since(start).Minutes(), load))
	fmt.Print(text)
	if c.out != "" {
		return writeTable(c.out, text)
	}
	return nil
}

// interrupted ends the run between two measurements on Ctrl-C, so that mounts and
// the server are taken down in order.
func (b *bench) interrupted() error {
	select {
	case s := <-b.stop:
		return fmt.Errorf("ended by %v", s)
	default:
		return nil
	}
}
