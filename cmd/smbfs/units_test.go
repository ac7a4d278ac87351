package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnits has systemd read the example units: it says what it does not know, and what cannot be run.
func TestUnits(t *testing.T) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Fatal("systemd-analyze not found: install it with `apt-get install systemd`")
	}
	dir := t.TempDir()
	var units []string
	for file, unit := range map[string]string{"smbfs@.service": "smbfs@media.service", "mnt-media.mount": "mnt-media.mount"} {
		b, err := os.ReadFile(filepath.Join("../../docs/systemd", file))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(b), "/usr/local/sbin/smbfs", "/bin/true", 1) // it need not be installed
		if err := os.WriteFile(filepath.Join(dir, unit), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		units = append(units, filepath.Join(dir, unit))
	}
	out, err := exec.Command(verify, append([]string{"--man=no", "verify"}, units...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v: %s", err, out)
	}
}
