package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// BinaryEnv names the environment variable with the path of a smbfs binary to
// use instead of building one.
const BinaryEnv = "SMBFS_BINARY"

var build struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// Binary is the path of the smbfs binary, built on the first call, with the race
// detector if this process has it. CleanUp removes it.
func Binary() (string, error) {
	build.once.Do(func() {
		if build.path = os.Getenv(BinaryEnv); build.path != "" {
			return
		}
		if build.dir, build.err = os.MkdirTemp("", "smbfs-bin"); build.err != nil {
			return
		}
		build.path = filepath.Join(build.dir, "smbfs")
		args := []string{"build", "-o", build.path}
		if raceEnabled {
			args = append(args, "-race")
		}
		if out, err := exec.Command("go", append(args, "smbfs/cmd/smbfs")...).CombinedOutput(); err != nil {
			build.err = fmt.Errorf("build smbfs: %w: %s", err, strings.TrimSpace(string(out)))
		}
	})
	return build.path, build.err
}

// CleanUp removes the binary that Binary built. TestMain calls it last.
func CleanUp() {
	if build.dir != "" {
		os.RemoveAll(build.dir)
	}
}
