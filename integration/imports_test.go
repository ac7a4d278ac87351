package integration

import (
	"os/exec"
	"strings"
	"testing"
)

// rank is the layer of each package of the project; imports go to a lower layer
// only. The packages of one layer know nothing of each other.
var rank = map[string]int{
	"smbfs/cmd/smbfs":         6,
	"smbfs/fs":                5,
	"smbfs/health":            5,
	"smbfs/health/doctor":     5,
	"smbfs/notify":            4,
	"smbfs/share":             3,
	"smbfs/smbclient/smbtest": 3,
	"smbfs/smbclient":         2,
	"smbfs/smbclient/auth":    1,
	"smbfs/smbclient/crypt":   1,
	"smbfs/smbclient/wire":    0,
	"smbfs/cache":             0,
	"smbfs/notify/marks":      0,
	"smbfs/notify/replay":     0,
	"smbfs/fs/inval":          0,
	"smbfs/share/rundown":     0,
}

// TestImports holds the architecture: one way, FUSE in one place, and smbclient
// of use to any program.
func TestImports(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "smbfs/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if checkImports(t, f[0], f[1:]) {
			seen++
		}
	}
	if seen != len(rank) {
		t.Errorf("%d packages of the design were listed, want %d", seen, len(rank))
	}
}

func checkImports(t *testing.T, pkg string, imports []string) bool {
	own, known := rank[pkg]
	ours := strings.HasPrefix(pkg, "smbfs/integration")
	if !known && !ours {
		t.Errorf("%s has no place in the design", pkg)
	}
	for _, i := range imports {
		if strings.HasPrefix(i, "github.com/hanwen/go-fuse/") && pkg != "smbfs/fs" && pkg != "smbfs/integration/bench" {
			t.Errorf("%s imports %s: only fs knows FUSE, and the benchmark to measure it", pkg, i)
		}
		if strings.HasPrefix(i, "smbfs/integration") && !ours {
			t.Errorf("%s imports %s", pkg, i)
		}
		if strings.HasPrefix(pkg, "smbfs/smbclient") && strings.HasPrefix(i, "smbfs/") && !strings.HasPrefix(i, "smbfs/smbclient") {
			t.Errorf("%s imports %s: smbclient knows nothing of the rest", pkg, i)
		}
		if r, ok := rank[i]; known && ok && r >= own {
			t.Errorf("%s (layer %d) imports %s (layer %d)", pkg, own, i, r)
		}
	}
	return known
}
