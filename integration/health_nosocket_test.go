package integration

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"smbfs/integration/testenv"
)

// withoutSocket runs in a mount namespace with a /run of its own, where the place for sockets is a symbolic link.
const withoutSocket = `
mount -t tmpfs none /run
ln -s /tmp /run/smbfs
"$BIN" -o "$OPTIONS" "$SOURCE" "$POINT" || exit 1
ls "$POINT"
"$BIN" status "$POINT"
echo "exit code $?"
umount "$POINT"
`

// TestNoControlSocket: where the socket cannot be made safely there is one warning, and the mount goes on without.
func TestNoControlSocket(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{})
	must(t, os.WriteFile(s.Dir+"/a-file-of-the-share", nil, 0o644))
	dir := t.TempDir()
	log, point := dir+"/log", dir+"/mnt"
	must(t, os.Mkdir(point, 0o755))
	cmd := exec.Command("unshare", "--mount", "sh", "-c", withoutSocket)
	cmd.Env = append(os.Environ(), "PASSWD="+s.Password, "BIN="+try[string](t)(testenv.Binary()), "SOURCE="+s.Source(), "POINT="+point,
		fmt.Sprintf("OPTIONS=port=%d,username=%s,logfile=%s", s.Port, s.User, log))
	limit := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer limit.Stop()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, part := range []string{"a-file-of-the-share\n", "exit code 1\n", "it is not safe"} {
		if !strings.Contains(string(out), part) {
			t.Errorf("%q is missing in %s", part, out)
		}
	}
	text := string(try[[]byte](t)(os.ReadFile(log)))
	if strings.Count(text, "there is no control socket") != 1 || strings.Count(text, "level=WARN") != 1 {
		t.Errorf("not one warning: %s", text)
	}
}
