package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A module of Go's that is built on the mount: packages, of so many files each.
const (
	buildPackages = 25
	buildFiles    = 4
)

// builds measures `go build` of a module against rclone and the local folder. The compiler's cache is the user's own, on the local disk; the
// module is another one in each run, so that it is compiled, and the standard library is not.
func (b *bench) builds() error { return b.buildWork("", onSmbfs("smbfs"), onRclone, onDisk) }

func (b *bench) buildWork(suffix string, places ...place) error {
	lines := []line{
		{"go build" + suffix, "builds/s", map[string]float64{onRclone.name: 1}},
		{"go build, nothing changed" + suffix, "builds/s", map[string]float64{onRclone.name: 1}},
	}
	var sides []side
	for _, p := range places {
		sides = append(sides, b.doing(p, b.module, buildTwice))
	}
	return b.compare(lines, sides...)
}

// module makes the module in the server's folder.
func (b *bench) module() (undo func(), err error) {
	if undo, err = b.folders("build"); err != nil {
		return nil, err
	}
	if err = writeModule(b.samba.Path("build")); err != nil {
		undo()
	}
	return undo, err
}

// writeModule writes a program that prints the sum of what its packages return. All of them import the first, which is like no other.
func writeModule(dir string) error {
	files := map[string]string{
		"go.mod":       "module example\n\ngo 1.21\n",
		"p000/seed.go": fmt.Sprintf("package p000\n\nconst Seed = %d\n", time.Now().UnixNano()),
	}
	var imports, sum strings.Builder
	for p := 1; p < buildPackages; p++ {
		name := fmt.Sprintf("p%03d", p)
		fmt.Fprintf(&imports, "\t%q\n", "example/"+name)
		fmt.Fprintf(&sum, "\tsum += %s.F0()\n", name)
		for f := range buildFiles {
			files[fmt.Sprintf("%s/f%d.go", name, f)] = fmt.Sprintf("package %s\n\nimport (\n\t\"fmt\"\n\n\t\"example/p000\"\n)\n\nfunc F%d() int { return len(fmt.Sprint(p000.Seed, %d)) }\n", name, f, f)
		}
	}
	files["main.go"] = "package main\n\nimport (\n" + imports.String() + ")\n\nfunc main() {\n\tsum := 0\n" + sum.String() + "\tprintln(sum)\n}\n"
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// buildTwice builds the module, and again when there is nothing to do. A place where it cannot be built has no figures.
func buildTwice(dir string) ([]float64, error) {
	figures := []float64{none, none}
	for i := range figures {
		start := time.Now()
		if err := command(filepath.Join(dir, "build"), "go", "build", "-trimpath", "-o", "program", "."); err != nil {
			fmt.Fprintf(os.Stderr, "  go build: %v\n", err)
			return figures, nil
		}
		figures[i] = 1 / time.Since(start).Seconds()
	}
	return figures, nil
}
