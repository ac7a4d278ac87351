package replay

import (
	"fmt"
	"os"
	"testing"
)

// The test binary is the helper, and under names of their own the programs that the
// tests need beside it: the process that serves a mount never uses it itself.
func TestMain(m *testing.M) {
	RunIfHelper()
	programs := map[string]func(args []string) error{
		"replay-test-watcher": watcherMain,
		"replay-test-actor":   actorMain,
		"replay-test-daemon":  daemonMain,
		"replay-test-nobody":  nobodyMain,
	}
	if program, ok := programs[os.Args[0]]; ok {
		if err := program(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, os.Args[0]+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
