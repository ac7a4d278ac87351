package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"smbfs/health"
)

const watchUsage = "smbfs watch [--json] [--server] PATH"

// runWatch is smbfs watch.
func runWatch(ctx context.Context, args []string, _ passwordEnv) error {
	flags, paths, err := splitFlags(args, "--json", "--server", "--help")
	switch {
	case err != nil:
		return err
	case slices.Contains(flags, "--help"):
		fmt.Println("Usage: " + watchUsage)
		return nil
	case len(paths) != 1:
		return usageError{fmt.Errorf("give one path in a mount: %s", watchUsage)}
	}
	e, below, err := findSmbfs(paths[0])
	if err != nil {
		return err
	}
	asJSON, server := slices.Contains(flags, "--json"), slices.Contains(flags, "--server")
	out := bufio.NewWriter(os.Stdout)
	show := func(ev *health.Event) error {
		if ev.Kind == health.KindSaid && !server {
			return nil
		}
		line := []byte(ev.Line())
		if asJSON {
			if line, err = json.Marshal(ev); err != nil {
				return err
			}
		}
		_, _ = out.Write(append(line, '\n'))
		return out.Flush()
	}
	err = atFirstName(e, func(point string) error {
		return health.Watch(ctx, point, e.owner, below, func() {
			fmt.Fprintf(os.Stderr, "smbfs: watching %s\n", oneLine(paths[0]))
		}, show)
	})
	if ctx.Err() != nil { // Ctrl-C is how it ends
		return nil
	}
	return err
}
